"""Flakes: what failed and then passed, in attempts of a `retry`, of a resumed run, or of a task in a role. Called by `junit`.

What a kill or a signal cut off has not failed: the machine has. The rule of names is one: steps that are attempts of one and the same step of the orchestration (see `attempts`) have one name, that
of the first; so has whatever ran inside of them at the same place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from projects.core.record.artifacts import path_of
from projects.core.record.attempts import StepPath, paths, superseded
from projects.core.record.steps import Step
from projects.core.record.task_events import PASSED, RETRY, read_events
from projects.core.record.verdict import FAILING, cause_of
from projects.core.values.outcomes import Status


@dataclass(frozen=True, slots=True)
class Flake:
    """Something that failed and then passed.

    Attributes:
      name: What it is called in JUnit.
      step: The step that passed in the end; for a task, the command that it is of.
      failures: Why each earlier attempt failed, in order.
    """

    name: str
    step: Step
    failures: Sequence[str]


def flakes(root: Path, steps: Sequence[Step]) -> list[Flake]:
    """Return the flakes of a run, in the order in which the attempts that passed began.

    Args:
      root: The run's root.
      steps: All steps of its record.
    """
    replaced, names, known = superseded(steps), case_names(steps), paths(steps)
    failures: dict[StepPath, list[str]] = defaultdict(list)
    found: list[Flake] = []
    for step in steps:
        path = known[step.id]
        if step.id in replaced:
            if step.status in FAILING and not was_cut_off(step):
                failures[path].append(_why(step))
            continue
        if step.attempt > 1 and step.status == Status.PASSED and failures[path]:
            found.append(Flake(names[step.id], step, failures[path]))
        found += task_flakes(root, step, names[step.id])
    return found


def case_names(steps: Sequence[Step]) -> dict[str, str]:
    """Return by its id what each step is called in JUnit; attempts of one step share the name."""
    known, replaced = paths(steps), superseded(steps)
    chains: dict[str, tuple[int, ...]] = {}
    times: Counter[tuple[StepPath, tuple[int, ...]]] = Counter()
    equal: Counter[tuple[tuple[str, ...], str]] = Counter()
    shared: dict[tuple[StepPath, int], str] = {}
    names: dict[str, str] = {}
    for step in steps:  # a parent stands before its children
        path = known[step.id]
        chains[step.id] = (*chains.get(step.parent or "", ()), step.attempt)
        which = path, times[path, chains[step.id]]
        times[path, chains[step.id]] += 1
        cut = was_cut_off(step) and step.id in replaced
        apart = bool(step.reuses) or cut
        own = path_of(step) + (" (reused)" if step.reuses else " (cut off)" if cut else "")
        if apart or which not in shared:
            among = tuple(name for kind, name, _ in path if kind == "entrypoint"), own
            equal[among] += 1
            own += f" ({equal[among]})" if equal[among] > 1 else ""
        if cut:
            shared.setdefault(which, path_of(step))  # the attempt after it has the name that it would have had
        names[step.id] = own if apart else shared.setdefault(which, own)
    return names


def task_flakes(root: Path, step: Step, name: str) -> list[Flake]:
    """Return the tasks of a command that failed, were tried again and passed.

    Args:
      root: The run's root.
      step: The command; any other step has none.
      name: What it is called.
    """
    if step.kind != "command" or step.reuses:
        return []
    pending: dict[tuple[str, str], list[str]] = defaultdict(list)
    found = []
    for event in read_events(root / step.directory, naming=RETRY):
        task = str(event.get("task")), str(event.get("place"))
        if event.get("outcome") == RETRY:
            pending[task] += [str(event.get("msg"))] if event.get("failed") else []
        elif (failures := pending.pop(task, None)) and str(event.get("outcome")).startswith(PASSED):
            found.append(Flake(f"{name} / {task[0]}", step, failures))
    return found


def was_cut_off(step: Step) -> bool:
    """Return whether a step was ended by a kill or a signal, which is no failure of it."""
    return step.status in (Status.RUNNING, Status.INTERRUPTED)


def _why(step: Step) -> str:
    cause = cause_of(step)
    return f"{cause.type}: {cause.message}"
