"""What a step costs: its record, the redaction of what it was given and says, and its span. Run by `make bench`.

It is the difference between a thousand steps and a thousand times their work, in a process of its own: secrets that a
process knows are known until its end.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from benchmarks.results import Figure
from projects.core import console, tracing
from projects.core.library.scope import StepScope
from projects.core.record import context
from projects.core.record.steps import Record
from projects.core.values.checkout import ROOT
from projects.core.values.redaction import REDACTOR

Seconds = tuple[float, float]
"""By the clock, and of the processor."""

STEPS = 1000
ROUNDS = 3
_KEY = "\n".join(
    ["-----BEGIN KEY-----", *(f"{number:02d}c2VjcmV0bGluZW9mYWtleXRoYXRpc2xvbmc5ODc2NTQz" for number in range(26))]
)
SECRETS = (*(f"s3cret-t0ken-{number}-c2hhcmVkYnlub29uZQ==" for number in range(8)), _KEY, "first line\nsecond 'line'\n")
"""Ten, two of them of several lines."""
ARGUMENTS = {
    "name": "gpu-operator-certified",
    "namespace": "nvidia-gpu-operator",
    "manifest": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: nvidia-gpu-operator\n",
    "timeout": 600,
    "labels": {"app": "load", "tier": "backend"},
    "token": SECRETS[0],
}


def measure() -> Iterator[Figure]:
    """Yield what the three cost together, and each of them beside it."""
    worked = 0.0
    for name, bar in (("record", None), ("record redaction", None), ("record redaction tracing", 2.0)):
        argv = [sys.executable, "-m", "benchmarks.recording", *name.split()]
        done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT)
        elapsed, worked = map(float, done.stdout.split())
        yield Figure(f"a step: {name.replace(' ', ' + ')}", elapsed, "ms", bar)
    yield Figure("the same in processor time, which other work does not lengthen", worked, "ms")


def main(parts: list[str]) -> None:
    """Print what a step costs with some parts: its milliseconds beyond those of the work in it, by the clock and of the processor."""
    if "redaction" in parts:
        for secret in SECRETS:
            REDACTOR.register(secret)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        bare = [_measured(lambda _: nullcontext()) for _ in range(ROUNDS)]
        whole = [_with_steps(tracing_too="tracing" in parts) for _ in range(ROUNDS)]
    print(
        *(
            1e3 * (min(more) - min(less)) / STEPS
            for more, less in zip(zip(*whole, strict=True), zip(*bare, strict=True), strict=True)
        )
    )


def _with_steps(*, tracing_too: bool) -> Seconds:
    with tempfile.TemporaryDirectory() as name, console.install():
        record = Record(Path(name))
        context.initialise(context.Place(record, record.root))
        end = tracing.start(record, file=record.root / "trace.jsonl") if tracing_too else lambda: None
        try:
            return _measured(lambda number: StepScope("step", f"step {number}", arguments=ARGUMENTS))
        finally:
            end()
            record.close()


def _measured(scope: Callable[[int], AbstractContextManager[object]]) -> Seconds:
    begin, worked = time.perf_counter(), time.process_time()
    for number in range(STEPS):
        with scope(number):
            print(f"step {number}: {ARGUMENTS['manifest']}")
    return time.perf_counter() - begin, time.process_time() - worked


if __name__ == "__main__":
    main(sys.argv[1:])
