"""A plan as a tree: the steps of its record, with what is known of each. Made by `show`, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from projects.core.execution import planned
from projects.core.execution.planned import PlannedTask
from projects.core.planning.dependence import dependences
from projects.core.record import attempts
from projects.core.record.finish import project_of
from projects.core.record.history import Durations
from projects.core.record.plan_notes import Note, read_notes
from projects.core.record.steps import Step, read_steps
from projects.core.values.outcomes import Status
from projects.core.values.unknown import unknowns

ARTIFACT_DIR = "$ARTIFACT_DIR"
_PARALLEL = "parallel"


@dataclass(slots=True)
class Node:
    """A step that would run.

    Attributes:
      step: Its record.
      tasks: What its tasks would do, of a command.
      notes: What was noted in it.
      depends_on: What it depends on that is not known, from where its code could not be planned any further.
      estimate: Seconds that it took in earlier runs, None when none tells.
      steps: The steps inside.
    """

    step: Step
    tasks: list[PlannedTask] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    depends_on: list[str] = field(default_factory=list)
    estimate: float | None = None
    steps: list[Node] = field(default_factory=list)

    @property
    def skipped_because(self) -> str:
        """Why it would not run, nothing when it would."""
        if self.step.status != Status.SKIPPED:
            return ""
        return self.step.cause.message if self.step.cause else "it was done before"

    @property
    def failure(self) -> str:
        """Why it would fail, whatever a run finds; nothing when it would not."""
        cause = self.step.cause
        real = self.step.status in (Status.FAILED, Status.TIMED_OUT) and not self.depends_on
        return cause.message if real and cause and cause.step == self.step.id else ""

    @property
    def timeout(self) -> float | None:
        """Seconds that it would be given: its own, or those of its tasks together."""
        own = self.step.arguments.get("timeout") if self.step.kind != "command" else None
        if isinstance(own, int | float):
            return float(own)
        return sum(task.timeout for task in self.tasks if task.timeout is not None and not task.skipped) or None

    @property
    def unknown(self) -> list[str]:
        """What of it is not known."""
        inside = [*unknowns(self.step.arguments), *(each for task in self.tasks for each in task.unknown)]
        return list(dict.fromkeys([*inside, *self.decided_by]))

    @property
    def decided_by(self) -> list[str]:
        """What is not known, by which its code has decided how to go on."""
        return list(dict.fromkeys(each.what for each in self.notes if each.kind == "decision"))

    def everything(self) -> Iterator[Node]:
        """Yield it and all that is inside, in order."""
        yield self
        for each in self.steps:
            yield from each.everything()

    def document(self) -> dict[str, Any]:
        """Return it as JSON says it."""
        tasks = [task.document() for task in self.tasks]
        return {
            "id": self.step.id,
            "parent": self.step.parent,
            "kind": self.step.kind,
            "name": self.step.name,
            "directory": self.step.directory,
            "arguments": self.step.arguments,
            "status": str(self.step.status),
            "timeout": self.timeout,
            "estimate_s": None if self.estimate is None else round(self.estimate, 3),
            "unknown": self.unknown,
            "depends_on": self.depends_on,
            "skipped_because": self.skipped_because or None,
            "failure": self.failure or None,
            "effects": [each.what for each in self.notes if each.kind == "effect" and not each.task],
            "secrets": list(dict.fromkeys(each.what for each in self.notes if each.kind == "secret")),
            "manifests": [manifest for task in self.tasks if not task.skipped for manifest in task.manifests],
            "tasks": tasks,
            "steps": [each.document() for each in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan.

    Attributes:
      project: The project that it is of.
      steps: Its outermost steps.
      runs: How many earlier runs tell how long the steps take.
    """

    project: str
    steps: Sequence[Node]
    runs: int

    @property
    def estimate(self) -> float | None:
        """Seconds that all of it takes, as far as earlier runs tell."""
        return together(self.steps)

    def everything(self) -> Iterator[Node]:
        """Yield every step, in order."""
        for each in self.steps:
            yield from each.everything()


def read_plan(root: Path, durations: Durations | None = None) -> Plan:
    """Read a plan.

    Args:
      root: Its root.
      durations: How long steps took in earlier runs.
    """
    steps, notes = read_steps(root), read_notes(root)
    durations = durations or Durations()
    paths, depends = attempts.paths(steps), dependences(root, steps, notes)
    nodes = {
        step.id: Node(
            step,
            tasks=_tasks(root, step, notes),
            notes=[each for each in notes if each.step == step.id],
            depends_on=depends.get(step.id, []),
            estimate=None if step.status == Status.SKIPPED else durations.seconds(paths[step.id]),
        )
        for step in steps
    }
    outermost: list[Node] = []
    for node in nodes.values():
        around = nodes.get(node.step.parent or "")
        (around.steps if around else outermost).append(node)
    for node in outermost:
        _estimate(node)
    return Plan(project_of(steps) or "", outermost, durations.runs)


def _tasks(root: Path, step: Step, notes: Iterable[Note]) -> list[PlannedTask]:
    """Return what the tasks of a command would do, or what the code of another step would do to the cluster."""
    own = [PlannedTask(**each.task) for each in notes if each.step == step.id and each.task]
    return [*(planned.read(root / step.directory) if step.kind == "command" else ()), *own]


def together(nodes: Iterable[Node]) -> float | None:
    """Return how long some steps take one after the other, as far as that is known."""
    known = [each.estimate for each in nodes if each.estimate is not None]
    return sum(known) if known else None


def _estimate(node: Node) -> None:
    """Let what no run tells of a step follow from the steps inside."""
    for each in node.steps:
        _estimate(each)
    if node.estimate is None and node.steps:
        known = [each.estimate for each in node.steps if each.estimate is not None]
        node.estimate = max(known, default=None) if node.step.kind == _PARALLEL else together(node.steps)
