"""`testing/rehearse PROJECT [ENTRYPOINT…]`: run an orchestration's entrypoints in order on a simulated cluster.

Each scenario has a cluster and a run of its own. A run is judged by what its scenario states that an orchestration should
do; the exit status is 0 when every one ended so. What a run left on the cluster is told, but not judged.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from projects.core.cli.ci_run import find_orchestration
from projects.core.cli.declared import declared_entrypoints
from projects.core.library.directories import claim_directory, new_directory
from projects.core.toolbox.binding import bind_line, parameters_of
from projects.core.values.errors import ForesailError, UsageError, explain
from projects.core.values.nearest import did_you_mean
from projects.core.values.outcomes import ExitCode, worst
from projects.rehearsal.apart import apart
from projects.rehearsal.results import FILE_NAME, Result, read, told, write
from projects.sim_cluster.scenarios.model import Scenario
from projects.sim_cluster.scenarios.names import SHIPPED, ScenarioError
from projects.sim_cluster.scenarios.reading import load_scenario

if TYPE_CHECKING:
    from projects.rehearsal.playing import Rehearsal

_USAGE = (
    "usage: testing/rehearse PROJECT [ENTRYPOINT …] [--scenario=NAME|FILE|all] [--api=simulated|real] [--seed=N]\n"
    "                        [--nodes=N] [--platform=openshift|kubernetes] [--speed=max|X]"
)
IN_ORDER = ("pre_cleanup_ci", "prepare_ci", "test_ci", "post_cleanup_ci")
"""The entrypoints of a CI job, in the order in which its steps call them."""
ALL = "all"
LOG = "run.log"
_REAL_SPEED = 60.0
_INTERRUPTED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)

Speed = float | Literal["max"]


def rehearse(
    project: str,
    *entrypoints: str,
    scenario: str = "healthy",
    api: Literal["simulated", "real"] = "simulated",
    seed: int = 0,
    nodes: int | None = None,
    platform: Literal["openshift", "kubernetes"] | None = None,
    speed: Speed | None = None,
) -> int:
    """Rehearse an orchestration.

    Args:
      project: The project.
      entrypoints: Its entrypoints, in order; those of a CI job when none is named.
      scenario: What the cluster goes through: a scenario that ships, a file, or all that ship, one after the other.
      api: What serves the cluster: the simulated API, or a real kube-apiserver with KWOK.
      seed: What is left to chance follows from it.
      nodes: Worker nodes, when not as the scenario says.
      platform: What the cluster is, when not as the scenario says.
      speed: How much faster than real time the cluster's clock runs. By default the simulated one jumps to the next event
        while everybody waits (max); the real one's controllers take their time, and what is simulated there runs 60 times faster.

    Returns:
      The exit code: 0 when each run ended as its scenario states.
    """
    script = find_orchestration([project, "test"])
    chosen = _chosen(project, script, entrypoints)
    scenarios = _scenarios(scenario)
    given = {"nodes": nodes, "platform": platform, "speed": speed or (_REAL_SPEED if api == "real" else "max")}
    options = [
        f"--api={api}",
        f"--seed={seed}",
        *(f"--{key}={value}" for key, value in given.items() if value is not None),
    ]
    from projects.rehearsal.playing import Rehearsal  # noqa: PLC0415 - what runs a run comes with it

    return _rehearse(Rehearsal(project, script, chosen, options), scenarios)


def _chosen(project: str, script: Path, named: Sequence[str]) -> tuple[str, ...]:
    known = declared_entrypoints(script)
    for name in named:
        if name not in known:
            raise UsageError(f"{project} has no entrypoint '{name}'", hint=did_you_mean(name, known))
    return tuple(named) or tuple(name for name in IN_ORDER if name in known)


def _scenarios(named: str) -> dict[str, Scenario]:
    try:
        return {each: load_scenario(each) for each in (SHIPPED if named == ALL else (named,))}
    except ScenarioError as error:
        raise UsageError(str(error)) from None


def main(argv: Sequence[str]) -> int:
    """Run one line.

    Args:
      argv: The script and its words.

    Returns:
      The exit code; 2 when the line cannot be accepted.
    """
    words = list(argv[1:])
    if not words or {"--help", "-h"} & set(words):
        print(f"{_USAGE}\n\n{__doc__}", file=sys.stdout if words else sys.stderr)
        return 0 if words else int(ExitCode.USAGE)
    names, flags = _split(words)
    try:
        options = {name: each for name, each in parameters_of(rehearse).items() if not each.positional}
        return rehearse(*_names(names), **bind_line(options, flags))
    except ForesailError as error:
        print(f"{_USAGE}\n{explain(error)}" if isinstance(error, UsageError) else explain(error), file=sys.stderr)
        return int(error.exit_code)


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


def _rehearse(rehearsal: Rehearsal, scenarios: dict[str, Scenario]) -> int:
    """Play the scenarios, each in a process and with a run of its own, and tell what came of them."""
    given = os.environ.get("ARTIFACT_DIR")
    root = Path(given).absolute() if given else new_directory()
    root.mkdir(parents=True, exist_ok=True)
    several = len(scenarios) > 1
    results: list[Result] = []
    for named, scenario in scenarios.items():
        if several:
            print(f"{scenario.name}: {scenario.description}", flush=True)
        directory = claim_directory(scenario.name, root) if several else root
        results.append(_play_apart(rehearsal, (named, scenario), directory, directory / LOG if several else None))
        if results[-1].exit_code in _INTERRUPTED:
            break
    write(results, root / FILE_NAME)
    print(told(results), end="", flush=True)
    return int(worst([each.code for each in results]))


def _play_apart(rehearsal: Rehearsal, named: tuple[str, Scenario], directory: Path, log: Path | None) -> Result:
    with tempfile.TemporaryDirectory(prefix="foresail-result-") as scratch:
        kept = Path(scratch) / FILE_NAME
        status = apart(lambda: _play(rehearsal, *named, kept), directory, log)
        if not kept.exists():
            raise ForesailError(f"{named[0]}: its process ended with {status} before the run did", place=directory)
        return read(kept)


def _play(rehearsal: Rehearsal, named: str, scenario: Scenario, kept: Path) -> int:
    from projects.rehearsal.playing import play  # noqa: PLC0415 - what runs a run comes with it

    result = play(rehearsal, scenario, named)
    write([result], kept)
    return int(result.code)
