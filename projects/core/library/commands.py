"""A toolbox command as a step of the run. Called by `run.run_toolbox*` and by the CLI."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import inspect
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.core import planning
from projects.core.execution.cancellation import current_token
from projects.core.execution.command import plan_command, run_command
from projects.core.execution.request import Remote, Request
from projects.core.execution.warm import WarmHost
from projects.core.library import env, resume
from projects.core.library.scope import StepScope, cause_of
from projects.core.record import context
from projects.core.record.steps import Step, redacted
from projects.core.toolbox.binding import bind_values
from projects.core.toolbox.conversion import to_data
from projects.core.toolbox.specification import Specification, specify
from projects.core.values.checkout import ROOT
from projects.core.values.errors import CommandFailed, ForesailError, OutOfTime, UsageError
from projects.core.values.redaction import REDACTOR
from projects.core.values.unknown import is_unknown, plain

HOST = WarmHost(env.child_environment)
"""The warm host of this process; it starts with the first command and ends with the process at the latest."""
atexit.register(HOST.stop)

PROBE = "probe"
"""Tasks file of a role, `tasks/probe.yml`, that passes when the effect of the command is there already. Also where it leaves
its log, in the command's directory, and what the record says then."""
_REMOTE = {"hostname": "REMOTE_HOSTNAME", "username": "REMOTE_USERNAME", "os_family": "REMOTE_OS"}


@dataclass(frozen=True, slots=True)
class CommandRun:
    """How a command went: where its artifacts are, and the error when its failure was tolerated."""

    directory: Path
    error: CommandFailed | None = None

    @property
    def returncode(self) -> int:
        """0 when it passed, else its exit code."""
        return 0 if self.error is None else self.error.returncode


def bind(
    group: str, command: str, values: Mapping[str, Any], *, place: str | None = None
) -> tuple[Specification, dict[str, Any]]:
    """Bind the arguments of a command, fill in its defaults and let it validate them.

    Args:
      group: The command's group.
      command: Its name.
      values: Its arguments, of the kinds that its signature states.
      place: Where they are written, for messages.

    Returns:
      The command and its complete arguments.

    Raises:
      UsageError: there is no such command, or it does not take these arguments. Nothing was started.
    """
    specification = specify(group, command)
    try:
        arguments = specification.complete(bind_values(specification.parameters, plain(values)))
        _validate(specification, arguments)
    except UsageError as error:
        hint = error.hint or f"./run_toolbox.py {specification.name} --help"
        raise UsageError(f"{specification.name}: {error.message}", hint=hint, place=error.place or place) from error
    return specification, arguments


def _validate(specification: Specification, arguments: Mapping[str, Any]) -> None:
    """Let a command validate its arguments; in a plan it cannot know of those that are not known."""
    try:
        specification.validate(arguments)
    except UsageError:
        if not is_unknown(arguments):
            raise


def call(
    specification: Specification,
    arguments: Mapping[str, Any],
    *,
    suffix: str = "",
    mute: bool = False,
    tolerated: bool = False,
    check: bool = False,
) -> CommandRun:
    """Run a bound command in a numbered artifact directory of its own.

    Args:
      specification: The command.
      arguments: Its complete arguments, as `bind` returns them.
      suffix: End of the artifact directory's name.
      mute: Whether what it prints goes into its log only.
      tolerated: Whether its failure is returned rather than raised, and does not count.
      check: Whether nothing may be written and what would change is shown.

    Returns:
      How it went.

    Raises:
      CommandFailed: it failed, and that was not tolerated.
    """
    identity = _identity(specification, arguments)
    decision = resume.decide(identity)
    if decision.reused:
        return CommandRun(resume.directory_of(resume.reuse(identity, decision)))
    caller = env.ARTIFACT_DIR
    directory = env.claim_directory(resume.marked(specification.directory_name(arguments) + suffix, decision))
    scope = StepScope(
        "command",
        specification.name,
        directory=directory,
        arguments=identity.arguments,
        tolerated=tolerated,
        occurrence=identity.occurrence,
        digest=identity.digest,
    )
    try:
        with scope, _keeping_evidence(scope.step, tolerated=tolerated):
            request = _request(specification, arguments, directory, caller, check=check)
            line = command_line(specification, arguments, check=check)
            asks = decision.was_running and not planning.is_planning()  # a plan cannot know what a probe finds
            if asks and _effect_is_there(specification, request, line):
                scope.step.details = {PROBE: "what the attempt before was to do is done"}
            else:
                _run(specification, request, line, mute=mute)
    except CommandFailed as error:
        if not tolerated:
            raise
        return CommandRun(directory, error)
    return CommandRun(directory)


@contextmanager
def _keeping_evidence(step: Step, *, tolerated: bool) -> Iterator[None]:
    """Keep what tells why a command failed before its error leaves it: the caller's `finally` blocks may delete that."""
    try:
        yield
    except (ForesailError, OutOfTime) as error:
        if not tolerated:
            from projects.core import postmortem  # noqa: PLC0415 - a run that passes does not pay for it

            place = context.here()
            seconds = postmortem.SECONDS if isinstance(error, ForesailError) else postmortem.SECONDS_OF_THE_GRACE
            postmortem.capture(place.record.root, step, cause_of(error, step), place.directory, seconds=seconds)
        raise


def _identity(specification: Specification, arguments: Mapping[str, Any]) -> resume.Identity:
    return resume.Identity(
        "command",
        specification.name,
        context.here().count("command", specification.name),
        to_data(dict(arguments)),
        _code_of(specification.role, _function(specification)),
    )


def code_of(step: Step) -> str:
    """Return what stands now for the code of a command that was recorded; nothing when there is no such command any more."""
    group, _, command = step.name.partition(" ")
    try:
        specification = specify(group, command)
    except UsageError:
        return ""
    return _code_of(specification.role, _function(specification))


def _function(specification: Specification) -> Callable[..., None]:
    """Return the function of a command: its method is bound to a new object each time, so nothing would be found by it."""
    function: Callable[..., None] = getattr(specification.validator, "__func__", specification.validator)
    return function


@functools.cache
def _code_of(role: Path, validator: Callable[..., None]) -> str:
    """Return what stands for the code of a command: its method and its role."""
    return resume.digest_of(inspect.getsource(validator), resume.digest_of_tree(role))


def _run(specification: Specification, request: Request, line: str, *, mute: bool) -> None:
    if planning.is_planning():
        plan_command(request, name=specification.name, host=HOST, token=current_token())
        return
    run_command(
        request,
        name=specification.name,
        command_line=line,
        host=HOST,
        token=current_token(),
        on_output=None if mute else sys.stdout.write,
    )


def _effect_is_there(specification: Specification, request: Request, line: str) -> bool:
    """Ask the command's probe, when it has one, whether an attempt that was cut off has had its effect."""
    if not (specification.role / "tasks" / f"{PROBE}.yml").is_file():
        return False
    directory = request.directory / PROBE
    directory.mkdir()
    try:
        probe = dataclasses.replace(request, directory=directory, tasks_from=PROBE)
        _run(specification, probe, line, mute=True)
    except CommandFailed:
        return False
    return True


def command_line(specification: Specification, arguments: Mapping[str, Any], *, check: bool = False) -> str:
    """Return the shell line that runs a command again, without secrets."""
    words = [str(ROOT / "run_toolbox.py"), *(["--check"] if check else []), specification.group, specification.command]
    for name, value in arguments.items():
        default = specification.parameters[name].default
        if (type(value), value) != (type(default), default):  # 0 is not False
            words.append(f"--{name}={_written(value)}")
    return shlex.join(words)


def _written(value: Any) -> str:
    if hasattr(value, "parse") and "__str__" in vars(type(value)):
        return REDACTOR.redact(str(value))  # what its `parse` reads
    data = redacted(to_data(value))
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)


def _request(
    specification: Specification, arguments: Mapping[str, Any], directory: Path, caller: Path, *, check: bool
) -> Request:
    return Request(
        role=specification.role,
        variables=specification.variables(arguments),
        directory=directory,
        artifact_dir=caller,
        environment={**os.environ, **env.child_environment()},
        cwd=str(Path.cwd()),
        check=check,
        secrets=REDACTOR.values,
        remote=_remote(),
        timeout=specification.declaration.timeout,
    )


def _remote() -> Remote | None:
    values = {
        key: os.environ.get(f"FORESAIL_{name}", os.environ.get(f"TOPSAIL_{name}")) for key, name in _REMOTE.items()
    }
    hostname = values.pop("hostname")
    return Remote(hostname, **values) if hostname else None
