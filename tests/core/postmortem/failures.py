"""Failed commands as they would be left behind: a directory with a log and events. Used by the tests of the post-mortem."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from projects.core.record.bundles import BUNDLE
from projects.core.record.steps import Cause, Step

MESSAGE = "server deploy failed in the task 'Wait': timed out after 5 s waiting for Deployment ns/web to be ready"
LOG = "TASK one\nTASK two\nthe last line\n"


def acts(task: str, *objects: Mapping[str, str]) -> dict[str, Any]:
    """A task that acts on objects."""
    return {"outcome": "acts", "task": task, "objects": list(objects)}


def ended(task: str, outcome: str = "ok", *, rescued: bool = False) -> dict[str, Any]:
    """A task that has ended."""
    return {"outcome": outcome, "task": task, "rescued": rescued, "seconds": 0.1}


def target(act: str, kind: str, name: str = "", **more: str) -> dict[str, str]:
    """An object of an event; without a name, those of a selector."""
    return {"act": act, "kind": kind, **({"name": name} if name else {}), **more}


class Failed:
    """A run in which commands have failed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._count = 0

    def command(
        self, events: Sequence[Mapping[str, Any]] = (), *, message: str = MESSAGE, log: str = LOG, code: int = 4
    ) -> tuple[Path, Step, Cause, Path]:
        """Return what `capture` is given for one more command."""
        directory = self.root / f"{self._count:03d}__server__deploy"
        directory.mkdir()
        (directory / "_ansible.log").write_text(log, encoding="utf-8")
        lines = "".join(json.dumps(each) + "\n" for each in events)
        (directory / "_ansible.events.jsonl").write_text(lines, encoding="utf-8")
        step = Step(f"s{self._count:03d}", None, "command", "server deploy", directory.name)
        self._count += 1
        return self.root, step, Cause("CommandFailed", message, step.id, code), directory


def read(bundle: Path | None) -> dict[str, Any]:
    """Return what a bundle says to programs."""
    assert bundle is not None
    document: dict[str, Any] = json.loads((bundle / BUNDLE).read_text(encoding="utf-8"))
    return document
