"""What recording and reporting cost: the report of 1,000 steps, a line of the record, a line on the console. Run by `make bench`."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from projects.core import console
from projects.core.record.finish import finish
from projects.core.record.steps import Record, Step, new_id
from projects.core.report import write_report
from projects.core.values.outcomes import Status
from tests.core.record.runs import long_run

STEPS = 1000
LINES = 10_000


def measure() -> dict[str, float]:
    """Measure, and return the figures by what they are; the unit stands in the name."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        long_run(root, STEPS)
        write_report(root)  # imports
        return {
            "report of 1,000 steps, ms": 1e3 * _seconds(lambda: write_report(root)),
            "report of 1,000 steps, kB": (root / "report.html").stat().st_size / 1e3,
            "FAILURES, JUnit and FINISHED of 1,000 steps, ms": 1e3 * _seconds(lambda: finish(root, properties={})),
            "record, µs a line": 1e6 * _recording(root / "lines") / (2 * STEPS),
            "print through the redacting stream, µs a line": 1e6 * _printing() / LINES,
        }


def _seconds(work: Callable[[], object]) -> float:
    """Return the least of three runs."""
    taken = []
    for _ in range(3):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def _recording(root: Path) -> float:
    root.mkdir()
    record = Record(root)
    arguments = {"name": "gpu-operator-certified", "namespace": "nvidia-gpu-operator", "channel": "v25.3"}

    def write() -> None:
        for number in range(STEPS):
            step = Step(new_id(), None, "command", "cluster deploy_operator", f"{number:03d}__x", arguments)
            record.start(step)
            record.end(step, Status.PASSED)

    with contextlib.closing(record):
        return _seconds(write)


def _printing() -> float:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), console.install():
        return _seconds(
            lambda: [print("a line of a child process, of ordinary length, number", each) for each in range(LINES)]
        )


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{value:10.1f}  {name}")
