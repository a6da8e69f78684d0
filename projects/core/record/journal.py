"""Files of JSON lines that grow while others read them: whole lines are appended, and half a line is passed over.

Used by the step record, the compensations and the trace, which append; and by whoever reads what a process that was killed
may have left.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """A file that whole lines are appended to, each with one write. Safe to use from many threads and processes.

    Args:
      path: The file; it is made with the first line, or by `open`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._torn = False

    def open(self) -> None:
        """Open the file, unless it is open.

        Raises:
          OSError: it cannot be written.
        """
        with self._lock:
            self._opened()

    def append(self, line: bytes, *, durable: bool = False) -> None:
        """Append a line.

        Args:
          line: The line, without its end.
          durable: Whether it has to be on the disk when this returns.

        Raises:
          OSError: it could not be written whole: a full disk takes a part of it, or nothing.
        """
        with self._lock:
            descriptor = self._opened()
            data = b"\n" * self._torn + line + b"\n"
            self._torn = True  # until the line is whole
            if os.write(descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            self._torn = False
            if durable:
                os.fsync(descriptor)

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._torn = _ends_within_a_line(self._descriptor)
        return self._descriptor


def read_objects(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines; nothing when there is no such file."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from objects_in(data)


def objects_in(data: bytes) -> Iterator[dict[str, Any]]:
    """Yield the objects in some JSON lines; a line that a kill has cut off is left out, and so is what is no object."""
    for text in data.split(b"\n"):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def _ends_within_a_line(descriptor: int) -> bool:
    """Return whether whoever wrote last was killed meanwhile: the next line must not join that one."""
    size = os.fstat(descriptor).st_size
    return bool(size) and os.pread(descriptor, 1, size - 1) != b"\n"
