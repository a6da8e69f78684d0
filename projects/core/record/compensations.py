"""`_compensations.jsonl`: what undoes the effects of a run, noted before the effect. Written by `run.post` and by roles.

A compensation is a toolbox command with its arguments. It is done by the run itself at its end, or, when that was killed,
by `runs cleanup`. Each is a line when it is registered and one when it was done, appended with one write.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
    path = root / FILE_NAME
    found: dict[str, Compensation] = {}
    for text in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            line = json.loads(text)
        except ValueError:  # it was cut off by a kill, so its effect did not begin
            continue
        if "done" in line:
            found.pop(line["id"], None)
        else:
            found[line["id"]] = Compensation(
                line["id"], line["step"], line["group"], line["command"], line["arguments"]
            )
    return list(reversed(found.values()))


def _append(root: Path, line: Mapping[str, Any]) -> None:
    data = (json.dumps(redacted(line), ensure_ascii=False) + "\n").encode()
    descriptor = os.open(root / FILE_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        data = b"\n" + data if _is_torn(root / FILE_NAME) else data
        if os.write(descriptor, data) < len(data):  # a full disk takes a part of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(root / FILE_NAME))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return bool(size) and file.read(1) != b"\n"
