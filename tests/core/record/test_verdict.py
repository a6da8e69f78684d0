from pathlib import Path

import pytest

from projects.core.record.steps import Cause, Step, read_steps
from projects.core.record.verdict import MEANINGS, Verdict, troubles, verdict
from projects.core.values.outcomes import ExitCode, Status
from tests.core.record.runs import Run, cancelled_run, failed_run, passed_run


def judged(run: Run) -> Verdict:
    return verdict(read_steps(run.root))


def test_passed(tmp_path: Path) -> None:
    found = judged(passed_run(tmp_path))
    assert found.passed
    assert found.counts == {Status.PASSED: 6}
    assert found.first is None
    assert not found.running


def test_first_cause_is_the_one_that_happened_first(tmp_path: Path) -> None:
    found = judged(failed_run(tmp_path))
    assert found.exit_code == ExitCode.TEST_FAILED
    assert found.counts == {Status.PASSED: 1, Status.FAILED: 4}
    assert found.first
    assert found.first.origin.name == "accrecord bad"
    assert [step.name for step in found.first.failed] == ["outer"]


def test_cancelled_steps_belong_to_what_cancelled_them(tmp_path: Path) -> None:
    found = troubles(read_steps(cancelled_run(tmp_path).root))
    assert len(found) == 1
    assert found[0].origin.name == "failing"
    assert {step.name for step in found[0].cancelled} == {"sibling1", "sibling2"}


def test_cancelled_alone_is_no_failure(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "x", ".", 0)
    run.end(run.start("directory", "d", "000__d", 0, main), 1, Status.CANCELLED)
    run.end(main, 1)
    assert judged(run).passed


def test_tolerated_failure_excuses_what_is_inside_but_not_what_is_around(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "x", ".", 0)
    may_fail = run.start("directory", "may_fail", "000__may_fail", 0, main)
    inner = run.start("command", "a b", "000__may_fail/000__a__b", 0, may_fail)
    cause = Cause("TimedOut", "late", inner.id, exit_code=4)
    run.end(inner, 1, Status.TIMED_OUT, cause)
    run.end(may_fail, 1, Status.FAILED, cause, tolerated=True)
    run.end(main, 2)
    assert judged(run).passed
    other = run.start("entrypoint", "y", ".", 3)
    run.end(other, 4, Status.FAILED, Cause("ValueError", "own", other.id))
    assert judged(run).exit_code == ExitCode.TEST_FAILED


def test_worst_exit_code_wins(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "x", ".", 0)
    for number, code in enumerate((1, 4, 3)):
        step = run.start("directory", "d", f"00{number}__d", number, main)
        run.end(step, number + 1, Status.FAILED, Cause("E", str(code), step.id, exit_code=code))
    run.end(main, 5)
    assert judged(run).exit_code == ExitCode.INFRASTRUCTURE


@pytest.mark.parametrize(
    ("status", "code"),
    [(Status.FAILED, 1), (Status.TIMED_OUT, 4), (Status.INTERRUPTED, 130), (Status.SKIPPED, 0), (Status.CANCELLED, 0)],
)
def test_status_without_a_cause(status: Status, code: int) -> None:
    step = Step(
        "a", None, "entrypoint", "x", ".", start="2026-01-01T00:00:00Z", end="2026-01-01T00:00:01Z", status=status
    )
    assert verdict([step]).exit_code == code


def test_running_does_not_count_and_is_named(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.start("entrypoint", "x", ".", 0)
    found = judged(run)
    assert found.exit_code == 0
    assert [step.name for step in found.running] == ["x"]


def test_nothing_is_not_a_pass() -> None:
    assert verdict([]).exit_code == ExitCode.TEST_FAILED


def test_since_judges_one_entrypoint_of_many(tmp_path: Path) -> None:
    run = failed_run(tmp_path)
    again = run.start("entrypoint", "post_cleanup_ci", ".", 5)
    run.end(run.start("directory", "d", "003__d", 5, again), 6)
    run.end(again, 7)
    steps = read_steps(tmp_path)
    assert verdict(steps, since={again.id}).passed
    assert not verdict(steps).passed
    assert verdict(steps, since=set()).exit_code == ExitCode.TEST_FAILED


def test_each_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)
