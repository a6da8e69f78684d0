"""Standard output and error without secrets, in whole lines, a branch's output in one piece. Installed by `main` and the CLI.

    print / logging ──> RedactingStream ──> Lines ──> the branch's block, if any ──> Outlet ──> the real stream
                                              └──> the tails of the steps around

What a child process inherits as its own standard output does not pass through here: whoever starts children reads
their output and writes it to `sys.stdout`.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import BinaryIO, TextIO, cast

from projects.core.console.lines import Lines, Source, together
from projects.core.console.outlet import Name, Outlet, Piece, Sink
from projects.core.console.tails import present_tail
from projects.core.values.redaction import REDACTOR

HOLD = 0.2
_block: ContextVar[Block | None] = ContextVar("foresail_output_block", default=None)
_installed: list[Streams] = []


class RedactingStream(io.TextIOBase):
    """A text stream in place of `sys.stdout` or `sys.stderr`.

    Args:
      streams: The pair that it belongs to.
      name: Which of the two it is.
      real: The stream that it stands for.
    """

    def __init__(self, streams: Streams, name: Name, real: TextIO) -> None:
        super().__init__()
        self._streams = streams
        self.stream_name: Name = name
        self.real = real
        self.buffer: BinaryIO = cast("BinaryIO", _Buffer(self))

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has an attribute here
        """The encoding of the real stream."""
        return self.real.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """How the real stream treats what its encoding lacks."""
        return self.real.errors

    def write(self, text: str, /) -> int:
        """Take text; whole lines go on at once, the beginning of a line waits for its end."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._streams.write(self.stream_name, text)
        return len(text)

    def flush(self) -> None:
        """Flush what is whole. The beginning of a line waits a moment more, since a flush may fall into a secret."""
        self._streams.lines.flush(threading.get_ident(), self.stream_name)
        self.real.flush()

    def close(self) -> None:
        """Flush; the real stream belongs to the process and stays open."""
        self.flush()

    def fileno(self) -> int:
        """Return the descriptor of the real stream."""
        return self.real.fileno()

    def isatty(self) -> bool:
        """Return whether the real stream is a terminal."""
        return self.real.isatty()

    def writable(self) -> bool:
        """Return True."""
        return True

    def reconfigure(self, **options: object) -> None:
        """Hand options to the real stream, as `io.TextIOWrapper.reconfigure` does."""
        if isinstance(self.real, io.TextIOWrapper):
            self.real.reconfigure(**options)  # type: ignore[arg-type] # its own to check


class _Buffer(io.BufferedIOBase):
    """The binary side of a stream: bytes are decoded and take the way of text."""

    def __init__(self, text: RedactingStream) -> None:
        super().__init__()
        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def write(self, data: bytes, /) -> int:  # type: ignore[override] # narrower than the abstract one: bytes are written
        self._text.write(self._decoder.decode(bytes(data)))
        return len(data)

    def flush(self) -> None:
        self._text.flush()

    def close(self) -> None:
        self.flush()

    def fileno(self) -> int:
        return self._text.fileno()

    def isatty(self) -> bool:
        return self._text.isatty()

    def writable(self) -> bool:
        return True


class Streams:
    """The pair of standard streams of this process while they are installed."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, hold: float) -> None:
        self.outlet = Outlet(stdout, stderr)
        self.lines = Lines(self.outlet, hold=hold)
        self.stdout = cast("TextIO", RedactingStream(self, "stdout", stdout))
        self.stderr = cast("TextIO", RedactingStream(self, "stderr", stderr))

    def write(self, name: Name, text: str) -> None:
        """Take what the running code printed, to where its context belongs."""
        block = _block.get()
        sink: Sink = self.outlet if block is None or block.ended else block
        tail = present_tail()
        if tail is not None:
            tail.unfinished = self.lines.unfinished_of
        self.lines.feed(Source(threading.get_ident(), name, sink, tail), text)

    def direct(self, line: str, *, name: Name = "stderr") -> None:
        """Write a line past the blocks of branches, redacted, whole."""
        self.outlet.accept([(name, REDACTOR.redact(line) + "\n")], owner=None)

    def forget_others(self) -> None:
        """Start anew in a forked child."""
        self.outlet.forget_others()
        self.lines.forget_others()


class Block:
    """What a branch prints, until it ends."""

    def __init__(self, label: str, parent: Sink) -> None:
        self.label = label
        self.parent = parent
        self.ended = False
        self._lock = threading.Lock()
        self._pieces: list[Piece] = []

    def accept(self, pieces: Sequence[Piece], owner: object) -> None:
        """Keep pieces; what still comes from a thread that outlives the branch goes to where the branch belongs."""
        with self._lock:
            if not self.ended:
                self._pieces += pieces
                return
        self.parent.accept(pieces, owner)

    def end(self) -> None:
        """Hand on everything as one piece, between a line that names the branch and one that says where it ends."""
        with self._lock:
            self.ended = True
            kept, self._pieces = self._pieces, []
        if kept:
            first, last = kept[0][0], kept[-1][0]
            pieces = [(first, f"--- {self.label}\n"), *kept, (last, f"--- end of {self.label}\n")]
            self.parent.accept(together((name, REDACTOR.redact(text)) for name, text in pieces), self)


@contextlib.contextmanager
def install(*, hold: float = HOLD) -> Iterator[Streams]:
    """Put redacting streams in place of `sys.stdout` and `sys.stderr`, and take them off again.

    Log handlers that write to the streams of before are led to the new ones. Inside another `install` nothing changes.

    Args:
      hold: How long the beginning of a line, once flushed, waits for its end before it is shown, in seconds.
    """
    if _installed:
        yield _installed[0]
        return
    old = sys.stdout, sys.stderr
    streams = Streams(*old, hold=hold)
    new = streams.stdout, streams.stderr
    _installed.append(streams)
    _watch_forks()
    sys.stdout, sys.stderr = new
    _lead_handlers(old, new)
    try:
        yield streams
    finally:
        streams.lines.close()
        _lead_handlers(new, old)
        sys.stdout = old[0] if sys.stdout is new[0] else sys.stdout
        sys.stderr = old[1] if sys.stderr is new[1] else sys.stderr
        _installed.clear()


def installed() -> Streams | None:
    """Return the streams that are installed in this process, if they are."""
    return _installed[0] if _installed else None


@contextlib.contextmanager
def branch_output(label: str) -> Iterator[None]:
    """Collect what this context prints, and write it in one piece when the block ends.

    Contexts that are copied inside the block print into it too. A block inside another one becomes a part of it.
    While the streams are not installed, nothing changes.

    Args:
      label: The branch, named in the line before its output and in the one after it.
    """
    streams = installed()
    if streams is None:
        yield
        return
    block = Block(label, _block.get() or streams.outlet)
    token = _block.set(block)
    try:
        yield
    finally:
        _block.reset(token)
        streams.lines.finish(lambda source: source.sink is block)
        block.end()


def say(line: str) -> None:
    """Write a line on standard error, past the blocks of branches, redacted."""
    if streams := installed():
        streams.direct(line)
    else:
        sys.stderr.write(REDACTOR.redact(line) + "\n")
        sys.stderr.flush()


@functools.cache
def _watch_forks() -> None:
    """Let a forked child start with free locks; a registration cannot be taken back, so there is one per process."""
    os.register_at_fork(after_in_child=_forget_others)


def _forget_others() -> None:
    for streams in _installed:
        streams.forget_others()


def _lead_handlers(old: Sequence[TextIO], new: Sequence[TextIO]) -> None:
    named = logging.Logger.manager.loggerDict.values()
    for logger in [logging.getLogger(), *(each for each in named if isinstance(each, logging.Logger))]:
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler):
                for before, after in zip(old, new, strict=True):
                    if handler.stream is before:
                        handler.setStream(after)
