"""How fast the command line answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.results import Figure, median_seconds
from projects.core.values.checkout import ROOT

_ROUNDS = 11
_COMPLETING = "projects.core.cli.completing"
_WORDS = (
    ("run_toolbox.py", "run_toolbox.py", "x cluster set_scale --"),
    ("test.py", "projects/skeleton/testing/test.py", "x test_ci --set=skel"),
    ("testing/run", "testing/run", "x skeleton test pre"),
)


def measure() -> Iterator[Figure]:
    """Yield the time of help and of completing a word, and of an empty Python beside them."""
    yield Figure("an empty Python", _seconds("-c", "pass"), "s")
    yield Figure("run_toolbox.py --help", _seconds(str(ROOT / "run_toolbox.py"), "--help"), "s", 0.12)
    yield Figure(
        "run_toolbox.py cluster set_scale --help",
        _seconds(str(ROOT / "run_toolbox.py"), "cluster", "set_scale", "--help"),
        "s",
    )
    for name, script, line in _WORDS:
        yield Figure(
            f"a word completed for {name}", _seconds("-m", _COMPLETING, "bash", str(ROOT / script), line), "s", 0.1
        )


def _seconds(*arguments: str) -> float:
    return median_seconds(
        lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True), _ROUNDS
    )
