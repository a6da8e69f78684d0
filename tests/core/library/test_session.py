"""How a session ends: after a signal in time whatever its threads do, with a summary whatever the disk does, after any error."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NoReturn

import pytest

from projects.core.library import env, session
from projects.core.library.session import run_session
from projects.core.record.steps import read_steps
from projects.core.values.checkout import ROOT
from projects.core.values.outcomes import ExitCode

INTERRUPTED = """
import os, signal, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from projects.core.library import env, run, session
from projects.core.library.options import RunOptions
from projects.core.report import page  # a busy machine takes longer to import it than a small grace leaves for the end

def interrupted(*_):
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()

def in_a_pool():
    with env.NextArtifactDir("pool"), ThreadPoolExecutor(1) as pool:
        interrupted()
        list(pool.map(run.run, ["sleep 600"]))

def deaf():
    with run.Parallel("deaf") as parallel:
        parallel.delayed(interrupted)
        parallel.delayed(time.sleep, 600)

def clean_up_fails():
    with env.NextArtifactDir("x"):
        interrupted()
        try:
            time.sleep(600)
        finally:
            run.run("sleep 600")

sys.exit(session.run_session(globals()[sys.argv[1]], project="probe", options=RunOptions(grace=6)))
"""


@pytest.mark.parametrize("work", ["in_a_pool", "deaf", "clean_up_fails"])
def test_a_signal_ends_it_in_time_with_its_exit_code_and_all_that_is_written_last(tmp_path: Path, work: str) -> None:
    script = tmp_path / "work.py"
    script.write_text(textwrap.dedent(INTERRUPTED))
    root = tmp_path / "run"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FORESAIL_")}
    ended = subprocess.run(
        [sys.executable, str(script), work],
        env={**environment, "ARTIFACT_DIR": str(root), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == ExitCode.TERMINATED, ended.stderr
    assert {"FAILURES", "FINISHED", "junit_foresail.xml", "report.html"} <= {path.name for path in root.iterdir()}
    assert "exit code 143" in ended.stdout


@pytest.fixture
def root(nowhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "run"))
    return tmp_path / "run"


def test_an_error_that_is_no_exception_ends_it_like_any_other(root: Path) -> None:
    def work() -> None:
        with env.NextArtifactDir("x"):
            raise asyncio.CancelledError("not ours")

    assert run_session(work, project="probe", report=False) == ExitCode.TEST_FAILED
    assert (root / "FINISHED").exists()
    assert [step.status for step in read_steps(root)] == ["failed"]


def test_a_full_disk_at_the_end_hides_neither_the_cause_nor_that_it_failed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    def work() -> None:
        with env.NextArtifactDir("x"):
            raise ValueError("the real cause")

    monkeypatch.setattr(session, "write_results", full)
    assert run_session(work, project="probe", report=False) == ExitCode.TEST_FAILED
    assert "first cause: ValueError" in capsys.readouterr().out
    assert not (root / "FINISHED").exists()
