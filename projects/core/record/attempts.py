"""Which steps of a record are attempts of one and the same step of the orchestration. Called by `verdict` and by a resume.

A step of the orchestration is known by its path: kind, name and occurrence, of the steps around it and of itself. Its
attempts have that path in common, whichever process made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from projects.core.record.steps import Step

StepPath = tuple[tuple[str, str, int], ...]
"""Kind, name and occurrence of a step and of those around it, the outermost first."""


def paths(steps: Iterable[Step]) -> dict[str, StepPath]:
    """Return the path of each step by its id."""
    found: dict[str, StepPath] = {}
    for step in steps:  # a parent stands before its children
        around = found.get(step.parent or "", ())
        found[step.id] = (*around, (step.kind, step.name, step.occurrence))
    return found


def superseded(steps: Sequence[Step]) -> set[str]:
    """Return the ids of the steps that a later attempt has taken the place of, with all that ran inside them."""
    known = paths(steps)
    latest: dict[StepPath, int] = {}
    for step in steps:
        latest[known[step.id]] = max(step.attempt, latest.get(known[step.id], 0))
    inside: set[str] = set()
    for step in steps:
        if step.parent in inside or step.attempt < latest[known[step.id]]:
            inside.add(step.id)
    return inside


class Attempts:
    """The attempts that a record holds, by their paths.

    Args:
      steps: All steps of the record, which can be asked for again.
      root: The run's artifact directory.
    """

    def __init__(self, steps: Sequence[Step] = (), root: Path | None = None) -> None:
        self.root = root
        self.steps = steps
        self._paths: Mapping[str, StepPath] = paths(steps)
        self._steps: dict[StepPath, list[Step]] = {}
        for step in steps:
            self._steps.setdefault(self._paths[step.id], []).append(step)

    def path(self, step_id: str | None) -> StepPath:
        """Return the path of a step, of which the record tells; that of the root for None."""
        return self._paths.get(step_id or "", ())

    def of(self, path: StepPath) -> Sequence[Step]:
        """Return the attempts of a step in order, without those that only reused an earlier one."""
        return [step for step in self._steps.get(path, ()) if not step.reuses]

    def __bool__(self) -> bool:
        """Return whether there is any step."""
        return bool(self.steps)
