"""The changes that a record tells of, one by one: of a run that goes on, as they are written, and of one that has ended. Called by `runs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


class Feed:
    """Hands changes on to those that listen, as the record of a run does for its own process."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Step], None]] = []

    def listen(self, listener: Callable[[Step], None]) -> Callable[[], None]:
        """Call `listener` with each change.

        Returns:
          A function that takes the listener off again.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, step: Step) -> None:
        """Hand a change on."""
        for listener in list(self._listeners):
            listener(step)
