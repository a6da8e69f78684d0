"""Which step of a record a person means. Called by `runs show` and its like, and by `--from` of a resume.

A step is named by its id, by its directory (relative to the run's root, or the last part of it), by its name, or by the
last words of its name, as far as that tells it from the others. Of several attempts the last one is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from projects.core.record.artifacts import path_of
from projects.core.record.attempts import StepPath, paths
from projects.core.record.steps import Step
from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean

_SHOWN = 8


def own_name(step: Step, around: Step | None) -> str:
    """Return what a step is called inside the one around it: its directory there, its name when it has none of its own.

    Args:
      step: The step.
      around: The step around it, None at the root.
    """
    if step.directory == (around.directory if around else "."):
        return step.name
    return step.directory.rpartition("/")[2]


def find_step(steps: Sequence[Step], text: str) -> Step:
    """Return the step that a text names.

    Args:
      steps: All steps of a record.
      text: Its id, directory, name, or the last words of its name.

    Raises:
      UsageError: no step is named so, with the nearest match; or several are, with all of them.
    """
    wanted = text.strip().removesuffix("/")
    by_id = {step.id: step for step in steps}
    names = {step.id: _names(step, by_id.get(step.parent or "")) for step in steps}
    for way in _WAYS:
        found = _latest(steps, (step for step in steps if wanted in names[step.id][way]))
        if len(found) > 1:
            raise _ambiguous(text, found)
        if found:
            return found[0]
    known = {name for ways in names.values() for way in _WAYS[1:] for name in ways[way]}
    raise UsageError(f"no step of the run is named '{text}'", hint=did_you_mean(wanted, known) or _listed(steps))


def _names(step: Step, around: Step | None) -> Mapping[str, Sequence[str]]:
    """Return what a step may be called, by the way in which it is named."""
    words = step.name.split()
    own = [step.directory] if step.directory != (around.directory if around else ".") else []
    return {
        "id": [step.id],
        "path": own if path_of(step) == step.directory else [*own, path_of(step)],
        "last part": [each.rpartition("/")[2] for each in own],
        "name": [step.name],
        "last words": [" ".join(words[first:]) for first in range(1, len(words))],
    }


_WAYS = ("id", "path", "last part", "name", "last words")
"""The ways in which a step is named; one that finds something is the one that was meant."""


def _latest(steps: Sequence[Step], found: Iterable[Step]) -> list[Step]:
    """Return one step for each path, its last attempt."""
    known = paths(steps)
    latest: dict[StepPath, Step] = {}
    for step in found:
        before = latest.get(known[step.id])
        if before is None or step.attempt >= before.attempt:
            latest[known[step.id]] = step
    return list(latest.values())


def _ambiguous(text: str, found: Sequence[Step]) -> UsageError:
    listed = "\n".join(f"  {path_of(step)}  ({step.kind} '{step.name}', id {step.id})" for step in found)
    return UsageError(f"{len(found)} steps are named '{text}':\n{listed}", hint="name one by its directory or its id")


def _listed(steps: Sequence[Step]) -> str | None:
    names = list(dict.fromkeys(path_of(step) for step in steps))
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there are: {', '.join(names[:_SHOWN])}{more}" if names else None
