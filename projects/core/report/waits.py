"""What a run waited for, and how long: `wait.wait_for` in its record, and the waits of roles in the events of its commands. Used by the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from projects.core.cluster.involved import ACTS, Involved
from projects.core.record.steps import Step, parse_time
from projects.core.record.task_events import PASSED, read_events
from projects.core.values.outcomes import Status

_LARGEST = 5_000_000


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait.

    Attributes:
      step: The step that waited: itself a wait, or a command.
      what: What it waited for.
      task: The task of the role; empty for a wait in Python.
      seconds: How long.
      status: How it ended.
    """

    step: Step
    what: str
    task: str
    seconds: float
    status: Status


def waits(root: Path, steps: Sequence[Step]) -> list[Wait]:
    """Return all waits of a run, the longest first.

    Args:
      root: The run's root.
      steps: All steps of its record.
    """
    last = max((step.end or step.start for step in steps), default="")
    found: list[Wait] = []
    for step in steps:
        if step.kind == "wait":
            seconds = (parse_time(step.end or last) - parse_time(step.start)).total_seconds()
            found.append(Wait(step, step.name, "", seconds, Status(step.status)))
        elif step.kind == "command" and not step.reuses:
            found += _of_command(root, step, step.end or last)
    return sorted(found, key=lambda wait: -wait.seconds)


def _of_command(root: Path, step: Step, end: str) -> Iterator[Wait]:
    """Yield the waits of a command: a task says what it waits for before it does, and the next event of it how that ended."""
    open_: dict[str, tuple[datetime, str]] = {}
    for event in read_events(root / step.directory, naming="wait", largest=_LARGEST):
        if "time" not in event:
            continue
        task, time = str(event.get("task", "")), datetime.fromisoformat(str(event["time"]))
        if event.get("outcome") == ACTS:
            if what := _waited_for(event):
                open_[task] = (time, what)
        elif task in open_:
            begin, what = open_.pop(task)
            passed = str(event.get("outcome", "")).startswith(PASSED)
            yield Wait(step, what, task, (time - begin).total_seconds(), Status.PASSED if passed else Status.FAILED)
    for task, (begin, what) in open_.items():
        status = Status.CANCELLED if step.status == Status.PASSED else Status(step.status)
        yield Wait(step, what, task, max(0.0, (parse_time(end) - begin).total_seconds()), status)


def _waited_for(event: Mapping[str, Any]) -> str:
    involved = [Involved.of(each) for each in event.get("objects", [])]
    return ", ".join(str(each.target) for each in involved if each and each.act == "wait")
