"""Running things: shell commands, toolbox commands, branches. Imported by orchestrations as `run`."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from projects.core import planning
from projects.core.execution import processes
from projects.core.execution.cancellation import current_token
from projects.core.library import commands, config, env
from projects.core.library.commands import CommandRun
from projects.core.library.parallel import Parallel, ParallelFailed
from projects.core.library.post import post
from projects.core.library.scope import StepScope
from projects.core.library.step import step
from projects.core.record.artifacts import last_lines
from projects.core.values.errors import ProcessFailed
from projects.core.values.redaction import REDACTOR
from projects.core.values.unknown import Unknown

__all__ = [
    "CommandRun",
    "Parallel",
    "ParallelFailed",
    "post",
    "run",
    "run_and_catch",
    "run_iterable_fields",
    "run_toolbox",
    "run_toolbox_from_config",
    "step",
]

logger = logging.getLogger(__name__)
_TAIL_LINES = 20


def run(  # noqa: PLR0913, PLR0917 - TOPSAIL's signature, which orchestrations call by keyword
    command: str,
    capture_stdout: bool = False,
    capture_stderr: bool = False,
    check: bool = True,
    protect_shell: bool = True,
    cwd: Path | str | None = None,
    stdin_file: IO[Any] | None = None,
    log_command: bool = True,
    decode_stdout: bool = True,
    decode_stderr: bool = True,
    *,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[Any]:
    """Run a shell command with bash, in a process group of its own.

    Args:
      command: The command.
      capture_stdout: Whether its output is returned rather than shown.
      capture_stderr: Likewise for its standard error.
      check: Whether another exit code than 0 raises.
      protect_shell: Whether errexit, pipefail, nounset and errtrace are set.
      cwd: Its working directory.
      stdin_file: What it reads; nothing when None.
      log_command: Whether the command is logged.
      decode_stdout: Whether captured output is text (UTF-8) rather than bytes.
      decode_stderr: Likewise for its standard error.
      timeout: Seconds it is given; None for as long as it takes.

    Returns:
      The completed process; `stdout` and `stderr` are None unless they were captured.

    Raises:
      ProcessFailed: it exited with another code than 0; what it wrote last is in the message.
      TimedOut: it took longer than `timeout`; it and all that it started are gone.
      Cancelled: a sibling in a `Parallel` failed; likewise.

    In a plan nothing is started, and what it would write is not known.
    """
    if log_command:
        logger.info("run: %s", command)
    if planning.is_planning():
        captured = {"stdout": capture_stdout, "stderr": capture_stderr}
        return _planned(command, captured, check=check, cwd=cwd, timeout=timeout)
    shell = processes.PROTECTED_BASH if protect_shell else processes.PLAIN_BASH
    ended = processes.run_process(
        [*shell, command],
        token=current_token(),
        environment={**os.environ, **child_environment()},
        cwd=cwd,
        stdin=stdin_file if stdin_file is not None else subprocess.DEVNULL,
        timeout=timeout,
        name=REDACTOR.redact(f"`{command}`"),
        on_stdout=None if capture_stdout else sys.stdout.write,
        on_stderr=None if capture_stderr else sys.stderr.write,
    )
    stdout = _output(ended.stdout, captured=capture_stdout, decode=decode_stdout)
    stderr = _output(ended.stderr, captured=capture_stderr, decode=decode_stderr)
    if check and ended.status != 0:
        shown = REDACTOR.redact(_tail(ended.stderr) or _tail(ended.stdout))
        raise ProcessFailed(REDACTOR.redact(command), ended.status, stdout=stdout, stderr=stderr, tail=shown)
    return subprocess.CompletedProcess(command, ended.status, stdout, stderr)


def run_toolbox(
    group: str,
    command: str,
    artifact_dir_suffix: str | None = None,
    mute_stdout: bool = False,
    check: bool = True,
    **arguments: Any,
) -> CommandRun:
    """Run a toolbox command with the given arguments.

    Args:
      group: The command's group.
      command: Its name.
      artifact_dir_suffix: End of its artifact directory's name, such as ``_before``.
      mute_stdout: Whether what it prints goes into its log only.
      check: Whether a failure raises and counts.
      **arguments: Its arguments, handed to its role as the typed values that they are.

    Returns:
      How it went, and where its artifacts are.

    Raises:
      UsageError: there is no such command, or it does not take these arguments; nothing was started.
      CommandFailed: it failed; the error carries its directory, the task, the message and the last log lines.
    """
    specification, complete = commands.bind(group, command, arguments)
    return commands.call(
        specification, complete, suffix=artifact_dir_suffix or "", mute=mute_stdout, tolerated=not check
    )


def run_toolbox_from_config(
    group: str,
    command: str,
    prefix: str | None = None,
    suffix: str | None = None,
    extra: Mapping[str, Any] | None = None,
    artifact_dir_suffix: str | None = None,
    mute_stdout: bool = False,
    check: bool = True,
) -> CommandRun:
    """Run a toolbox command with the arguments of its section in `command_args.yaml.j2`.

    Args:
      group: The command's group.
      command: Its name.
      prefix: What stands before the command in the section's name.
      suffix: What stands behind it.
      extra: Arguments that are laid over the section's.
      artifact_dir_suffix: End of its artifact directory's name.
      mute_stdout: Whether what it prints goes into its log only.
      check: Whether a failure raises and counts.

    Returns:
      How it went, and where its artifacts are.

    Raises:
      TemplateError: the section cannot be rendered.
      UsageError, CommandFailed: as `run_toolbox`.
    """
    arguments = config.command_args(group, command, prefix=prefix, suffix=suffix, extra=extra)
    place = config.place_of_section(group, command, prefix=prefix, suffix=suffix)
    specification, complete = commands.bind(group, command, arguments, place=place)
    return commands.call(
        specification, complete, suffix=artifact_dir_suffix or "", mute=mute_stdout, tolerated=not check
    )


def run_and_catch(
    exc: Exception | None, function: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Exception | None:
    """Call a function and go on when it raises, for cleanups and captures that all have to be tried.

    Args:
      exc: What an earlier call returned.
      function: What to call.
      *args: Its positional arguments.
      **kwargs: Its keyword arguments.

    Returns:
      The first exception seen, to be raised in the end; None while there is none. An interruption passes through.
    """
    if not (exc is None or isinstance(exc, Exception)):
        raise TypeError(f"run_and_catch: expected an exception or None first, found {exc!r}")
    try:
        function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - that is what it is for
        logger.error("%s failed: %s: %s", getattr(function, "__name__", function), type(error).__name__, error)  # noqa: TRY400
        return exc or error
    return exc


def run_iterable_fields(
    iterable_fields: Sequence[str], function: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> None:
    """Call a function once for each combination of the values of some list-valued configuration keys.

    Args:
      iterable_fields: Keys; one whose value is no list counts as a list of it.
      function: What to call while the keys hold one combination.
      *args: Its positional arguments.
      **kwargs: Its keyword arguments.
    """
    values = [config.project.get_config(key) for key in iterable_fields]
    lists = [value if isinstance(value, list) else [value] for value in values]
    for combination in itertools.product(*lists):
        with ExitStack() as stack:
            for key, value in zip(iterable_fields, combination, strict=True):
                stack.enter_context(config.TempValue(config.project, key, value))
            function(*args, **kwargs)


def _planned(
    command: str, captured: Mapping[str, bool], *, check: bool, cwd: Path | str | None, timeout: float | None
) -> subprocess.CompletedProcess[Any]:
    """Record what would be run; what it would write, when it is captured, is not known."""
    shown = f"`{' '.join(str(command).split())}`"
    arguments = {"command": str(command), "cwd": str(cwd) if cwd else None, "timeout": timeout}
    with StepScope("shell", shown, arguments=arguments):
        written = {name: Unknown.of(f"{name} of {shown}") if wanted else None for name, wanted in captured.items()}
        if not check:
            Unknown.of(f"exit code of {shown}")  # a plan supposes that it passes
    return subprocess.CompletedProcess(command, 0, **written)


def child_environment() -> dict[str, str]:
    """Return what a child process is given beside this process's environment: the run, the step, the configuration."""
    return env.child_environment() | (config.child_environment() if hasattr(config, "project") else {})


def _output(content: bytes, *, captured: bool, decode: bool) -> str | bytes | None:
    if not captured:
        return None
    return content.decode(errors="replace") if decode else content


def _tail(content: bytes) -> str:
    return last_lines(content.decode(errors="replace"), _TAIL_LINES)
