"""One toolbox command, whichever way it is executed: its files, its end, its error. Called by `projects.core.library.commands`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.cold import run_cold
from projects.core.execution.request import PLAN, Request
from projects.core.execution.warm import WarmHost
from projects.core.record.artifacts import ANSIBLE_LOG, last_lines, read_tail
from projects.core.record.steps import redacted
from projects.core.record.task_events import failed_event, read_events
from projects.core.values.errors import CommandFailed, TimedOut, signal_name
from projects.core.values.outcomes import ExitCode
from projects.core.values.redaction import REDACTOR

PLAY, ENVIRONMENT, COMMAND_LINE = "_ansible.play.yaml", "_ansible.env", "_python.cmd"
TAIL_LINES = 20
_TAIL_CHARACTERS = 16_000

# What of the environment a post-mortem needs. Everything else may be a token, so it is left out.
_KEPT = re.compile(
    r"ARTIFACT_DIR|BUILD_ID|CI|COLUMNS|FORESAIL_(BASE_DIR|EXECUTION|RECORD|STEP)|HOME|HOSTNAME|JOB_(NAME|TYPE|NAME_SAFE)|KUBECONFIG|LANG"
    r"|LC_(ALL|COLLATE|CTYPE|MESSAGES|NUMERIC|TIME)|NAMESPACE|OPENSHIFT_CI|PATH|PULL_(NUMBER|BASE_SHA|BASE_REF|PULL_SHA)|PWD|PYTHONPATH|REPO_(NAME|OWNER)"
    r"|SHARED_DIR|SHELL|TERM|TMPDIR|TZ|USER|VIRTUAL_ENV|XDG_CACHE_HOME"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What the events say of the failed task."""

    task: str
    reason: str
    exit_code: ExitCode
    hint: str | None
    in_vain: bool = False


class _Said:
    """The end of what a command prints, for one that has no log."""

    def __init__(self, on_output: Callable[[str], object] | None) -> None:
        self.tail = ""
        self._on_output = on_output

    def hear(self, text: str) -> None:
        self.tail += text
        if len(self.tail) > _TAIL_CHARACTERS:  # whole lines are kept: half a secret would not be known any more
            self.tail = self.tail[-_TAIL_CHARACTERS:].partition("\n")[2]
        if self._on_output:
            self._on_output(text)


def run_command(
    request: Request,
    *,
    name: str,
    command_line: str,
    host: WarmHost,
    token: CancelToken,
    on_output: Callable[[str], object] | None,
) -> None:
    """Run a command and write its artifact directory.

    Args:
      request: The command.
      name: ``group command``, for messages.
      command_line: The line that does the same again.
      host: The warm host; it is not used for a remote command, nor with FORESAIL_EXECUTION=cold.
      token: Cancelling it ends the command.
      on_output: Called with what it prints.

    Raises:
      CommandFailed: it failed; the error carries the directory, the task, the message and the last log lines.
      Cancelled, InfrastructureError: it did not come to its end.
    """
    _write_inputs(request, command_line)
    cold = request.remote is not None or request.environment.get("FORESAIL_EXECUTION") == "cold"
    said = _Said(on_output)
    try:
        status = run_cold(request, token, said.hear) if cold else host.run(request, token, said.hear)
    except TimedOut as error:
        last = list(read_events(request.directory))[-1:]
        raise CommandFailed(
            name,
            directory=request.directory,
            task=last[0]["task"] if last else "",
            reason=f"it did not end within {request.timeout:g} s, and was ended",
            log_tail=log_tail(request.directory),
            exit_code=ExitCode.TIMED_OUT,
        ) from error
    _judge(request.directory, name, status, said)


def plan_command(request: Request, *, name: str, host: WarmHost, token: CancelToken) -> None:
    """Write down what a command would do, in its artifact directory, and do nothing of it.

    Args:
      request: The command.
      name: ``group command``, for messages.
      host: The warm host; one fork of it plans the role, wherever the command would act.
      token: Cancelling it ends the planning.

    Raises:
      CommandFailed: the role cannot be right, whatever a run would find.
      Cancelled, TimedOut, InfrastructureError: the planning did not come to its end.
    """
    said = _Said(None)
    planned = replace(request, remote=None, environment={**request.environment, PLAN: "1"})
    _judge(request.directory, name, host.run(planned, token, said.hear), said)


def _judge(directory: Path, name: str, status: int, said: _Said) -> None:
    """Raise the error of a command that did not pass."""
    if status == 0:
        return
    if not (directory / ANSIBLE_LOG).exists():  # Ansible did not get as far as to the play
        (directory / ANSIBLE_LOG).write_text(REDACTOR.redact(said.tail), encoding="utf-8")
    raise _error(directory, name, status)


def log_tail(directory: Path) -> str:
    """Return the last lines of a command's log, redacted, or nothing when it wrote none."""
    return REDACTOR.redact(last_lines(read_tail(directory / ANSIBLE_LOG), TAIL_LINES))


def _write_inputs(request: Request, command_line: str) -> None:
    play = redacted({**request.play, "vars": request.extra_vars})
    kept = {key: value for key, value in sorted(request.environment.items()) if _KEPT.fullmatch(key)}
    texts = {
        PLAY: yaml.safe_dump([play], sort_keys=False, allow_unicode=True, width=4000),
        ENVIRONMENT: "".join(f"{key}={value}\n" for key, value in kept.items()),
        COMMAND_LINE: f"{command_line}\n",
    }
    for name, text in texts.items():
        (request.directory / name).write_text(REDACTOR.redact(text), encoding="utf-8")
    (request.directory / COMMAND_LINE).chmod(0o755)


def _error(directory: Path, name: str, status: int) -> CommandFailed:
    failure = _failure(directory, status)
    error = CommandFailed(
        name,
        directory=directory,
        task=failure.task,
        reason=failure.reason,
        log_tail=log_tail(directory),
        exit_code=failure.exit_code,
        hint=failure.hint,
    )
    if failure.in_vain:
        error.transient = False
    return error


def _failure(directory: Path, status: int) -> Failure:
    events = list(read_events(directory))
    if status < 0:
        last = events[-1]["task"] if events else "the start of the play"
        moment = "in" if events and "objects" in events[-1] else "after"
        reason = f"its process was killed by {signal_name(-status)} {moment} '{last}'"
        return Failure("", reason, ExitCode.TEST_FAILED, None)
    told = failed_event(events)
    if told is None:
        return Failure("", f"Ansible exited with {status}:\n{log_tail(directory)}", ExitCode.TEST_FAILED, None)
    typed: Mapping[str, Any] = told.get("foresail") or {}
    code = ExitCode.INFRASTRUCTURE if told["outcome"] == "unreachable" else ExitCode(typed.get("exit_code", 1))
    return Failure(told["task"], told["msg"], code, typed.get("hint"), in_vain=bool(typed.get("in_vain")))
