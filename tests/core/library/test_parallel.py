from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.core.execution.cancellation import CancelToken, current_token, scope
from projects.core.library import env, run
from projects.core.library.parallel import Parallel, ParallelFailed
from projects.core.record.steps import Step, read_steps
from projects.core.values.checkout import ROOT
from projects.core.values.errors import Cancelled, TimedOut, exit_code_of
from projects.core.values.outcomes import ExitCode
from tests.core.execution.waiting import running, wait_for, wait_for_file


def fail(message: str = "on purpose") -> None:
    raise ValueError(message)


def together(*functions: Callable[[], object], name: str = "together", **options: bool) -> None:
    with Parallel(name, **options) as parallel:
        for function in functions:
            parallel.delayed(function)


def caught(*functions: Callable[[], object]) -> BaseExceptionGroup[BaseException]:
    with pytest.raises(ParallelFailed) as found:
        together(*functions)
    return found.value


def steps(root: Path) -> dict[str, Step]:
    return {step.name: step for step in read_steps(root)}


def test_there_is_a_worker_a_task(run_root: Path) -> None:
    barrier = threading.Barrier(40)
    together(*[lambda: barrier.wait(60)] * 40)


def test_a_limit_is_kept(run_root: Path) -> None:
    lock, now, most = threading.Lock(), [0], [0]
    together = threading.Barrier(3)

    def work() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        together.wait(60)
        threading.Event().wait(0.01)
        with lock:
            now[0] -= 1

    with Parallel("limited", limit=3) as parallel:
        for _ in range(21):
            parallel.delayed(work)
    assert most[0] == 3


def test_arguments_are_handed_on(run_root: Path) -> None:
    seen: list[object] = []
    with Parallel("arguments") as parallel:
        parallel.delayed(lambda *args, **kwargs: seen.append((args, kwargs)), 1, [2], function="f", name="n")
    assert seen == [((1, [2]), {"function": "f", "name": "n"})]


def test_nothing_starts_before_the_block_ends(run_root: Path) -> None:
    started: list[int] = []
    with Parallel("later") as parallel:
        parallel.delayed(started.append, 1)
        assert started == []
    assert started == [1]


def test_a_block_that_fails_starts_nothing(run_root: Path) -> None:
    started: list[int] = []

    def work() -> None:
        with Parallel("never") as parallel:
            parallel.delayed(started.append, 1)
            fail()

    with pytest.raises(ValueError, match="on purpose"):
        work()
    assert started == []
    assert read_steps(run_root) == []


def test_an_empty_one_passes(run_root: Path) -> None:
    together()
    assert steps(run_root)["together"].status == "passed"


def test_branches_write_into_the_directory_of_the_parallel_or_of_the_caller(run_root: Path) -> None:
    seen: list[Path] = []
    together(lambda: seen.append(env.ARTIFACT_DIR), name="own")
    together(lambda: seen.append(env.ARTIFACT_DIR), name="shared", dedicated_dir=False)
    assert seen == [run_root / "000__own", run_root]


def test_branches_are_steps_below_the_parallel(run_root: Path) -> None:
    def leaf() -> None:
        with env.NextArtifactDir("leaf"):
            pass

    def branch() -> None:
        together(leaf, leaf, name="inner")

    together(branch, branch, name="outer")
    found = read_steps(run_root)
    kinds = [step.kind for step in found]
    assert (kinds.count("parallel"), kinds.count("branch"), kinds.count("directory")) == (3, 6, 4)
    by_id = {step.id: step for step in found}
    for step in found:
        if step.kind == "directory":
            line = [step.kind]
            while step.parent:
                step = by_id[step.parent]  # noqa: PLW2901 - up the tree
                line.append(step.kind)
            assert line == ["directory", "branch", "parallel", "branch", "parallel"]
    leaves = [step.directory for step in found if step.kind == "directory"]
    assert len(set(leaves)) == 4


def test_a_directory_that_one_branch_enters_is_not_the_others(run_root: Path) -> None:
    inside, seen = threading.Event(), list[Path]()

    def enters() -> None:
        with env.NextArtifactDir("entered"):
            inside.set()
            looked.wait(30)

    looked = threading.Event()

    def looks() -> None:
        inside.wait(30)
        seen.append(env.ARTIFACT_DIR)
        looked.set()

    together(enters, looks)
    assert seen == [run_root / "000__together"]


def test_every_error_is_raised_together(run_root: Path) -> None:
    barrier = threading.Barrier(3)

    def fails(message: str) -> None:
        barrier.wait(30)
        raise ValueError(message)

    group = caught(lambda: fails("a"), lambda: fails("b"), lambda: fails("c"))
    assert sorted(str(error) for error in group.exceptions) == ["a", "b", "c"]
    assert group.message == "3 of 3 branches of 'together' failed"


def test_a_failure_that_ends_the_process_is_not_swallowed_as_an_exception(run_root: Path) -> None:
    assert not issubclass(ParallelFailed, Exception)
    assert not isinstance(caught(fail), Exception)
    with pytest.raises(ExceptionGroup):
        together(fail, exit_on_exception=False)


def test_the_group_has_the_exit_code_of_its_worst_member(run_root: Path) -> None:
    def late() -> None:
        raise TimedOut("late")

    assert exit_code_of(caught(late)) is ExitCode.TIMED_OUT


def test_the_first_failure_cancels_what_the_siblings_wait_for(run_root: Path) -> None:
    marker, finished = f"probe-{uuid.uuid4().hex}", list[str]()

    def sleeps(name: str) -> None:
        try:
            with env.NextArtifactDir(name) as directory:
                run.run(f"echo up > {directory}/up; sleep 300 | cat; : {marker}")
        finally:
            finished.append(name)

    def fails() -> None:
        for number, name in enumerate(("one", "two", "three")):
            del number
            wait_for(lambda name=name: list(run_root.glob(f"*/*__{name}/up")), name)  # type: ignore[misc]
        with env.NextArtifactDir("failing"):
            fail()

    group = caught(lambda: sleeps("one"), lambda: sleeps("two"), lambda: sleeps("three"), fails)
    assert [str(error) for error in group.exceptions] == ["on purpose"]
    assert sorted(finished) == ["one", "three", "two"]
    assert running(marker) == []
    found = steps(run_root)
    assert [found[name].status for name in ("one", "two", "three", "failing", "together")] == [
        *["cancelled"] * 3,
        *["failed"] * 2,
    ]
    assert found["together"].cause == found["failing"].cause
    assert (run_root / found["failing"].directory / "FAILURE").exists()
    assert not (run_root / found["one"].directory / "FAILURE").exists()


def test_branches_that_had_not_started_are_cancelled(run_root: Path) -> None:
    ran: list[int] = []
    parallel = Parallel("limited", limit=1)
    with pytest.raises(ParallelFailed), parallel:  # noqa: PT012 - what it is given starts at the end of its block
        for function in (fail, lambda: ran.append(1), lambda: ran.append(2)):
            parallel.delayed(function)
    assert ran == []
    assert [step.status for step in read_steps(run_root) if step.kind == "branch"] == ["failed", *["cancelled"] * 2]


def test_a_failure_reaches_into_nested_branches_and_not_out_of_them(run_root: Path) -> None:
    ready, inner_tokens = threading.Barrier(3), list[CancelToken]()

    def leaf() -> None:
        inner_tokens.append(current_token())
        ready.wait(30)
        assert current_token().wait(30)
        current_token().check()

    def fails() -> None:
        ready.wait(30)
        fail()

    outside = current_token()
    group = caught(lambda: together(leaf, leaf, name="inner"), fails)
    assert [str(error) for error in group.exceptions] == ["on purpose"]
    assert all(token.cancelled for token in inner_tokens)
    assert not outside.cancelled
    assert steps(run_root)["inner"].status == "cancelled"


def test_a_failure_in_a_nested_one_that_is_dealt_with_leaves_the_siblings_alone(run_root: Path) -> None:
    done: list[str] = []

    def deals_with_it() -> None:
        with pytest.raises(ExceptionGroup):
            together(fail, name="inner", exit_on_exception=False)
        current_token().check()
        done.append("a")

    together(deals_with_it, lambda: done.append("b"))
    assert sorted(done) == ["a", "b"]


def test_one_that_is_cancelled_from_outside_is_cancelled_and_has_not_failed(run_root: Path) -> None:
    token = CancelToken()

    def waits() -> None:
        token.cancel("a sibling of the whole failed")
        assert current_token().wait(30)
        current_token().check()

    with scope(token), pytest.raises(Cancelled, match="a sibling of the whole failed"):
        together(waits, waits)
    assert {step.status for step in read_steps(run_root)} == {"cancelled"}


def test_leaving_a_branch_with_zero_is_a_pass(run_root: Path) -> None:
    together(lambda: sys.exit(0), lambda: None)
    assert {step.status for step in read_steps(run_root)} == {"passed"}


def test_leaving_a_branch_with_a_code_is_a_failure(run_root: Path) -> None:
    (error,) = caught(lambda: sys.exit(3)).exceptions
    assert isinstance(error, SystemExit)


def test_no_thread_is_left(run_root: Path) -> None:
    waits: list[Callable[[], object]] = [lambda: current_token().wait(30)] * 10
    caught(fail, *waits)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("branch")] == []


def test_threads_that_cannot_be_started_end_those_that_were(run_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start, count, ended = threading.Thread.start, [0], list[bool]()

    def limited(thread: threading.Thread) -> None:
        if thread.name.startswith("branch"):
            count[0] += 1
            if count[0] > 3:
                raise RuntimeError("can't start new thread")
        start(thread)

    def waits() -> None:
        ended.append(current_token().wait(30))
        current_token().check()

    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        together(*[waits] * 5)
    assert all(ended)  # a branch that had not begun yet never does


def test_two_hundred_branches_share_no_directory_and_lose_no_record(run_root: Path) -> None:
    def work() -> None:
        with env.NextArtifactDir("work"):
            pass

    together(*[work] * 200)
    found = [step for step in read_steps(run_root) if step.kind == "directory"]
    assert len({step.directory for step in found}) == 200
    assert {step.status for step in read_steps(run_root)} == {"passed"}


SIGNALLED = """
import sys, threading, time
from pathlib import Path
from projects.core.library import env, run
from projects.core.library.session import run_session

OUT = Path(sys.argv[1])

def sleeps(number):
    try:
        with env.NextArtifactDir(f"sleeps{number}"):
            (OUT / f"up{number}").write_text("up\\n")
            run.run(f"sleep 300 | cat; : {sys.argv[2]}")
    finally:
        (OUT / f"finally{number}").write_text("done\\n")

def work():
    try:
        with run.Parallel("together") as parallel:
            for number in range(3):
                parallel.delayed(sleeps, number)
    finally:
        (OUT / "finally").write_text("done\\n")

sys.exit(run_session(work, project="probe", report=False))
"""


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_branches_and_everything_they_wait_for(
    tmp_path: Path, signum: signal.Signals, code: int
) -> None:
    marker = f"probe-{uuid.uuid4().hex}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ARTIFACT_DIR": str(tmp_path / "run"), "CI": "true"}
    argv = [sys.executable, "-c", SIGNALLED, str(tmp_path), marker]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        for number in range(3):
            wait_for_file(tmp_path / f"up{number}")
        process.send_signal(signum)
        _, errors = process.communicate(timeout=100)
    assert process.returncode == code, errors.decode()
    assert {path.name for path in tmp_path.glob("finally*")} == {"finally", "finally0", "finally1", "finally2"}
    assert running(marker) == []
    found = steps(tmp_path / "run")
    assert found["together"].status == "interrupted"
    assert {found[f"sleeps{number}"].status for number in range(3)} == {"cancelled"}
    assert (tmp_path / "run" / "FINISHED").exists()
    assert (tmp_path / "run" / "junit_foresail.xml").exists()
