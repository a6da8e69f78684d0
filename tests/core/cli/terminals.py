"""A program on a terminal of its own: what it wrote there. Used by the tests of what looks different on one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Terminal:
    """A running program and what it has written so far."""

    process: subprocess.Popen[bytes]
    descriptor: int
    received: bytearray = field(default_factory=bytearray)

    @property
    def raw(self) -> str:
        """All that it wrote, with its escapes."""
        return self.received.decode(errors="replace")

    @property
    def text(self) -> str:
        """All that it wrote, without escapes."""
        return _ESCAPE.sub("", self.raw).replace("\r", "")

    def read_until(self, text: str) -> None:
        """Read until a text was written."""
        while text not in self.text:
            assert self._read(), f"it ended without {text!r}: {self.text}"

    def finish(self) -> int:
        """Read to the end; return the exit code."""
        while self._read():
            pass
        return self.process.wait()

    def _read(self) -> bool:
        try:
            chunk = os.read(self.descriptor, 65536)
        except OSError:  # how Linux says that the other side was closed
            return False
        self.received += chunk
        return bool(chunk)


@contextmanager
def terminal(argv: Sequence[str], *, columns: int = 80, **environment: str) -> Iterator[Terminal]:
    """Run a program with a terminal as its standard streams; it is killed should it outlive the block."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "TERM", "COLUMNS")}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        list(argv),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**inherited, "TERM": "xterm-256color", **environment},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
