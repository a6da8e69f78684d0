"""The one place that writes to the real streams, so that what many threads print never tears a line. Used by the streams.

Everything arrives here redacted. A line of which only the beginning could be shown (a prompt, progress dots)
belongs to whoever began it: another writer's line starts on a line of its own. A stream that nobody reads any more
(`… | head`, a closed terminal) is no reason to end: the run goes on, and its artifacts tell of it.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Sequence
from typing import Literal, Protocol, TextIO

from projects.core.console.terminal import is_plain

_GONE = (errno.EPIPE, errno.EIO)
"""What a pipe without a reader and a terminal that was closed answer."""

Name = Literal["stdout", "stderr"]
Piece = tuple[Name, str]


class Sink(Protocol):
    """Where finished text goes: the outlet, or the block of a branch."""

    def accept(self, pieces: Sequence[Piece], owner: object) -> None:
        """Take pieces that belong together; `owner` is who may go on with an unfinished last line."""


class Screen(Protocol):
    """A live display at the bottom of the terminal, which others' lines are written above of."""

    def write_above(self, text: str) -> None:
        """Write whole lines above the display."""


class Target:
    """One real stream; stdout and stderr share what they know when they lead to the same file."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.plain = is_plain(stream)
        self.unfinished_by: object | None = None

    def identity(self) -> object:
        """Return what tells whether two streams lead to the same file."""
        try:
            status = os.fstat(self.stream.fileno())
        except (OSError, ValueError):
            return id(self.stream)
        return (status.st_dev, status.st_ino)

    def write(self, text: str) -> None:
        """Write to the real stream, at once; what its encoding lacks is escaped, what nobody can read is left out."""
        try:
            self._write(text)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            self._close()

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
        except UnicodeEncodeError:
            encoding = self.stream.encoding
            self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self.stream.flush()

    def _close(self) -> None:
        """Lead the stream nowhere, for the children that inherit it and for the flush at the end of the process, too."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)
        self.plain = True


class Outlet:
    """The real streams behind one lock.

    Args:
      stdout: The real standard output.
      stderr: The real standard error.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO) -> None:
        self.lock = threading.RLock()
        self.targets: dict[Name, Target] = {"stdout": Target(stdout), "stderr": Target(stderr)}
        self.screen: Screen | None = None
        self._one_file = len({target.identity() for target in self.targets.values()}) == 1
        self._last = time.monotonic()

    @property
    def silent_for(self) -> float:
        """Seconds since anything was written."""
        return time.monotonic() - self._last

    def shows_unfinished(self, name: Name) -> bool:
        """Return whether the beginning of a line can be shown: not above a live display."""
        return self.screen is None or self.targets[name].plain

    def accept(self, pieces: Sequence[Piece], owner: object) -> None:
        """Write pieces one after the other, with nothing of others between them."""
        with self.lock:
            self._last = time.monotonic()
            for name, text in pieces:
                if self.screen is not None and not self.targets[name].plain:
                    self.screen.write_above(text)
                else:
                    self._write(name, text, owner)

    def attach(self, screen: Screen) -> None:
        """Let a live display begin, on a line of its own."""
        with self.lock:
            for name, target in self.targets.items():
                if not target.plain:
                    self._end_line(name, unless_of=None)
            self.screen = screen

    def _write(self, name: Name, text: str, owner: object) -> None:
        self._end_line(name, unless_of=(owner, name))
        target = self.targets[name]
        target.write(text)
        if not text.endswith("\n"):
            target.unfinished_by = (owner, name)

    def _end_line(self, name: Name, *, unless_of: object) -> None:
        """End the line that somebody else began on a stream, or on the other one when both lead to one file."""
        target = self.targets[name]
        shared = list(self.targets.values()) if self._one_file else [target]
        if any(each.unfinished_by not in (None, unless_of) for each in shared):
            target.write("\n")
        for each in shared:
            each.unfinished_by = None

    def forget_others(self) -> None:
        """Start anew in a forked child, where the threads that held the lock are not."""
        self.lock = threading.RLock()
        self.screen = None
