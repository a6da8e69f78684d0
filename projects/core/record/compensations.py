"""`_compensations.jsonl`: what undoes the effects of a run, noted before the effect. Written by `run.post` and by roles.

A compensation is a toolbox command with its arguments. It is done by the run itself at its end, or, when that was killed,
by `runs cleanup`. Each is a line when it is registered and one when it was done, appended with one write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from projects.core.record.journal import Journal, read_objects
from projects.core.record.steps import new_id, redacted, timestamp

FILE_NAME = "_compensations.jsonl"


@dataclass(frozen=True, slots=True)
class Compensation:
    """What undoes an effect.

    Attributes:
      id: Names it.
      step: The id of the step that registered it.
      group: The group of the toolbox command.
      command: The command.
      arguments: Its arguments.
    """

    id: str
    step: str | None
    group: str
    command: str
    arguments: dict[str, Any]


def register(root: Path, step: str | None, group: str, command: str, arguments: Mapping[str, Any]) -> Compensation:
    """Note a compensation, before the effect that it undoes.

    Args:
      root: The run's artifact directory.
      step: The id of the step that has the effect.
      group: The group of the toolbox command.
      command: The command.
      arguments: Its arguments, which can hold no secret: they are written down.

    Raises:
      OSError: it could not be noted, so the effect must not begin.
    """
    compensation = Compensation(new_id(), step, group, command, dict(arguments))
    _append(root, {**asdict(compensation), "time": timestamp()})
    return compensation


def done(root: Path, compensation: Compensation) -> None:
    """Note that a compensation was done, or that its effect was undone otherwise.

    So were those of the same command and arguments that were noted before it, such as by a process that was killed.
    """
    left = pending(root)  # the last one first
    known = next((number for number, each in enumerate(left) if each.id == compensation.id), None)
    same = [each for each in left[known:] if _what(each) == _what(left[known])] if known is not None else [compensation]
    for each in same:
        _append(root, {"id": each.id, "done": timestamp()})


def _what(compensation: Compensation) -> tuple[object, ...]:
    return compensation.group, compensation.command, compensation.arguments


def pending(root: Path) -> list[Compensation]:
    """Return the compensations that were not done, in the order in which they are to be: the last one first."""
    found: dict[str, Compensation] = {}
    for line in read_objects(root / FILE_NAME):  # the effect of one that a kill has cut off did not begin
        if "done" in line:
            found.pop(line["id"], None)
        else:
            found[line["id"]] = Compensation(
                line["id"], line["step"], line["group"], line["command"], line["arguments"]
            )
    return list(reversed(found.values()))


def _append(root: Path, line: Mapping[str, Any]) -> None:
    journal = Journal(root / FILE_NAME)
    try:
        journal.append(json.dumps(redacted(line), ensure_ascii=False).encode(), durable=True)
    finally:
        journal.close()
