"""The command of the simulated cluster, as a user calls it, and the cluster that it starts. Used by tests of every room."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from projects.core.values.checkout import ROOT

COMMAND = [sys.executable, "-m", "projects.sim_cluster"]
_SECONDS = 240


def sim(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Call it, whatever becomes of it."""
    line = [*COMMAND, *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False)


@contextmanager
def simulated_cluster(directory: Path, *options: str) -> Iterator[Path]:
    """Run a cluster as a process of its own, and yield its kubeconfig."""
    up = sim("up", directory, *options)
    assert up.returncode == 0, up.stderr
    try:
        yield directory / "kubeconfig"
    finally:
        down = sim("down", directory)
    assert down.returncode == 0, down.stderr
