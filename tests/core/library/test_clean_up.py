"""After a cancellation, `finally` blocks still have what they start done: the context is told once, and cleans up then."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.core.execution.cancellation import CancelToken, current_token, deadline, interrupt, scope
from projects.core.execution.processes import Ended, run_process
from projects.core.library import common, run
from projects.core.library.parallel import ParallelFailed
from projects.core.record.steps import read_steps
from projects.core.values.errors import Cancelled, Interrupted, TimedOut
from tests.core.execution.waiting import wait_for_file


def bash(script: str) -> Ended:
    return run_process(["bash", "-c", script], token=current_token(), environment=os.environ)


def fail() -> None:
    raise ValueError("on purpose")


def soon(function: Callable[[], None]) -> None:
    threading.Timer(0.2, function).start()


def test_what_a_finally_block_starts_after_a_cancellation_is_done() -> None:
    token, said = CancelToken(), list[bytes]()

    def work() -> None:
        try:
            bash("sleep 300")
        finally:
            said.append(bash("echo cleaned").stdout)

    soon(lambda: token.cancel("enough"))
    with scope(token), pytest.raises(Cancelled, match="enough"):
        work()
    assert said == [b"cleaned\n"]


def test_the_clean_up_ends_when_its_time_is_over() -> None:
    token = CancelToken()

    def work() -> None:
        try:
            token.check()
        finally:
            soon(lambda: token.clean_up.cancel("no time left"))
            bash("sleep 300")

    token.cancel("enough")
    with scope(token), pytest.raises(Cancelled, match="no time left"):
        work()


def test_an_interruption_cleans_up_all_the_way_out() -> None:
    with scope(CancelToken()) as outer:
        with pytest.raises(Interrupted), scope(CancelToken(outer)):
            interrupt(Interrupted(2))
        outer.cancel("interrupted")
        assert bash("echo cleaned").stdout == b"cleaned\n"
    current_token().check()


def test_what_follows_a_time_out_of_its_own_is_cancelled_with_the_run() -> None:
    with scope(CancelToken()) as outer:
        with pytest.raises(TimedOut), deadline(0.1, "the step"):
            bash("sleep 300")
        assert bash("echo goes on").stdout == b"goes on\n"
        soon(lambda: outer.cancel("enough"))
        with pytest.raises(Cancelled, match="enough"):
            bash("sleep 300")


def test_a_plain_thread_has_the_token_of_the_process_and_keeps_it(tmp_path: Path) -> None:
    seen: list[str] = []

    def work() -> None:
        for _ in range(2):
            try:
                bash(f"echo begun > {tmp_path}/begun; sleep 300")
            except Cancelled as error:
                seen.append(str(error))

    with scope(CancelToken(), of_the_process=True) as token:
        thread = threading.Thread(target=work)
        thread.start()
        wait_for_file(tmp_path / "begun")
        token.cancel("enough")
        thread.join()
    assert seen == ["enough"] * 2


def test_a_sibling_cleans_up(run_root: Path) -> None:
    done: list[bytes] = []
    started = threading.Barrier(3)

    def works() -> None:
        try:
            started.wait(60)
            bash("sleep 300")
        finally:
            done.append(bash("echo cleaned").stdout)

    def fails() -> None:
        started.wait(60)
        fail()

    def nested() -> None:
        try:
            with run.Parallel("inner") as inner:
                inner.delayed(works)
        finally:
            done.append(bash("echo and here").stdout)

    parallel = run.Parallel("outer")
    with pytest.raises(ParallelFailed), parallel:  # noqa: PT012 - what it is given starts at the end of its block
        for function in (works, nested, fails):
            parallel.delayed(function)
    assert sorted(done) == [b"and here\n", b"cleaned\n", b"cleaned\n"]
    assert {step.name: step.status for step in read_steps(run_root)}["works"] == "cancelled"


def test_the_environment_is_captured_after_a_parallel_that_failed(
    run_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured: list[object] = []
    monkeypatch.setattr(run, "run_toolbox", lambda *names, **_: captured.append(names))
    with pytest.raises(ParallelFailed), common.captured(), run.Parallel("prepare") as parallel:
        parallel.delayed(fail)
    assert captured == [("cluster", "capture_environment")]
