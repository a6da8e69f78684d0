from __future__ import annotations

import pickle
import signal
import subprocess
import urllib.error
from pathlib import Path

import pytest

from projects.core.values import errors
from projects.core.values.errors import (
    Cancelled,
    CommandFailed,
    ConfigError,
    Conflict,
    Forbidden,
    ForesailError,
    InfrastructureError,
    Interrupted,
    Invalid,
    LeaseLost,
    NotFound,
    NothingRan,
    NotInitialised,
    ProcessFailed,
    SecretMissing,
    TemplateError,
    TimedOut,
    Unauthenticated,
    Unreachable,
    UsageError,
    exit_code_of,
    explain,
    is_permanent,
    is_transient,
    signal_name,
)
from projects.core.values.outcomes import ExitCode

KINDS: list[tuple[type[ForesailError], type[Exception], ExitCode]] = [
    (UsageError, ValueError, ExitCode.USAGE),
    (ConfigError, ValueError, ExitCode.USAGE),
    (TemplateError, ValueError, ExitCode.USAGE),
    (SecretMissing, LookupError, ExitCode.USAGE),
    (NotInitialised, AttributeError, ExitCode.USAGE),
    (NothingRan, RuntimeError, ExitCode.TEST_FAILED),
    (NotFound, LookupError, ExitCode.TEST_FAILED),
    (Conflict, RuntimeError, ExitCode.TEST_FAILED),
    (Forbidden, PermissionError, ExitCode.TEST_FAILED),
    (Invalid, ValueError, ExitCode.TEST_FAILED),
    (InfrastructureError, OSError, ExitCode.INFRASTRUCTURE),
    (Unreachable, ConnectionError, ExitCode.INFRASTRUCTURE),
    (Unauthenticated, PermissionError, ExitCode.INFRASTRUCTURE),
    (TimedOut, TimeoutError, ExitCode.TIMED_OUT),
    (LeaseLost, RuntimeError, ExitCode.LEASE),
]


@pytest.mark.parametrize(("kind", "builtin", "code"), KINDS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_each_error_is_the_builtin_a_caller_would_catch_and_knows_its_exit_code(
    kind: type[ForesailError], builtin: type[Exception], code: ExitCode
) -> None:
    error = kind("what happened", hint="do this", place=Path("/some/where"))
    assert isinstance(error, builtin)
    assert exit_code_of(error) is code
    assert str(error) == "what happened"
    assert explain(error) == "what happened\n  where: /some/where\n  hint: do this"


def test_an_error_without_hint_and_place_is_explained_by_its_message_alone() -> None:
    assert explain(UsageError("what happened")) == "what happened"


def test_a_foreign_error_is_explained_by_its_type_and_message() -> None:
    assert explain(KeyError("x")) == "KeyError: 'x'"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (3, "`cmd` exited with 3"),
        (-signal.SIGTERM, "`cmd` was killed by SIGTERM"),
        (-77, "`cmd` was killed by signal 77"),
    ],
)
def test_a_failed_process_says_how_it_ended(status: int, said: str) -> None:
    error = ProcessFailed("cmd", status, stdout="out", stderr=None, tail="last\nlines")
    assert isinstance(error, subprocess.CalledProcessError)
    assert str(error) == f"{said}\nits last lines:\nlast\nlines"
    assert (error.cmd, error.returncode, error.output, error.stdout, error.stderr) == (
        "cmd",
        status,
        "out",
        "out",
        None,
    )
    assert exit_code_of(error) is ExitCode.TEST_FAILED


def test_a_failed_process_with_one_line_of_output_says_it_at_once() -> None:
    assert str(ProcessFailed("cmd", 3, stdout=None, stderr=None, tail="why")) == "`cmd` exited with 3: why"


def test_a_failed_process_without_output_says_nothing_of_last_lines() -> None:
    assert str(ProcessFailed("cmd", 3, stdout=None, stderr=None, tail="")) == "`cmd` exited with 3"


def test_a_failed_command_carries_directory_task_reason_and_last_lines() -> None:
    error = CommandFailed(
        "cluster set_scale",
        directory=Path("/run/003__cluster__set_scale"),
        task="Wait",
        reason="two nodes are missing",
        log_tail="the log",
        exit_code=ExitCode.TIMED_OUT,
        hint="look there",
    )
    assert isinstance(error, subprocess.CalledProcessError)
    assert explain(error) == (
        "cluster set_scale failed in the task 'Wait': two nodes are missing\n"
        "  where: /run/003__cluster__set_scale\n  hint: look there"
    )
    assert (error.cmd, error.returncode, error.output) == ("run_toolbox.py cluster set_scale", 4, "the log")
    assert exit_code_of(error) is ExitCode.TIMED_OUT


def test_a_command_that_failed_before_its_first_task_names_none() -> None:
    error = CommandFailed("a b", directory=Path("/x"), task="", reason="no such role", log_tail="")
    assert str(error) == "a b failed: no such role"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (Interrupted(signal.SIGINT), ExitCode.INTERRUPTED),
        (Interrupted(signal.SIGTERM), ExitCode.TERMINATED),
        (Cancelled("a sibling failed"), ExitCode.TEST_FAILED),
        (ValueError("x"), ExitCode.TEST_FAILED),
        (SystemExit(4), ExitCode.TEST_FAILED),
    ],
)
def test_exit_codes_of_what_is_no_foresail_error(error: BaseException, code: ExitCode) -> None:
    assert exit_code_of(error) is code


@pytest.mark.parametrize("code", [77, -1, "five", None, 2.5])
def test_an_exit_code_that_another_library_puts_on_its_error_cannot_break_ours(code: object) -> None:
    error = RuntimeError("of another library")
    error.exit_code = code  # type: ignore[attr-defined]
    assert exit_code_of(error) is ExitCode.TEST_FAILED


def test_a_group_stands_for_its_worst_member_at_any_depth() -> None:
    inner = ExceptionGroup("inner", [ValueError("x"), Unreachable("no api")])
    group = ExceptionGroup("outer", [TimedOut("late"), inner])
    assert exit_code_of(group) is ExitCode.INFRASTRUCTURE
    assert exit_code_of(BaseExceptionGroup("all", [group, Interrupted(signal.SIGTERM)])) is ExitCode.TERMINATED


def test_a_group_is_explained_member_by_member() -> None:
    group = ExceptionGroup("outer", [UsageError("one", hint="h"), ExceptionGroup("inner", [ValueError("two")])])
    assert explain(group) == "one\n  hint: h\nValueError: two"


def test_what_stops_the_work_is_not_swallowed_by_except_exception() -> None:
    assert not issubclass(errors.Stop, Exception)
    assert issubclass(Cancelled, errors.Stop)
    assert issubclass(Interrupted, errors.Stop)


def test_signal_names() -> None:
    assert [signal_name(number) for number in (9, 15, 0, 99)] == ["SIGKILL", "SIGTERM", "signal 0", "signal 99"]


def test_an_error_survives_the_way_through_another_process() -> None:
    error = pickle.loads(pickle.dumps(ConfigError("m", hint="h", place="p")))
    assert explain(error) == "m\n  where: p\n  hint: h"


def command_failed(code: ExitCode) -> CommandFailed:
    return CommandFailed("a b", directory=Path("/d"), task="t", reason="r", log_tail="", exit_code=code)


def process_failed(code: int) -> ProcessFailed:
    return ProcessFailed("false", code, stdout=None, stderr=None, tail="")


def of_http(status: int) -> Exception:
    error = RuntimeError(f"HTTP {status}")
    error.status = status  # type: ignore[attr-defined]  # as the Kubernetes client's and urllib's do
    return error


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("x"),
        Conflict("x"),
        command_failed(ExitCode.INFRASTRUCTURE),
        process_failed(3),
        of_http(429),
        of_http(503),
        ConnectionResetError(),
        urllib.error.URLError(ConnectionRefusedError()),
        TimeoutError("a socket's"),
        ExceptionGroup("both", [Unreachable("x"), ConnectionResetError()]),
    ],
    ids=repr,
)
def test_what_may_go_well_a_moment_later(error: BaseException) -> None:
    assert is_transient(error)
    assert not is_permanent(error)


@pytest.mark.parametrize(
    "error",
    [
        TimedOut("x"),
        LeaseLost("x"),
        UsageError("x"),
        ConfigError("x"),
        Forbidden("x"),
        Unauthenticated("x"),
        Invalid("x"),
        SecretMissing("x"),
        command_failed(ExitCode.TIMED_OUT),
        command_failed(ExitCode.LEASE),
        Cancelled("x"),
        Interrupted(signal.SIGTERM),
        KeyboardInterrupt(),
        SystemExit(3),
        ExceptionGroup("one is enough", [Unreachable("x"), TimedOut("x")]),
    ],
    ids=repr,
)
def test_what_never_will(error: BaseException) -> None:
    assert is_permanent(error)
    assert not is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        NotFound("x"),
        InfrastructureError("the disk is full"),
        command_failed(ExitCode.TEST_FAILED),
        process_failed(1),
        process_failed(2),
        of_http(404),
        urllib.error.URLError("unknown url type"),
    ],
    ids=repr,
)
def test_what_only_who_called_can_know(error: BaseException) -> None:
    assert not is_transient(error)
    assert not is_permanent(error)
