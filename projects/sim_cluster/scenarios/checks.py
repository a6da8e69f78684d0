"""Checks of a scenario that no schema can make: whether what it names is there. Called by `reading` before anything starts."""

from __future__ import annotations

from collections.abc import Iterator

from projects.sim_cluster.behaviours.instance_types import SIZES
from projects.sim_cluster.scenarios.model import Scenario
from projects.sim_cluster.scenarios.names import hint
from projects.sim_cluster.scenarios.places import Placed


def checked(scenario: Scenario, document: Placed) -> Iterator[str]:
    """Yield what is wrong: ``LINE: key: expected …, found …``."""
    yield from _machines(scenario, document)
    yield from _stages(scenario, document)


def _machines(scenario: Scenario, document: Placed) -> Iterator[str]:
    for number, machines in enumerate(scenario.shape.machines):
        if machines.type not in SIZES:
            line = document.line(("shape", "machines", number, "type"))
            words = f"expected a machine type that is known, found {machines.type!r}{hint(machines.type, SIZES)}"
            yield f"{line}: shape.machines[{number}].type: {words}"


def _stages(scenario: Scenario, document: Placed) -> Iterator[str]:
    if not scenario.stages:
        return
    from projects.sim_cluster.behaviours.stages.documents import load_stages  # noqa: PLC0415 - few scenarios have any
    from projects.sim_cluster.behaviours.stages.mistakes import StageError  # noqa: PLC0415 - the same

    for number, file in enumerate(scenario.stage_files):
        try:
            load_stages([file])
        except (OSError, UnicodeDecodeError, StageError) as error:
            line = document.line(("stages", number))
            yield f"{line}: stages[{number}]: expected a file with Stage documents, found {error}"
