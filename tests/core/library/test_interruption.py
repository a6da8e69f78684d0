"""The end of a process whose main thread does not come back, whatever its last words come to."""

from __future__ import annotations

import subprocess
import sys

import pytest

from projects.core.values.checkout import ROOT

STUCK = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from projects.core.execution.cancellation import CancelToken
from projects.core.library.interruption import Interruption

def hang(code):
    threading.Event().wait(300)

def fail(code):
    raise ValueError("on purpose")

def say(code):
    print("the end", flush=True)
    return code

def print_it(code):
    while True:
        print("x" * 4096)

with Interruption(CancelToken(), grace=2, timeout=0.5, last_words=globals()[sys.argv[2]]):
    while True:
        try:
            threading.Event().wait(300)  # not for about the time-out: it would come between two waits
        except BaseException:
            pass
"""


@pytest.mark.parametrize("words", ["say", "fail", "hang"])
def test_a_process_that_is_stuck_ends_within_the_grace(words: str) -> None:
    argv = [sys.executable, "-c", STUCK, str(ROOT), words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 4, done.stderr
    assert done.stdout == ("the end\n" if words == "say" else "")
    assert ("on purpose" in done.stderr) == (words == "fail")


def test_a_process_whose_output_nobody_reads_ends_within_the_grace() -> None:
    argv = [sys.executable, "-c", STUCK, str(ROOT), "print_it"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        try:
            assert process.wait(100) == 4
        finally:
            process.kill()
