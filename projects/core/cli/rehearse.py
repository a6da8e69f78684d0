"""`testing/rehearse PROJECT [ENTRYPOINT…]`: run an orchestration's entrypoints in order on a simulated cluster.

One run: each entrypoint has a numbered directory, its steps are in the one record, and the exit code is the run's. After
a failure only the cleanup still runs. The simulated cluster is a process of its own, spoken to as any cluster is.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from projects.core.cli.ci_run import find_orchestration
from projects.core.execution.cancellation import current_token
from projects.core.execution.processes import run_process
from projects.core.library import env
from projects.core.library.scope import StepScope, blame
from projects.core.library.session import run_session
from projects.core.record import context
from projects.core.record.steps import read_steps
from projects.core.record.verdict import verdict
from projects.core.toolbox.binding import bind_line, parameters_of
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ForesailError, InfrastructureError, UsageError, explain
from projects.core.values.nearest import did_you_mean
from projects.core.values.outcomes import ExitCode, worst

_USAGE = "usage: testing/rehearse PROJECT [ENTRYPOINT …] [--nodes=N] [--platform=openshift|kubernetes] [--speed=X]"
IN_ORDER = ("pre_cleanup_ci", "prepare_ci", "test_ci", "post_cleanup_ci")
"""The entrypoints of a CI job, in the order in which its steps call them."""
CLEANUP = "post_cleanup_ci"
_START_TIMEOUT_S = 60.0
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


def rehearse(
    project: str,
    *entrypoints: str,
    nodes: int = 3,
    platform: Literal["openshift", "kubernetes"] = "openshift",
    speed: float | None = None,
) -> int:
    """Run an orchestration on a simulated cluster.

    Args:
      project: The project.
      entrypoints: Its entrypoints, in order; those of a CI job when none is named.
      nodes: Worker nodes of the simulated cluster.
      platform: What it plays: openshift or kubernetes.
      speed: How much faster than real time its clock runs.

    Returns:
      The exit code of the run.
    """
    script = find_orchestration([project, "test"])
    known = declared_entrypoints(script)
    for name in entrypoints:
        if name not in known:
            raise UsageError(f"{project} has no entrypoint '{name}'", hint=did_you_mean(name, known))
    chosen = entrypoints or tuple(name for name in IN_ORDER if name in known)
    options = [f"--nodes={nodes}", f"--platform={platform}", *([f"--speed={speed}"] if speed else [])]
    return int(run_session(lambda: _rehearse(script, chosen, options), project=project, whole=True))


def declared_entrypoints(script: Path) -> list[str]:
    """Return the names of the functions of a test.py that are declared with `@entrypoint()`, without importing it."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any("entrypoint" in ast.unparse(each) for each in node.decorator_list)
    ]


def main(argv: Sequence[str]) -> int:
    """Run one line.

    Args:
      argv: The script and its words.

    Returns:
      The exit code of the run; 2 when the line cannot be accepted.
    """
    words = list(argv[1:])
    if not words or {"--help", "-h"} & set(words):
        print(f"{_USAGE}\n\n{__doc__}", file=sys.stdout if words else sys.stderr)
        return 0 if words else int(ExitCode.USAGE)
    names, flags = _split(words)
    try:
        options = {name: each for name, each in parameters_of(rehearse).items() if not each.positional}
        return rehearse(*_names(names), **bind_line(options, flags))
    except UsageError as error:
        print(f"{_USAGE}\n{explain(error)}", file=sys.stderr)
        return int(ExitCode.USAGE)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the names of a line and its options, each of which has a value: behind ``=`` or as the next word."""
    names: list[str] = []
    flags: list[str] = []
    while words:
        word, *words = words
        if not word.startswith("--"):
            names.append(word)
        elif "=" in word or not words:
            flags.append(word)
        else:
            value, *words = words
            flags.append(f"{word}={value}")
    return names, flags


def _names(names: list[str]) -> list[str]:
    if not names:
        raise UsageError("expected a project, found the end of the line")
    return names


def _rehearse(script: Path, entrypoints: Sequence[str], options: Sequence[str]) -> None:
    failed: EntrypointFailed | None = None
    with simulated_cluster(options) as kubeconfig:
        for name in entrypoints:
            if failed is not None and name != CLEANUP:
                continue
            try:
                _run_entrypoint(script, name, kubeconfig)
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


@contextmanager
def simulated_cluster(options: Sequence[str]) -> Iterator[Path]:
    """Run a simulated cluster for the block, and yield its kubeconfig.

    Args:
      options: Options of `python3 -m projects.sim_cluster up`.

    Raises:
      InfrastructureError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="foresail-sim-") as name:
        up = _sim("up", name, *options)
        if up.returncode != 0:
            raise InfrastructureError(f"the simulated cluster did not start: {up.stderr.strip() or up.stdout.strip()}")
        try:
            yield Path(up.stdout.strip().splitlines()[-1])
        finally:
            _sim("down", name)


def _sim(verb: str, directory: str, *options: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "projects.sim_cluster", verb, directory, *options]
    environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_START_TIMEOUT_S, env=environment)
