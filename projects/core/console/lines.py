"""Puts lines together before they are redacted and go on. Used by the streams alone.

Redaction needs whole lines: a secret may arrive in two writes. So each thread's unfinished line is held back until
it ends. One that is flushed (a prompt, dots that tell of progress) and does not end within `hold` seconds is shown
as it stands, redacted, without an end that may be the beginning of a secret. Should its rest complete one all the same
(one that was not known before), the line is written anew with the secret masked.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from projects.core.console.outlet import Name, Outlet, Piece, Sink
from projects.core.console.tails import Tail
from projects.core.record.artifacts import ESCAPE
from projects.core.values.redaction import REDACTOR

_RETURN = re.compile(r"\r+\n?")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Whose line it is: a thread, one of the streams, and the context that it writes in."""

    thread: int
    name: Name
    sink: Sink
    tail: Tail | None

    @property
    def key(self) -> tuple[int, Name, int, int]:
        """What tells two sources apart."""
        return (self.thread, self.name, id(self.sink), id(self.tail))


@dataclass(slots=True)
class _Unfinished:
    source: Source
    raw: str
    shown: str
    flushed: float | None


class Lines:
    """The unfinished lines of all threads.

    Args:
      outlet: Where lines go in the end; a line that goes into a block is not shown before it is whole.
      hold: How long the beginning of a line is held back once it is flushed, in seconds.
    """

    def __init__(self, outlet: Outlet, *, hold: float) -> None:
        self.outlet = outlet
        self.hold = hold
        self._lock = threading.RLock()
        self._unfinished: dict[tuple[int, Name, int, int], _Unfinished] = {}
        self._pending = threading.Event()
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    def feed(self, source: Source, text: str) -> None:
        """Take what was written; whole lines go on at once."""
        with self._lock:
            held = self._unfinished.pop(source.key, None)
            raw = self._normalised(source.name, held.raw + text if held else text)
            whole, newline, rest = raw.rpartition("\n")
            shown = held.shown if held else ""
            if newline:
                self._send(source, whole + "\n", shown)
                shown = ""
            if rest:
                self._unfinished[source.key] = _Unfinished(source, rest, shown, flushed=None)

    def flush(self, thread: int, name: Name) -> None:
        """Let the beginning of a thread's line be shown if its end does not come soon."""
        with self._lock:
            for held in self._unfinished.values():
                if held.source.thread == thread and held.source.name == name:
                    held.flushed = time.monotonic()
                    self._watch()

    def finish(self, concerned: Callable[[Source], bool]) -> None:
        """End the unfinished lines of some sources, as they stand."""
        with self._lock:
            for key in [key for key, held in self._unfinished.items() if concerned(held.source)]:
                held = self._unfinished.pop(key)
                self._send(held.source, held.raw + "\n", held.shown)

    def unfinished_of(self, tail: Tail) -> str:
        """Return the beginnings of lines that were printed in the context of a tail, redacted."""
        with self._lock:
            return "\n".join(
                REDACTOR.redact(held.raw) for held in self._unfinished.values() if held.source.tail is tail
            )

    def close(self) -> None:
        """End all lines and the thread that watches them."""
        self._closed.set()
        self._pending.set()
        if self._watcher is not None:
            self._watcher.join()
        with self._lock:
            for held in list(self._unfinished.values()):
                self._send(held.source, held.raw, held.shown)
            self._unfinished.clear()

    def forget_others(self) -> None:
        """Start anew in a forked child: the lines belong to the parent, the watching thread is not there."""
        self._lock = threading.RLock()
        self._unfinished.clear()
        self._pending = threading.Event()
        self._watcher = None

    def _normalised(self, name: Name, text: str) -> str:
        """Return text for a log: no escapes, each carriage return ends a line. A terminal gets both as they are."""
        if not self.outlet.targets[name].plain:
            return text
        if "\x1b" in text:
            text = ESCAPE.sub("", text)
        if "\r" in text:
            kept = "\r" if text.endswith("\r") else ""  # its newline may come with the next write
            text = _RETURN.sub("\n", text.rstrip("\r")) + kept
        return text

    def _send(self, source: Source, raw: str, shown: str) -> None:
        text = REDACTOR.redact(raw)
        if source.tail is not None:
            source.tail.add(text)
        if shown:
            text = text[len(shown) :] if text.startswith(shown) else "\n" + text
        source.sink.accept([(source.name, text)], source.key)

    def _watch(self) -> None:
        if not self._pending.is_set():
            self._pending.set()
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._show_late, name="foresail-unfinished-lines", daemon=True)
            self._watcher.start()

    def _show_late(self) -> None:
        while not self._closed.is_set():
            self._pending.wait()
            if self._closed.wait(self.hold / 2):
                return
            with self._lock:
                if not any([self._show(held) for held in self._unfinished.values()]):  # noqa: C419 - each has to be shown
                    self._pending.clear()

    def _show(self, held: _Unfinished) -> bool:
        """Show what stands of a line when it is late.

        Returns:
          Whether it may have to be looked at again.
        """
        if (
            held.flushed is None
            or held.source.sink is not self.outlet
            or not self.outlet.shows_unfinished(held.source.name)
        ):
            return False
        if time.monotonic() - held.flushed < self.hold:
            return True
        text = REDACTOR.redact(held.raw.rstrip("\r"))
        text = text.removesuffix(text[len(text) - REDACTOR.begun(text) :])
        if text.startswith(held.shown):  # else its rest completed a secret: the whole line has to come
            self.outlet.accept([(held.source.name, text[len(held.shown) :])], held.source.key)
            held.shown = text
        held.flushed = None
        return False


def together(pieces: Iterable[Piece]) -> list[Piece]:
    """Return pieces with neighbours of the same stream joined."""
    joined: list[Piece] = []
    for name, text in pieces:
        if joined and joined[-1][0] == name:
            joined[-1] = (name, joined[-1][1] + text)
        else:
            joined.append((name, text))
    return joined
