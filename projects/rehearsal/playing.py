"""One scenario of a rehearsal: a cluster, an orchestration's entrypoints on it in order, and what came of it. Called by `cli`.

It is one run: each entrypoint has a numbered directory, its steps are in the one record, and the exit code is the run's.
After a failure only the cleanup still runs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from projects.core.execution.cancellation import current_token
from projects.core.execution.processes import run_process
from projects.core.library import env
from projects.core.library.scope import StepScope, blame
from projects.core.library.session import run_session
from projects.core.record import context
from projects.core.record.steps import read_steps
from projects.core.record.verdict import verdict
from projects.core.values.errors import ForesailError
from projects.core.values.outcomes import worst
from projects.rehearsal.clusters import rehearsed_cluster
from projects.rehearsal.leftovers import Leftover, left_since, snapshot
from projects.rehearsal.results import Result, expected_codes
from projects.sim_cluster.scenarios.model import Scenario

CLEANUP = "post_cleanup_ci"
_STOP_TIMEOUT_S = 30.0


class EntrypointFailed(ForesailError, RuntimeError):
    """An entrypoint of the rehearsed orchestration did not pass.

    Args:
      name: The entrypoint.
      exit_code: What it exited with.
    """

    def __init__(self, name: str, exit_code: int) -> None:
        super().__init__(f"{name} exited with {exit_code}")
        self.exit_code = worst([exit_code])


@dataclass(frozen=True)
class Rehearsal:
    """What is rehearsed.

    Attributes:
      project: The project's name.
      script: Its test.py.
      entrypoints: Those of its entrypoints that are run, in order.
      options: Options of `python3 -m projects.sim_cluster up` that are the same for all scenarios.
    """

    project: str
    script: Path
    entrypoints: Sequence[str]
    options: Sequence[str]


@dataclass
class _Seen:
    simulated_seconds: float | None = None
    struck: dict[str, int] = field(default_factory=dict)
    left: tuple[Leftover, ...] = ()


def play(rehearsal: Rehearsal, scenario: Scenario, named: str) -> Result:
    """Play one scenario, as the run of this process.

    Args:
      rehearsal: What is rehearsed.
      scenario: The scenario.
      named: Its name or its file, as the cluster is told.

    Returns:
      What came of it.
    """
    seen, began = _Seen(), time.monotonic()
    options = [*rehearsal.options, f"--scenario={named}"]
    code = run_session(lambda: _run(rehearsal, options, seen), project=rehearsal.project, whole=True)
    return Result(
        scenario=scenario.name,
        directory=str(context.here().record.root),
        exit_code=int(code),
        expected=expected_codes(scenario, seen.struck),
        states=scenario.expect.says,
        real_seconds=round(time.monotonic() - began, 3),
        simulated_seconds=seen.simulated_seconds,
        struck=seen.struck,
        left=seen.left,
    )


def _run(rehearsal: Rehearsal, options: Sequence[str], seen: _Seen) -> None:
    with rehearsed_cluster(options) as cluster:
        before, began = snapshot(cluster.session), cluster.now()
        try:
            _run_entrypoints(rehearsal, cluster.kubeconfig)
        finally:
            seen.simulated_seconds = round(cluster.now() - began, 3)
            seen.struck = dict(cluster.struck())
            seen.left = left_since(cluster, before)


def _run_entrypoints(rehearsal: Rehearsal, kubeconfig: Path) -> None:
    failed: EntrypointFailed | None = None
    for name in rehearsal.entrypoints:
        if failed is not None and name != CLEANUP:
            continue
        try:
            _run_entrypoint(rehearsal.script, name, kubeconfig)
        except EntrypointFailed as error:
            failed = failed or error
    if failed is not None:
        raise failed


def _run_entrypoint(script: Path, name: str, kubeconfig: Path) -> None:
    """Run one entrypoint in a process and a numbered directory of its own; it records itself."""
    record, directory = context.here().record, env.claim_directory(name)
    own = {"ARTIFACT_DIR": str(directory), env.RECORD_VARIABLE: str(record.root), "KUBECONFIG": str(kubeconfig)}
    ended = run_process(
        [sys.executable, str(script), name],
        token=current_token(),
        environment={**os.environ, **own},
        grace=_STOP_TIMEOUT_S,
        name=f"{script.name} {name}",
        on_stdout=sys.stdout.write,
        on_stderr=sys.stderr.write,
    )
    if ended.status == 0:
        return
    error = EntrypointFailed(name, ended.status)
    steps = read_steps(record.root)
    own_steps = {step.id for step in steps if record.root / step.directory == directory}
    if first := verdict(steps, since=own_steps).first:
        blame(error, first.cause)
        raise error
    # It died before it could record why.
    with StepScope("entrypoint", name, directory=directory, project=script.parents[1].name):
        raise error
