from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.core.record import lock
from projects.core.values.checkout import ROOT
from projects.core.values.errors import UsageError

HOLDER = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
from projects.core.record import lock
lock.hold(pathlib.Path(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", HOLDER, str(ROOT), str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_run_is_alive_while_its_process_is(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    assert lock.is_alive(tmp_path)
    holder.kill()
    holder.wait()
    assert not lock.is_alive(tmp_path)


def test_who_goes_on_needs_it_alone(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(UsageError, match="still goes on"):
        lock.hold(tmp_path, alone=lambda: pytest.fail("it is not alone"))
    lock.hold(tmp_path)  # a run beside it
    lock.release(tmp_path)
    holder.kill()
    holder.wait()
    taken_over = []
    lock.hold(tmp_path, alone=lambda: taken_over.append("once"))
    assert taken_over == ["once"]
    assert lock.is_alive(tmp_path)
    lock.release(tmp_path)
    assert not lock.is_alive(tmp_path)


def test_a_directory_without_a_run_is_not_alive(tmp_path: Path) -> None:
    assert not lock.is_alive(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_takes_no_file_is_no_place_for_a_run() -> None:
    with pytest.raises(UsageError, match="nothing can be written to the artifact directory"):
        lock.hold(Path("/proc"))
