"""Two hundred commands in one `Parallel`, with and without one that fails."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import Figure
from benchmarks.roles import request_for, write_role
from projects.core.execution.cancellation import current_token
from projects.core.execution.command import run_command
from projects.core.library import env
from projects.core.library.commands import HOST
from projects.core.library.parallel import Parallel, ParallelFailed
from projects.core.library.scope import StepScope
from projects.core.record.steps import read_steps
from projects.core.values.outcomes import Status

_COMMANDS = 200


def measure() -> Iterator[Figure]:
    """Yield what 200 commands take, what is lost of them, and how fast a failure ends their siblings."""
    # In a process of its own: a run is made once per process.
    with tempfile.TemporaryDirectory() as name:
        environment = {**os.environ, "ARTIFACT_DIR": name}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.parallel"], check=True, capture_output=True, text=True, env=environment
        )
    taken, records, directories, ended, slept = map(float, done.stdout.split())
    yield Figure(f"{_COMMANDS} commands in one Parallel", taken, "s")
    yield Figure("records of them", records, "", _COMMANDS, at_least=True)
    yield Figure("directories of them", directories, "", _COMMANDS, at_least=True)
    yield Figure("from a branch's failure among them to the end of its siblings", ended, "s", 1.0)
    yield Figure("the same when all 200 siblings are in the middle of a module", slept, "s")


def main() -> None:
    """Print the five figures."""
    logging.disable(logging.CRITICAL)
    root = env.init()
    roles = root / "roles"
    write_role(roles / "bench_tick", {"name": "Tick", "ansible.builtin.set_fact": {"ticked": 1}})
    nap = {"name": "Nap", "ansible.builtin.command": "sleep 60", "changed_when": False}
    write_role(roles / "bench_nap", nap)
    HOST.start()
    started = time.perf_counter()
    with Parallel("many") as parallel:
        for _ in range(_COMMANDS):
            parallel.delayed(_command, roles / "bench_tick")
    taken = time.perf_counter() - started
    steps = [step for step in read_steps(root) if step.kind == "command" and step.status == Status.PASSED]
    among_ticks = _ends_after_failure(roles / "bench_tick", seconds=1)
    among_naps = _ends_after_failure(roles / "bench_nap", seconds=15)
    print(taken, len(steps), len({step.directory for step in steps}), among_ticks, among_naps)
    HOST.stop()


def _ends_after_failure(role: Path, *, seconds: float) -> float:
    """Return how long the siblings of a branch go on that fails some seconds after they began."""
    failed_at: list[float] = []

    def fail() -> None:
        current_token().wait(seconds)
        failed_at.append(time.perf_counter())
        raise RuntimeError("on purpose")

    try:
        with Parallel("failing") as parallel:
            parallel.delayed(fail)
            for _ in range(_COMMANDS):
                parallel.delayed(_command, role)
    except ParallelFailed:
        return time.perf_counter() - failed_at[0]
    raise AssertionError("the Parallel did not fail")


def _command(role: Path) -> None:
    request = request_for(role)
    with StepScope("command", role.name, directory=request.directory):
        run_command(request, name=role.name, command_line="", host=HOST, token=current_token(), on_output=None)


if __name__ == "__main__":
    main()
