from __future__ import annotations

import errno
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from projects.core.library import env
from projects.core.library.scope import StepScope, blame
from projects.core.record import context
from projects.core.record.steps import Cause, Step, read_steps
from projects.core.values.errors import Cancelled, Interrupted, TimedOut, Unreachable, UsageError
from projects.core.values.redaction import MASK, Redactor


def throw(error: BaseException) -> NoReturn:
    raise error


def fail(error: BaseException, *names: str, **options: Any) -> dict[str, Step]:
    """Raise an error in nested steps; return the steps by name."""
    root = context.here().record.root

    def nest(rest: tuple[str, ...]) -> None:
        if not rest:
            raise error
        with StepScope("directory", rest[0], directory=env.claim_directory(rest[0]), **options):
            nest(rest[1:])

    with pytest.raises(type(error)):
        nest(names)
    return {step.name: step for step in read_steps(root)}


def test_a_step_that_passes(run_root: Path) -> None:
    with StepScope("command", "a b", arguments={"x": 1}) as scope:
        (running,) = read_steps(run_root)
        assert (running.status, running.end) == ("running", None)
    (step,) = read_steps(run_root)
    assert (step.id, step.kind, step.name, step.arguments) == (scope.step.id, "command", "a b", {"x": 1})
    assert (step.status, step.cause, step.directory) == ("passed", None, ".")
    assert not (run_root / "FAILURE").exists()


def test_the_cause_of_every_step_around_is_where_it_began(run_root: Path) -> None:
    steps = fail(ValueError("on purpose"), "outer", "middle", "inner")
    assert {step.status for step in steps.values()} == {"failed"}
    for step in steps.values():
        assert step.cause == Cause("ValueError", "on purpose", steps["inner"].id, 1)
        assert "ValueError: on purpose" in (run_root / step.directory / "FAILURE").read_text()


def test_the_cause_carries_its_hint_and_its_place(run_root: Path) -> None:
    steps = fail(UsageError("wrong", hint="write it right", place="/some/file:3"), "step")
    cause = steps["step"].cause
    assert cause is not None
    assert (cause.hint, cause.exit_code) == ("write it right", 2)
    assert "write it right" in (run_root / "000__step" / "FAILURE").read_text()


def test_what_an_error_was_raised_from_is_its_cause(run_root: Path) -> None:
    def work() -> None:
        with StepScope("directory", "outer"):
            try:
                with StepScope("directory", "inner"):
                    throw(ValueError("the first"))
            except ValueError as error:
                raise RuntimeError("the second") from error

    with pytest.raises(RuntimeError, match="the second"):
        work()
    outer, inner = read_steps(run_root)
    assert outer.cause == inner.cause
    assert outer.cause is not None
    assert outer.cause.message == "the first"


def test_an_error_after_one_that_was_caught_is_a_cause_of_its_own(run_root: Path) -> None:
    def work() -> None:
        with StepScope("directory", "outer"):
            try:
                with StepScope("directory", "inner"):
                    throw(ValueError("was dealt with"))
            except ValueError:
                raise RuntimeError("something else") from None

    with pytest.raises(RuntimeError, match="something else"):
        work()
    outer, inner = read_steps(run_root)
    assert outer.cause == Cause("RuntimeError", "something else", outer.id, 1)
    assert inner.cause is not None
    assert inner.cause.message == "was dealt with"


def test_the_cause_of_a_group_is_its_first_member_that_was_not_cancelled(run_root: Path) -> None:
    first = ValueError("the first")
    group = BaseExceptionGroup("all", [Cancelled("sibling"), ExceptionGroup("inner", [first, ValueError("later")])])
    inner = fail(first, "inner")["inner"]
    outer = fail(group, "outer")["outer"]
    assert outer.cause == Cause("ValueError", "the first", inner.id, 1)
    assert outer.status == "failed"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ValueError("x"), "failed", 1),
        (Unreachable("x"), "failed", 3),
        (TimedOut("x"), "timed_out", 4),
        (Interrupted(signal.SIGTERM), "interrupted", 143),
        (Interrupted(signal.SIGINT), "interrupted", 130),
        (KeyboardInterrupt(), "interrupted", 130),
        (Cancelled("a sibling failed"), "cancelled", 1),
        (SystemExit(3), "failed", 1),
        (SystemExit("a reason"), "failed", 1),
        (BaseExceptionGroup("x", [Cancelled("y"), Cancelled("z")]), "cancelled", 1),
        (BaseExceptionGroup("x", [Cancelled("y"), TimedOut("z")]), "timed_out", 4),
    ],
)
def test_how_a_step_ends_by_what_is_raised(run_root: Path, error: BaseException, status: str, code: int) -> None:
    step = fail(error, "step")["step"]
    assert step.status == status
    assert step.cause is not None
    assert step.cause.exit_code == code
    assert (run_root / "000__step" / "FAILURE").exists() == (status != "cancelled")


@pytest.mark.parametrize("code", [0, None])
def test_leaving_with_zero_is_a_pass(run_root: Path, code: int | None) -> None:
    assert fail(SystemExit(code), "step")["step"].status == "passed"


def test_an_error_without_a_message_is_named_by_its_type(run_root: Path) -> None:
    cause = fail(KeyError(), "step")["step"].cause
    assert cause is not None
    assert cause.message == "KeyError"


def test_a_tolerated_failure_is_recorded_as_such_and_leaves_no_mark(run_root: Path) -> None:
    step = fail(ValueError("expected"), "step", tolerated=True)["step"]
    assert (step.status, step.tolerated) == ("failed", True)
    assert not (run_root / "000__step" / "FAILURE").exists()


def test_an_interruption_is_never_tolerated(run_root: Path) -> None:
    step = fail(Interrupted(signal.SIGTERM), "step", tolerated=True)["step"]
    assert (step.status, step.tolerated) == ("interrupted", False)


def test_the_end_of_a_step_is_the_last_thing_written_for_it(run_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, seen = context.here().record, list[bool]()
    end = record.end

    def look(step: Step, *args: Any) -> None:
        seen.append((run_root / step.directory / "FAILURE").exists())
        end(step, *args)

    monkeypatch.setattr(record, "end", look)
    fail(ValueError("x"), "outer", "inner")
    assert seen == [True, True]
    last = json.loads((run_root / "_steps.jsonl").read_text().splitlines()[-1])
    assert last["status"] == "failed"


def test_a_directory_that_the_work_has_removed_does_not_hide_the_failure(run_root: Path) -> None:
    def work() -> None:
        with StepScope("directory", "gone", directory=env.claim_directory("gone")):
            (run_root / "000__gone").rmdir()
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        work()
    assert [step.status for step in read_steps(run_root)] == ["failed"]


def test_a_failure_that_another_process_has_recorded_is_blamed(run_root: Path) -> None:
    error = RuntimeError("the child exited with 1")
    blame(error, Cause("ValueError", "in the child", "0123", 4))
    step = fail(error, "step")["step"]
    assert step.cause == Cause("ValueError", "in the child", "0123", 4)


def test_nothing_that_is_recorded_holds_a_secret(run_root: Path, redactor: Redactor) -> None:
    redactor.register("hunter2")
    with pytest.raises(ValueError, match="hunter2"), StepScope("command", "hunter2", arguments={"a": ["hunter2"]}):
        raise ValueError("with hunter2")
    assert "hunter2" not in (run_root / "_steps.jsonl").read_text() + (run_root / "FAILURE").read_text()
    assert MASK in (run_root / "FAILURE").read_text()


def test_an_error_of_another_library_with_an_exit_code_of_its_own_is_recorded(run_root: Path) -> None:
    error = RuntimeError("x")
    error.exit_code = 77  # type: ignore[attr-defined]
    assert fail(error, "step")["step"].status == "failed"


def test_an_error_that_takes_no_attributes_has_its_cause_recorded(run_root: Path) -> None:
    @dataclass(frozen=True)
    class FrozenError(Exception):
        number: int

    steps = fail(FrozenError(3), "outer", "inner")
    assert {(step.status, step.cause and step.cause.step) for step in steps.values()} == {("failed", steps["inner"].id)}


def test_a_full_disk_does_not_take_the_place_of_the_cause(
    run_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("projects.core.library.scope.write_failure", full)
    with pytest.raises(ValueError, match="the real cause"), StepScope("directory", "x"):
        raise ValueError("the real cause")
    assert "the real cause" in caplog.text
