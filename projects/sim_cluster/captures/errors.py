"""What is wrong with a capture, in words for the user. Raised in this package, shown by `verbs`."""

from __future__ import annotations

from pathlib import Path


class CaptureError(Exception):
    """A directory that is no capture, or a file of one that cannot be understood; `place` says which, with the line."""

    def __init__(self, message: str, place: Path | None = None, line: int | None = None) -> None:
        where = "" if place is None else f"{place}{'' if line is None else f':{line}'}: "
        super().__init__(f"{where}{message}")


class UnreachableError(Exception):
    """The cluster that is to be saved does not answer."""
