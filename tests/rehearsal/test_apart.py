"""Work in a process of its own: its status, its output, signals. Asked of a process that has forked nothing else."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from projects.core.values.checkout import ROOT

HEAD = """
import os, signal, sys, threading
from pathlib import Path
from projects.rehearsal.apart import apart

directory = Path(sys.argv[1])
"""


def start(program: str, directory: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", HEAD + program, str(directory)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def ended(program: str, directory: Path) -> tuple[int, str]:
    with start(program, directory) as process:
        out, _ = process.communicate(timeout=100)
        return process.returncode, out


def test_it_has_its_directory_and_its_log(tmp_path: Path) -> None:
    program = """
def work():
    print("in", os.environ["ARTIFACT_DIR"])
    return 7

before = dict(os.environ)
print(apart(work, directory, directory / "run.log"), before == dict(os.environ))
"""
    assert ended(program, tmp_path) == (0, "7 True\n")
    assert (tmp_path / "run.log").read_text() == f"in {tmp_path}\n"


def test_what_it_raises_is_shown_and_does_not_run_on_here(tmp_path: Path) -> None:
    code, out = ended("print(apart(lambda: 1 // 0, directory, None))", tmp_path)
    assert code == 0
    assert "ZeroDivisionError" in out
    assert out.endswith("\n1\n")


def test_a_killed_one_ends_as_a_shell_says_it(tmp_path: Path) -> None:
    assert ended("print(apart(lambda: os.kill(os.getpid(), 9), directory, None))", tmp_path) == (0, "137\n")


def test_a_signal_is_handed_on(tmp_path: Path) -> None:
    program = """
def work():
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    print("ready", flush=True)
    told.wait(100)
    return 9 if told.is_set() else 1

sys.exit(apart(work, directory, None))
"""
    with start(program, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(100) == 9
