"""Every error that Foresail raises on purpose, each with its exit code, a hint, a place, and whether to try again.

    ForesailError                        message, hint, place, exit_code
    ├── UsageError           (ValueError)          2   a wrong command line or argument
    │   ├── ConfigError                            2   a wrong configuration, preset or override
    │   └── TemplateError                          2   a wrong command_args template
    ├── SecretMissing        (LookupError)         2   a declared secret whose file is not there
    ├── NotInitialised       (AttributeError)      2   env or config read before init()
    ├── ProcessFailed        (CalledProcessError)  1   run.run: the command exited with another code than 0
    ├── CommandFailed        (CalledProcessError)  1   a toolbox command failed; 3 or 4 when that is why
    ├── NothingRan           (RuntimeError)        1   an entrypoint that recorded no step
    ├── UnknownValue         (ValueError)          1   in a plan: a value was needed that only a real run can know
    ├── ClusterError         (RuntimeError)        1   the API answered with an error
    │   ├── NotFound         (LookupError)
    │   ├── Conflict
    │   ├── Forbidden        (PermissionError)
    │   └── Invalid          (ValueError)
    ├── InfrastructureError  (OSError)             3   what the test stands on is not there
    │   ├── Unreachable      (ConnectionError)         the API server cannot be reached
    │   └── Unauthenticated  (PermissionError)         it does not accept the credentials of the kubeconfig
    ├── TimedOut             (TimeoutError)        4   something took longer than it was given
    ├── LeaseLost            (RuntimeError)        6   what was reserved for the run is not its own any more
    └── SecretFound          (RuntimeError)        7   a file of the artifacts held a secret

    Stop (BaseException)                 not an error of the code that sees it: it must not be swallowed
    ├── Cancelled                        the token was cancelled: a sibling failed
    ├── Interrupted                      SIGINT (130), SIGTERM or SIGHUP (143)
    └── OutOfTime                        the time that the run was given has passed (4)

Each inherits the builtin that a caller would catch. The CLI prints `explain(error)`; a traceback only when asked.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from projects.core.values.outcomes import ExitCode, worst

# What the exit code of a toolbox command says of trying again; the others say nothing.
_TRANSIENCE = {
    ExitCode.INFRASTRUCTURE: True,
    **dict.fromkeys((ExitCode.USAGE, ExitCode.TIMED_OUT, ExitCode.LEASE, ExitCode.SECRET_FOUND), False),
}
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which the same request may succeed."""


class ForesailError(Exception):
    """An error meant for the person who runs Foresail.

    Args:
      message: What was expected and what was found.
      hint: What to do about it, such as the nearest match.
      place: Where: a file with its line, a key, a directory.
    """

    exit_code: ExitCode = ExitCode.TEST_FAILED
    transient: bool | None = None
    """Whether the same may go well a moment later: True, it may; False, it never will; None, only who called can know."""

    def __init__(self, message: str, *, hint: str | None = None, place: str | Path | None = None) -> None:
        # Not super(): a builtin beside this class in a leaf's bases takes other arguments.
        Exception.__init__(self, message)
        self.message = message
        self.hint = hint
        self.place = None if place is None else str(place)

    def __str__(self) -> str:
        """Return the message alone."""
        return self.message


class UsageError(ForesailError, ValueError):
    """A command line or an argument that cannot be accepted."""

    exit_code = ExitCode.USAGE
    transient = False


class ConfigError(UsageError):
    """A configuration file, preset, override or key that cannot be accepted."""


class TemplateError(UsageError):
    """A command_args template that cannot be rendered."""


class SecretMissing(ForesailError, LookupError):
    """A secret was declared, but its file is not there."""

    exit_code = ExitCode.USAGE
    transient = False


class NotInitialised(ForesailError, AttributeError):
    """The environment or the configuration was read before it was initialised."""

    exit_code = ExitCode.USAGE
    transient = False


class ProcessFailed(ForesailError, subprocess.CalledProcessError):
    """A shell command of an orchestration exited with another code than 0."""

    def __init__(
        self, command: str, returncode: int, *, stdout: str | bytes | None, stderr: str | bytes | None, tail: str
    ) -> None:
        how = f"was killed by {signal_name(-returncode)}" if returncode < 0 else f"exited with {returncode}"
        said = f"\nits last lines:\n{tail}" if "\n" in tail else f": {tail}"
        super().__init__(f"`{command}` {how}" + (said if tail else ""))
        self.cmd = command
        self.returncode = returncode
        self.transient = True if returncode == ExitCode.INFRASTRUCTURE else None
        self.output = stdout
        self.stderr = stderr
        self.tail = tail


class CommandFailed(ForesailError, subprocess.CalledProcessError):
    """A toolbox command failed.

    Args:
      command: The command as ``group command``.
      directory: Its artifact directory.
      task: The Ansible task that failed, empty when it did not get that far.
      reason: What the task said.
      log_tail: The last lines of its log.
      exit_code: 1, or 3 when the cluster was unreachable, or 4 when something timed out.
      hint: What to do about it.
    """

    def __init__(
        self,
        command: str,
        *,
        directory: Path,
        task: str,
        reason: str,
        log_tail: str,
        exit_code: ExitCode = ExitCode.TEST_FAILED,
        hint: str | None = None,
    ) -> None:
        at = f" in the task '{task}'" if task else ""
        super().__init__(f"{command} failed{at}: {reason}", hint=hint, place=directory)
        self.cmd = f"run_toolbox.py {command}"
        self.returncode = int(exit_code)
        self.transient = _TRANSIENCE.get(exit_code)
        self.output = self.stderr = log_tail
        self.command = command
        self.directory = directory
        self.task = task
        self.reason = reason
        self.log_tail = log_tail
        self.exit_code = exit_code


class UnknownValue(ForesailError, ValueError):
    """In a plan, a value was needed that only a real run can know."""

    transient = False


class NothingRan(ForesailError, RuntimeError):
    """An entrypoint ended without having recorded a step."""


class ClusterError(ForesailError, RuntimeError):
    """The API server answered with an error."""


class NotFound(ClusterError, LookupError):
    """The object, or its kind, does not exist."""


class Conflict(ClusterError):
    """The object was changed by somebody else, or exists already."""

    transient = True


class Forbidden(ClusterError, PermissionError):
    """The user of the kubeconfig may not do this."""

    transient = False


class Invalid(ClusterError, ValueError):
    """The API server rejected what it was given."""

    transient = False


class InfrastructureError(ForesailError, OSError):
    """What the test stands on is not there."""

    exit_code = ExitCode.INFRASTRUCTURE


class Unreachable(InfrastructureError, ConnectionError):
    """The API server cannot be reached."""

    transient = True


class Unauthenticated(InfrastructureError, PermissionError):
    """The API server does not accept the credentials of the kubeconfig: they have expired, or are another cluster's."""

    transient = False


class TimedOut(ForesailError, TimeoutError):
    """Something took longer than it was given."""

    exit_code = ExitCode.TIMED_OUT
    transient = False


class LeaseLost(ForesailError, RuntimeError):
    """What was reserved for the run is not its own any more: whatever it goes on to do, it does to somebody else's."""

    exit_code = ExitCode.LEASE
    transient = False


class SecretFound(ForesailError, RuntimeError):
    """Files of the artifacts held a secret; they were moved out."""

    exit_code = ExitCode.SECRET_FOUND
    transient = False


class Stop(BaseException):
    """The work has to end. A BaseException, so that ``except Exception`` around a step does not swallow it."""

    exit_code: ExitCode = ExitCode.TEST_FAILED


class Cancelled(Stop):
    """The cancel token was cancelled, because a sibling failed."""


class Interrupted(Stop):
    """The process was asked to end.

    Args:
      signum: The signal that asked.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal_name(signum)}")
        self.exit_code = ExitCode.INTERRUPTED if signum == signal.SIGINT else ExitCode.TERMINATED


class OutOfTime(Stop):
    """The time that the run was given has passed.

    Args:
      seconds: How long that was.
    """

    exit_code = ExitCode.TIMED_OUT

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the run was given {seconds:g} s, which have passed")


def signal_name(number: int) -> str:
    """Return a signal's name, such as ``SIGTERM``, or its number when it has none here."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code that an error stands for; a group's is the worst of its members'."""
    if isinstance(error, BaseExceptionGroup):
        return worst(exit_code_of(member) for member in error.exceptions)
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    code = getattr(error, "exit_code", None)  # an error of another library may have one of its own
    return code if isinstance(code, ExitCode) else ExitCode.TEST_FAILED


def is_transient(error: BaseException) -> bool:
    """Return whether the same may go well a moment later: the network failed, a server was busy, somebody was faster.

    Args:
      error: Any error. A group is transient when all of its members are; another library's error, when it is of the
        network or carries an HTTP status that says so.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_transient(member) for member in error.exceptions)
    if isinstance(error, ForesailError):
        return error.transient is True
    status = getattr(error, "status", None) or getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return status in _BUSY
    reason = getattr(error, "reason", None)  # urllib wraps what happened
    return isinstance(error, ConnectionError | TimeoutError) or (isinstance(reason, Exception) and is_transient(reason))


def is_permanent(error: BaseException) -> bool:
    """Return whether it is in vain, or wrong, to try again: a mistake, a time-out, a lost lease, the end of the run."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_permanent(member) for member in error.exceptions)
    return not isinstance(error, Exception) or getattr(error, "transient", None) is False


def explain(error: BaseException) -> str:
    """Return an error as it is shown to people: message, place, hint; the members of a group one after the other."""
    if isinstance(error, BaseExceptionGroup):
        return "\n".join(explain(member) for member in error.exceptions)
    if not isinstance(error, ForesailError):
        return f"{type(error).__name__}: {error}"
    place = f"\n  where: {error.place}" if error.place else ""
    hint = f"\n  hint: {error.hint}" if error.hint else ""
    return f"{error.message}{place}{hint}"
