"""Fixtures that tests of any room may use: the real control plane, one for all workers of a test run."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
CONTROL_PLANE = ROOT.parent / "shared" / "envtest" / "control-plane"
#: The first one unpacks its binaries, beside whatever else runs.
START_SECONDS = 240
ATTEMPTS = 3
TAKEN = "address already in use"

# A shell starts what runs in the background with SIGINT ignored, and every process of a test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The suite says the same each time it is run; HYPOTHESIS_PROFILE=search looks for what it has not seen yet.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@dataclass(frozen=True, slots=True)
class RealCluster:
    """A running control plane with three nodes that KWOK plays."""

    directory: Path
    _counter: list[int] = field(default_factory=lambda: [0])

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of its administrator."""
        return self.directory / "kubeconfig"

    def namespace(self, prefix: str) -> str:
        """Return a name that no other test of this run uses; the namespace is not made."""
        self._counter[0] += 1
        return f"{prefix}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{self._counter[0]}"


@pytest.fixture(scope="session")
def real_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """The real control plane; the first worker that needs it starts it, the last one stops it.

    KUBEBUILDER_ASSETS, when set, is where its binaries are.
    """
    if not CONTROL_PLANE.is_file():
        pytest.skip(f"the control plane's starter is absent: {CONTROL_PLANE}")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    directory = shared / "control-plane"
    with _counted(shared / "control-plane.users") as users:
        if not users:
            _start(directory)
        users.append(os.getpid())
    yield RealCluster(directory)
    with _counted(shared / "control-plane.users") as users:
        users.remove(os.getpid())
        if not users:
            _call("down", str(directory))


@contextlib.contextmanager
def control_plane(directory: Path) -> Iterator[RealCluster]:
    """Run a control plane of the test's own, for what others of the run would notice."""
    if not CONTROL_PLANE.is_file():
        pytest.skip(f"the control plane's starter is absent: {CONTROL_PLANE}")
    _start(directory)
    try:
        yield RealCluster(directory)
    finally:
        _call("down", str(directory))


def _start(directory: Path) -> None:
    """Start a control plane; once more when somebody took one of its ports after it had asked for a free one."""
    for _ in range(ATTEMPTS - 1):
        done = _run("up", str(directory), "--nodes", "3")
        if done.returncode == 0:
            return
        assert TAKEN in done.stdout + done.stderr, f"control-plane up: {done.stdout}{done.stderr}"
    _call("up", str(directory), "--nodes", "3")


@contextlib.contextmanager
def _counted(path: Path) -> Iterator[list[int]]:
    """Hold the list of the processes that use the control plane; what is in it at the end is written back."""
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        users = [pid for pid in map(int, file.read().split()) if Path(f"/proc/{pid}").exists()]
        yield users
        file.seek(0)
        file.truncate()
        file.write(" ".join(map(str, users)))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(CONTROL_PLANE), *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=START_SECONDS, check=False)


def _call(*arguments: str) -> None:
    done = _run(*arguments)
    assert done.returncode == 0, f"control-plane {' '.join(arguments)}: {done.stdout}{done.stderr}"
