import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.core.record import failures
from projects.core.record.failures import write_failure, write_failures_index
from projects.core.record.steps import Cause, Step, read_steps
from projects.core.values.outcomes import ExitCode, Status
from projects.core.values.redaction import REDACTOR
from tests.core.record.golden import assert_golden
from tests.core.record.runs import Run, cancelled_run, failed_run, passed_run

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("make", [failed_run, cancelled_run])
def test_index(tmp_path: Path, make: Callable[[Path], Run]) -> None:
    run = make(tmp_path)
    path = write_failures_index(tmp_path, read_steps(run.root))
    assert path
    assert_golden(GOLDEN / f"FAILURES_{make.__name__}", path.read_text())


def test_index_in_order_of_first_cause(tmp_path: Path) -> None:
    failed_run(tmp_path)
    write_failures_index(tmp_path, read_steps(tmp_path))
    text = (tmp_path / "FAILURES").read_text()
    assert -1 < text.find("reason-4711") < text.find("a later failure")
    assert "001__outer/000__accrecord__bad" in text


def test_first_failure_comes_before_any_cancelled_sibling(tmp_path: Path) -> None:
    cancelled_run(tmp_path)
    write_failures_index(tmp_path, read_steps(tmp_path))
    text = (tmp_path / "FAILURES").read_text()
    assert -1 < text.find("the branch that failed first") < text.find("sibling1") < text.find("sibling2")


def test_stale_index_goes_after_a_pass(tmp_path: Path) -> None:
    (tmp_path / "FAILURES").write_text("old")
    passed_run(tmp_path)
    assert write_failures_index(tmp_path, read_steps(tmp_path)) is None
    assert not (tmp_path / "FAILURES").exists()


def test_failing_without_a_failed_step_leaves_an_index(tmp_path: Path) -> None:
    assert write_failures_index(tmp_path, [], exit_code=ExitCode.USAGE)
    assert "exit code 2" in (tmp_path / "FAILURES").read_text()


def test_failure_files(tmp_path: Path) -> None:
    failed_run(tmp_path)
    origin = (tmp_path / "001__outer/000__accrecord__bad/FAILURE").read_text()
    assert "broken because of reason-4711" in origin
    assert "a line before the end" in origin
    around = (tmp_path / "001__outer/FAILURE").read_text()
    assert "see: 000__accrecord__bad/FAILURE" in around
    assert "a line before the end" not in around
    assert not (tmp_path / "000__fine/FAILURE").exists()
    assert_golden(GOLDEN / "FAILURE_of_the_origin", origin)
    assert_golden(GOLDEN / "FAILURE_around_it", around)


def test_one_block_per_distinct_cause(tmp_path: Path) -> None:
    cancelled_run(tmp_path)
    text = (tmp_path / "000__together/FAILURE").read_text()
    assert text.count("the branch that failed first") == 1


def test_branches_that_fail_at_once_keep_their_blocks(tmp_path: Path) -> None:
    run = Run(tmp_path)
    parallel = run.start("parallel", "both", "000__both", 0)
    branches = [run.start("branch", f"b{number}", parallel.directory, 0, parallel) for number in range(16)]
    barrier = threading.Barrier(len(branches))

    def fail(step: Step) -> None:
        barrier.wait()
        write_failure(tmp_path, step, Cause("ValueError", f"of {step.name}", step.id), "said\nsomething")

    threads = [threading.Thread(target=fail, args=(step,)) for step in branches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    blocks = (tmp_path / "000__both/FAILURE").read_text().split("\n\n")
    assert sorted(block.splitlines()[0] for block in blocks) == sorted(
        f"ValueError: of {step.name}" for step in branches
    )


def test_given_output_and_hint(tmp_path: Path) -> None:
    step = Run(tmp_path).start("directory", "d", "000__d", 0)
    cause = Cause("Unreachable", "no route", step.id, exit_code=3, hint="is KUBECONFIG right?")
    write_failure(tmp_path, step, cause, "\n".join(f"line {number}" for number in range(500)))
    text = (tmp_path / "000__d/FAILURE").read_text()
    assert "hint: is KUBECONFIG right?" in text
    assert "line 499" in text
    assert "line 1\n" not in text


def test_redacted(tmp_path: Path) -> None:
    REDACTOR.register("s3cret-failure-value")
    run = Run(tmp_path)
    step = run.start("directory", "d", "000__d", 0)
    cause = Cause("E", "told s3cret-failure-value", step.id, hint="s3cret-failure-value")
    write_failure(tmp_path, step, cause, "tail s3cret-failure-value")
    step.end, step.status, step.cause = step.start, Status.FAILED, cause
    write_failures_index(tmp_path, [step])
    for path in (tmp_path / "000__d/FAILURE", tmp_path / "FAILURES"):
        assert "s3cret-failure-value" not in path.read_text()


def test_huge_log_is_read_from_its_end(tmp_path: Path) -> None:
    step = Run(tmp_path).start("command", "a b", "000__a__b", 0)
    (tmp_path / "000__a__b/_ansible.log").write_bytes(b"x" * 3_000_000 + b"\nthe last line \xff\n")
    write_failure(tmp_path, step, Cause("E", "m", step.id))
    text = (tmp_path / "000__a__b/FAILURE").read_text()
    assert "the last line" in text
    assert len(text) < 1000
    assert failures.origin_lines(tmp_path, step).startswith("the last line")
