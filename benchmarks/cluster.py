"""Toolbox commands on the real control plane: `cluster capture_environment`, and one more cluster task in a role."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import Figure, median_seconds
from benchmarks.roles import request_for, write_role
from projects.core.execution.cancellation import CancelToken
from projects.core.library import commands, env
from projects.core.values.checkout import ROOT

_CONTROL_PLANE = ROOT.parent / "shared" / "envtest" / "control-plane"
_NODES = 3
_TASK = {"name": "Read", "foresail.core.get": {"api_version": "v1", "kind": "Namespace", "name": "default"}}


def measure() -> Iterator[Figure]:
    """Yield the figures; nothing where there is no control plane."""
    if not _CONTROL_PLANE.exists():
        print(f"skipped: {_CONTROL_PLANE} is missing")
        return
    with tempfile.TemporaryDirectory() as name:
        argv = [str(_CONTROL_PLANE), "run", "--nodes", str(_NODES), "--", sys.executable, "-m", "benchmarks.cluster"]
        environment = {**os.environ, "ARTIFACT_DIR": name}
        done = subprocess.run(argv, check=True, capture_output=True, text=True, env=environment, cwd=ROOT)
    capture, more = map(float, done.stdout.split()[-2:])
    yield Figure(f"cluster capture_environment, {_NODES} nodes, warm", capture, "s", 0.2)
    yield Figure("one more cluster task in a role", more, "s", 0.03)


def main() -> None:
    """Print the two figures."""
    logging.disable(logging.CRITICAL)
    root = env.init()
    commands.HOST.start()
    specification, arguments = commands.bind("cluster", "capture_environment", {})
    commands.call(specification, arguments, mute=True)
    capture = median_seconds(lambda: commands.call(specification, arguments, mute=True), 11)
    one, many = write_role(root / "bench_one", _TASK), write_role(root / "bench_many", _TASK, 11)
    more = (median_seconds(lambda: _run(many), 5) - median_seconds(lambda: _run(one), 5)) / 10
    commands.HOST.stop()
    print(capture, more)


def _run(role: Path) -> None:
    assert commands.HOST.run(request_for(role), CancelToken(), None) == 0


if __name__ == "__main__":
    main()
