"""What the tasks of a role would do, as data: `_plan.jsonl` in a command's directory, one task a line.

Written by `plan_gate` in the fork that plans the role, read by the room `planning`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from projects.core.record.steps import redacted

FILE_NAME = "_plan.jsonl"


@dataclass(slots=True)
class PlannedTask:
    """One task of a role, or one item of its loop.

    Attributes:
      name: Its name.
      action: Its action, such as ``foresail.core.apply``.
      place: File and line.
      does: What it would do, in words.
      verb: What it would do to its objects: ``apply``, ``patch``, ``delete``, ``wait``, ``get``, ``exec``, ``logs`` or
        ``capture``; else ``run`` for a script or a module.
      objects: Which objects that is; see `PlannedObject`.
      manifests: The manifests that it would apply, Secrets without their values.
      timeout: Seconds that it would be given.
      script: What it would run.
      when: The condition that only a real run can decide: it may run.
      each: The list, known to a real run only, for each of whose members it would run.
      unknown: What of it is not known.
      skipped: Why it would not run.
      failed: Why it would fail, as far as it can be known.
    """

    name: str
    action: str
    place: str
    does: str = ""
    verb: str = ""
    objects: list[dict[str, Any]] = field(default_factory=list)
    manifests: list[dict[str, Any]] = field(default_factory=list)
    timeout: float | None = None
    script: str = ""
    when: str = ""
    each: str = ""
    unknown: list[str] = field(default_factory=list)
    skipped: str = ""
    failed: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as JSON says it: without what is empty, and without secrets."""
        said = {key: value for key, value in asdict(self).items() if value not in ("", [], None)}
        without: dict[str, Any] = redacted(said)
        return without


def append(directory: Path, task: PlannedTask) -> None:
    """Add a task to the plan of a command."""
    with (directory / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(task.document(), ensure_ascii=False, default=str) + "\n")


def read(directory: Path) -> Iterator[PlannedTask]:
    """Yield what the tasks of a command would do, in order; nothing when it has no plan."""
    path = directory / FILE_NAME
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield PlannedTask(**json.loads(line))
