"""The last lines that a step printed, kept for its `FAILURE` file. Entered by the step's context manager, fed by the streams."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar

LINES = 200
CHARACTERS = 16 * 1024
_tail: ContextVar[Tail | None] = ContextVar("foresail_output_tail", default=None)


class Tail:
    """The last lines of what was printed in a context, redacted; bounded by `LINES` and by `CHARACTERS`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=LINES)
        self._size = 0
        self.unfinished: Callable[[Tail], str] | None = None
        """Where the beginning of a line that has no end yet is found; set by the streams."""

    def add(self, text: str) -> None:
        """Add one or more lines."""
        with self._lock:
            for line in text.splitlines()[-LINES:]:
                if len(self._lines) == LINES:
                    self._size -= len(self._lines.popleft()) + 1
                self._lines.append(line[-CHARACTERS:])
                self._size += len(self._lines[-1]) + 1
            while self._size > CHARACTERS and len(self._lines) > 1:
                self._size -= len(self._lines.popleft()) + 1

    def text(self) -> str:
        """Return the lines, the unfinished last one included."""
        unfinished = self.unfinished(self) if self.unfinished else ""  # has a lock of its own
        with self._lock:
            return "\n".join([*self._lines, unfinished]).strip("\n")


@contextlib.contextmanager
def remember_output() -> Iterator[Tail]:
    """Keep the end of what is printed inside the block, in this context and in those copied from it.

    What an inner block kept is added to the outer one when the inner one ends, so a step knows what its inner steps
    said. Nothing is kept while the streams are not installed.
    """
    outer = _tail.get()
    tail = Tail()
    token = _tail.set(tail)
    try:
        yield tail
    finally:
        _tail.reset(token)
        if outer is not None:
            outer.add(tail.text())


def present_tail() -> Tail | None:
    """Return what keeps the output of the running code."""
    return _tail.get()
