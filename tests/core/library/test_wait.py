from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.cluster.clock import OwnClock
from projects.core.console.waiting import awaited_by
from projects.core.execution.cancellation import CancelToken, current_token, scope
from projects.core.library import backoff, env, run, wait
from projects.core.library.backoff import pause, pauses
from projects.core.record import context
from projects.core.record.steps import Record, Step, read_steps
from projects.core.record.verdict import verdict
from projects.core.values.checkout import ROOT
from projects.core.values.errors import (
    Cancelled,
    Conflict,
    Forbidden,
    Interrupted,
    LeaseLost,
    ProcessFailed,
    TimedOut,
    Unreachable,
    UsageError,
)
from projects.core.values.redaction import MASK, REDACTOR
from projects.core.values.unknown import is_unknown


def answers(*values: Any) -> Callable[[], Any]:
    """A function that returns these one after the other, and the last one for ever; it raises those that are errors."""
    left = list(values)

    def look() -> Any:
        value = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(value, BaseException):
            raise value
        return value

    return look


def the_step(root: Path) -> Step:
    (step,) = read_steps(root)
    return step


def attempts_of(root: Path) -> list[tuple[str, int, str]]:
    return [(step.directory, step.attempt, step.status) for step in read_steps(root) if step.kind == "attempt"]


# --- wait_for -----------------------------------------------------------------------------------------------------


def test_the_true_value_is_returned_and_the_wait_is_a_step(run_root: Path) -> None:
    found = wait.wait_for(answers(None, [], "it"), timeout=20, describe="the thing", interval=0.001)
    assert found == "it"
    step = the_step(run_root)
    assert (step.kind, step.name, step.status) == ("wait", "the thing", "passed")
    assert (step.arguments, step.details) == ({"timeout": 20}, {"polls": 3, "errors": 0})


def test_time_out_and_description_may_stand_as_in_a_call(run_root: Path) -> None:
    assert wait.wait_for(lambda: 1, 20) == 1
    assert wait.wait_for(lambda: 1, 20, "one") == 1
    assert [step.name for step in read_steps(run_root)] == ["a condition", "one"]


def test_what_is_waited_for_is_told_while_it_lasts(run_root: Path) -> None:
    def look() -> str | None:
        return awaited_by(the_step(run_root).id)

    assert wait.wait_for(look, 20, "a pod") == "a pod"
    assert awaited_by(the_step(run_root).id) is None


class Pending:
    """What a function may return that knows more than that it is not so far yet."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "Pending for\n s3cret-of-a-wait"


def test_a_time_out_says_what_was_seen_last(run_root: Path) -> None:
    REDACTOR.register("s3cret-of-a-wait")
    with pytest.raises(TimedOut) as caught:
        wait.wait_for(Pending, 0, "a pod")
    expected = f"timed out after 0 s waiting for a pod: the last value was Pending for {MASK} (looked 1 time)"
    assert str(caught.value) == expected
    step = the_step(run_root)
    assert (step.status, step.details) == ("timed_out", {"polls": 1, "errors": 0})


class PlayedClock(OwnClock):
    """A clock whose time passes when somebody waits by it, and only then."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, pause: Callable[[float], object]) -> None:
        self.time += seconds


def test_a_time_out_is_the_whole_of_it(run_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = PlayedClock()
    for module in (wait, backoff):
        monkeypatch.setattr(module, "current_clock", lambda: clock)
    with pytest.raises(TimedOut, match=r"after 0\.3 s waiting for look: the last value was None \(looked \d+ times\)"):
        wait.wait_for(answers(None), 0.3, interval=0.01, longest=10)
    assert clock.time == pytest.approx(1000.3)
    assert the_step(run_root).details["polls"] > 3


def test_it_is_looked_at_once_more_at_the_end(run_root: Path) -> None:
    began = time.monotonic()
    assert wait.wait_for(lambda: time.monotonic() - began > 0.09, 0.1, interval=5)


def test_a_transient_error_is_noted_and_a_permanent_one_raised(run_root: Path) -> None:
    shaky = answers(Unreachable("gone for a moment"), ConnectionResetError(), False, "it")
    assert wait.wait_for(shaky, 20, interval=0.001) == "it"
    assert the_step(run_root).details == {"polls": 4, "errors": 2}
    with pytest.raises(Forbidden):
        wait.wait_for(answers(Forbidden("not yours")), 20)
    with pytest.raises(ZeroDivisionError):
        wait.wait_for(lambda: 1 / 0, 20)
    with pytest.raises(TimedOut, match=r"the last error was Unreachable: gone \(looked 1 time, 1 of them in vain\)"):
        wait.wait_for(answers(Unreachable("gone")), 0)


@pytest.mark.parametrize("options", [{"timeout": -1}, {"timeout": float("nan")}, {"interval": 0}, {"longest": 0.1}])
def test_numbers_that_make_no_sense(run_root: Path, options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="expected"):
        wait.wait_for(lambda: True, **{"timeout": 1, **options})  # type: ignore[arg-type]
    assert read_steps(run_root) == []


def test_a_wait_ends_at_once_when_it_is_cancelled(run_root: Path) -> None:
    token = CancelToken()
    looked = threading.Event()

    def cancel_when_looked() -> None:
        looked.wait(60)
        token.cancel("a sibling failed")

    cancel = threading.Thread(target=cancel_when_looked)
    cancel.start()
    with scope(token), pytest.raises(Cancelled, match="a sibling failed"):
        wait.wait_for(looked.set, 300, interval=200, longest=300)  # for longer than this test may take
    cancel.join()
    assert the_step(run_root).status == "cancelled"


def test_a_failing_branch_ends_the_wait_of_the_other(run_root: Path) -> None:
    looked = threading.Event()

    def fail() -> None:
        looked.wait(60)
        raise ValueError("on purpose")

    with pytest.raises(ExceptionGroup):  # noqa: PT012, SIM117 - the end of the inner block raises
        with run.Parallel("both", exit_on_exception=False) as parallel:
            parallel.delayed(lambda: wait.wait_for(looked.set, 300, "nothing", interval=200, longest=300))
            parallel.delayed(fail)
    found = {step.name: step.status for step in read_steps(run_root)}
    assert found["nothing"] == "cancelled"


def test_no_call_blocks_for_longer_than_a_signal_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    class Token(CancelToken):
        def wait(self, timeout: float | None = None) -> bool:
            asked.append(timeout or 0)
            return super().wait(0.001)

    with scope(Token()):
        began = time.monotonic()
        while time.monotonic() - began < 0.05:
            pause(0.01)
        threading.Timer(0.05, current_token().cancel, ["enough"]).start()
        with pytest.raises(Cancelled):
            pause(60)
    assert max(asked) <= 0.5


def test_in_a_plan_nothing_is_asked(run_root: Path, tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    record = Record(tmp_path / "plan", planning=True)
    token = context.enter(context.Place(record, record.root))
    try:
        found = wait.wait_for(answers(AssertionError("asked")), 20, "the pod")
    finally:
        context.leave(token)
    assert is_unknown(found)
    assert [(step.kind, step.name, step.arguments) for step in read_steps(record.root)] == [
        ("wait", "the pod", {"timeout": 20})
    ]


def test_in_a_plan_there_is_one_attempt(run_root: Path, tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    record = Record(tmp_path / "plan", planning=True)
    token = context.enter(context.Place(record, record.root))
    try:
        with pytest.raises(Unreachable):
            retrying(Unreachable("x"), "done", interval=100, longest=100)
    finally:
        context.leave(token)
    assert len(read_steps(record.root)) == 1


@given(st.floats(0.001, 10), st.floats(1, 100))
def test_pauses_grow_within_their_bounds(shortest: float, factor: float) -> None:
    longest = shortest * factor
    found = [next(each) for each in [pauses(shortest, longest)] for _ in range(40)]
    assert all(shortest * 0.75 <= seconds <= longest * 1.25 for seconds in found)
    assert found[0] <= shortest * 1.25
    assert found[-1] >= longest * 0.75


# --- retry --------------------------------------------------------------------------------------------------------


def retrying(*values: Any, **options: Any) -> Any:
    look = answers(*values)

    @wait.retry(**{"interval": 0.001, "longest": 0.002, **options})
    def deploy() -> Any:
        run_of_the_function.append(env.ARTIFACT_DIR)
        return look()

    run_of_the_function: list[Path] = []
    return deploy()


def test_a_transient_error_is_tried_again_and_each_attempt_is_a_step(run_root: Path) -> None:
    assert retrying(Unreachable("one"), ConnectionResetError("two"), "done") == "done"
    assert attempts_of(run_root) == [
        ("000__deploy", 1, "failed"),
        ("001__deploy__attempt_2", 2, "failed"),
        ("002__deploy__attempt_3", 3, "passed"),
    ]
    steps = read_steps(run_root)
    assert {(step.name, step.occurrence) for step in steps} == {("deploy", 0)}
    assert verdict(steps).passed
    assert (run_root / "000__deploy/FAILURE").exists()
    assert not (run_root / "FAILURE").exists()


def test_the_last_error_is_raised_and_counts_once(run_root: Path) -> None:
    with pytest.raises(Unreachable, match="the third"):
        retrying(Unreachable("one"), Unreachable("two"), Unreachable("the third"))
    found = verdict(read_steps(run_root))
    assert found.exit_code == 3
    assert found.first is not None
    assert found.first.cause.message == "the third"


@pytest.mark.parametrize(
    "error",
    [TimedOut("late"), LeaseLost("not ours"), UsageError("wrong"), Cancelled("enough"), Interrupted(15), SystemExit(3)],
    ids=repr,
)
@pytest.mark.parametrize("on", [None, (Exception,), lambda _error: True])
def test_never_after_a_time_out_a_lost_lease_a_stop(run_root: Path, error: BaseException, on: Any) -> None:
    with pytest.raises(type(error)):
        retrying(error, "not reached", on=on)
    assert len(attempts_of(run_root)) == 1


def test_an_error_of_the_test_is_not_tried_again_unless_it_is_named(run_root: Path) -> None:
    failed = ProcessFailed("false", 1, stdout=None, stderr=None, tail="")
    with pytest.raises(ProcessFailed):
        retrying(failed, "done")
    assert retrying(failed, "done", on=ProcessFailed) == "done"
    assert retrying(failed, "done", on=(ValueError, ProcessFailed)) == "done"
    assert retrying(failed, "done", on=lambda error: "exited with 1" in str(error)) == "done"
    with pytest.raises(Unreachable):
        retrying(Unreachable("x"), "done", on=ProcessFailed)
    assert {step.occurrence for step in read_steps(run_root)} == {0, 1, 2, 3, 4}


def test_the_number_of_attempts_and_the_deadline_are_kept(run_root: Path) -> None:
    with pytest.raises(Conflict):
        retrying(Conflict("x"), attempts=5)
    assert len(attempts_of(run_root)) == 5
    with pytest.raises(Conflict):
        retrying(Conflict("x"), attempts=1000, deadline=0.5, interval=0.1, longest=1000)
    with pytest.raises(Conflict):
        retrying(Conflict("x"), deadline=1, interval=100, longest=100)
    assert len([step for step in read_steps(run_root) if step.occurrence == 2]) == 1


def test_a_cancelled_run_has_no_other_attempt(run_root: Path) -> None:
    token = CancelToken()

    def fails() -> None:
        threading.Timer(0.05, token.cancel, ["enough"]).start()
        raise Unreachable("x")

    with scope(token), pytest.raises(Cancelled, match="enough"):
        wait.retry(interval=1000, longest=1000)(fails)()
    assert len(attempts_of(run_root)) == 1


def test_steps_within_attempts_are_replaced_with_them(run_root: Path) -> None:
    tries: list[int] = []

    @wait.retry(interval=0.001)
    def deploy(name: str, *, at: int) -> tuple[str, int]:
        """Deploy it."""
        tries.append(at)
        with env.NextArtifactDir("inner"):
            if len(tries) == 1:
                raise Unreachable("x")
        return name, at

    assert deploy("a", at=3) == ("a", 3)
    assert (deploy.__name__, deploy.__doc__) == ("deploy", "Deploy it.")
    steps = read_steps(run_root)
    assert [(step.directory, step.status) for step in steps] == [
        ("000__deploy", "failed"),
        ("000__deploy/000__inner", "failed"),
        ("001__deploy__attempt_2", "passed"),
        ("001__deploy__attempt_2/000__inner", "passed"),
    ]
    assert verdict(steps).passed


def test_it_is_said_that_there_is_another_attempt(run_root: Path, caplog: pytest.LogCaptureFixture) -> None:
    retrying(Unreachable("gone\nfor good"), 1, attempts=4)
    (said,) = caplog.messages
    assert said.startswith("deploy: attempt 1 of 4 failed, the next one is in 0.0 s: Unreachable: gone for good")


def test_an_attempt_of_a_resumed_run_goes_on_counting(run_root: Path) -> None:
    with pytest.raises(Unreachable):
        retrying(Unreachable("x"), attempts=2)
    from projects.core.record.attempts import Attempts  # noqa: PLC0415 - of this test alone

    record = Record(run_root)
    context.initialise(context.Place(record, run_root, earlier=Attempts(read_steps(run_root), run_root)))
    assert retrying(Unreachable("x"), "done") == "done"
    assert [attempt for _, attempt, _ in attempts_of(run_root)] == [1, 2, 3, 4]
    assert verdict(read_steps(run_root)).passed


def test_mistakes_are_told_where_the_function_is_declared() -> None:
    with pytest.raises(UsageError, match="at least one attempt"):
        wait.retry(attempts=0)
    with pytest.raises(UsageError, match="expected 0 < interval <= longest"):
        wait.retry(interval=5, longest=1)


def test_importing_it_is_cheap() -> None:
    script = "import sys; from projects.core.library import wait; print('tenacity' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
