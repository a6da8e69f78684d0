"""What a plan notes beside its steps: values handed out that are not known, decisions taken by them, effects left out.

Written by the library while it plans, into `_plan.notes.jsonl` at the root of the plan; read by the rest of this room.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from projects.core.record import context
from projects.core.record.steps import redacted, timestamp
from projects.core.values.unknown import Unknown, witnessed

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
    """

    kind: NoteKind
    what: str
    step: str | None
    time: str


def is_planning() -> bool:
    """Return whether the running code is planned: nothing of it may have an effect."""
    return context.is_initialised() and context.here().record.planning


def note(kind: NoteKind, what: str) -> None:
    """Note something for the present step."""
    place = context.here()
    line = json.dumps(redacted(asdict(Note(kind, what, place.step, timestamp()))), ensure_ascii=False)
    with (place.record.root / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def secret(key: str, file: str, variable: object) -> Unknown:
    """Return the value of a secret in a plan, whose file need not be there, and note that it would be read.

    Args:
      key: The key of the configuration that stands for it.
      file: The name of its file.
      variable: The environment variable that names the directory of secrets.
    """
    note("secret", f"${variable}/{file}")
    return Unknown.of(f"the secret {key}")


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Note what code inside the block is given that is not known, and what it decides by it."""
    from yaml.representer import SafeRepresenter  # noqa: PLC0415 - who only asks whether it is planned needs none of it

    # What is written as YAML is text; `safe_dump` takes no subclass of it.
    SafeRepresenter.add_representer(Unknown, lambda dumper, value: dumper.represent_str(str(value)))
    with witnessed(note):
        yield


def read_notes(root: Path) -> list[Note]:
    """Return what a plan has noted, in order."""
    path = root / FILE_NAME
    if not path.exists():
        return []
    return [Note(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
