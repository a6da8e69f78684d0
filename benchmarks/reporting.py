"""What recording and reporting cost: the report of 1,000 steps, a line of the record, a line on the console. Run by `make bench`."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.results import Figure
from projects.core import console
from projects.core.record.finish import finish
from projects.core.record.steps import Record, Step, new_id
from projects.core.report import write_report
from projects.core.values.outcomes import Status
from tests.core.record.runs import long_run

STEPS = 1000
LINES = 10_000


def measure() -> Iterator[Figure]:
    """Yield what a report of a thousand steps costs, and what a line of the record and of the console do."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        long_run(root, STEPS)
        write_report(root)  # imports
        yield Figure("report of 1,000 steps", _seconds(lambda: write_report(root)), "s", 1.0)
        yield Figure("its size", (root / "report.html").stat().st_size / 1e6, "MB", 1.0)
        finishing = _seconds(lambda: finish(root, properties={}))
        yield Figure("FAILURES, JUnit and FINISHED of 1,000 steps", finishing, "s")
        yield Figure("a line of the record", 1e6 * _recording(root / "lines") / (2 * STEPS), "µs")
        yield Figure("a printed line, redacted", 1e6 * _printing() / LINES, "µs")


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
