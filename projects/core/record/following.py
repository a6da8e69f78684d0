"""The changes that a record tells of, one by one: of a run that goes on, as they are written, and of one that has ended. Called by `runs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from projects.core.record.journal import objects_in
from projects.core.record.steps import FILE_NAME, Step, merged


class Follower:
    """Reads a record on from where it stood.

    Args:
      root: The run's artifact directory.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / FILE_NAME
        self._offset = 0
        self._known: dict[str, dict[str, Any]] = {}

    def changes(self) -> Iterator[Step]:
        """Yield, for each line that was written since the last call, the step that it is about, as it stood after it."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:  # it is made with the first line
            return
        whole, newline, _ = data.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in objects_in(whole):
            if "id" in line:
                known = self._known[line["id"]] = {**self._known.get(line["id"], {}), **line}
                yield from merged([known])
