"""How fast the command line answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.results import Figure, median_seconds
from projects.core.values.checkout import ROOT

_ROUNDS = 11


def measure() -> Iterator[Figure]:
    """Yield the time of `run_toolbox.py --help`, and of an empty Python beside it."""
    yield Figure("an empty Python", _seconds("-c", "pass"), "s")
    yield Figure("run_toolbox.py --help", _seconds(str(ROOT / "run_toolbox.py"), "--help"), "s", 0.12)
    yield Figure(
        "run_toolbox.py cluster set_scale --help",
        _seconds(str(ROOT / "run_toolbox.py"), "cluster", "set_scale", "--help"),
        "s",
    )


def _seconds(*arguments: str) -> float:
    return median_seconds(
        lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True), _ROUNDS
    )
