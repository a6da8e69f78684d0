"""What a plan notes beside its steps: values handed out that are not known, decisions taken by them, effects left out.

Written by whatever would have an effect, while it is planned, into `_plan.notes.jsonl` at the root of the plan; read by the
room `planning`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from projects.core.record import context
from projects.core.record.steps import redacted, timestamp

FILE_NAME = "_plan.notes.jsonl"
NoteKind = Literal["unknown", "decision", "effect", "secret"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a plan has noted.

    Attributes:
      kind: ``unknown``: a value was handed out that is not known. ``decision``: code has decided something by one.
        ``effect``: something was not done. ``secret``: a secret's file would be read.
      what: Which.
      step: The id of the step in which that was.
      time: When.
      task: Of an effect that is a task's: what the task would do, as `execution.planned` has it.
    """

    kind: NoteKind
    what: str
    step: str | None
    time: str
    task: dict[str, Any] | None = None


def is_planning() -> bool:
    """Return whether the running code is planned: nothing of it may have an effect."""
    return context.is_initialised() and context.here().record.planning


def note(kind: NoteKind, what: str, task: Mapping[str, Any] | None = None) -> None:
    """Note something for the present step; see `Note`."""
    place = context.here()
    noted = Note(kind, what, place.step, timestamp(), dict(task) if task else None)
    line = json.dumps(redacted(asdict(noted)), ensure_ascii=False, default=str)
    with (place.record.root / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_notes(root: Path) -> list[Note]:
    """Return what a plan has noted, in order."""
    path = root / FILE_NAME
    if not path.exists():
        return []
    return [Note(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
