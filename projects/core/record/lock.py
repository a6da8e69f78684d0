"""The lock by which a run that goes on is told from one that was killed. Held by every process that began a run in a directory.

It belongs to an open file (an OFD lock of Linux), so the kernel releases it with the process, however that ends, and one can
ask for it without taking it. Runs in one directory share it; who goes on with an earlier run takes it alone for a moment.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

from projects.core.values.errors import UsageError

FILE_NAME = "_run.lock"
_FLOCK = "hhqqi4x"
"""`struct flock` on 64-bit Linux: type, whence, start, length, process."""
_held: dict[Path, int] = {}


def hold(root: Path, *, alone: Callable[[], object] | None = None) -> None:
    """Hold the lock of a run until this process ends, or `release`.

    Args:
      root: The run's artifact directory.
      alone: What is done while no other process may hold it, as who goes on with a run takes it over.

    Raises:
      UsageError: another process holds it, or nothing can be written to the directory.
    """
    if root in _held:
        return
    try:
        descriptor = os.open(root / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UsageError(f"nothing can be written to the artifact directory: {error.strerror}", place=root) from error
    try:
        if alone:
            _ask(descriptor, fcntl.F_OFD_SETLK, fcntl.F_WRLCK)
            alone()
        _ask(descriptor, fcntl.F_OFD_SETLK, fcntl.F_RDLCK)
    except BlockingIOError:
        os.close(descriptor)
        raise UsageError(
            "the run in this directory still goes on", hint="wait for its end, or end it first", place=root
        ) from None
    _held[root] = descriptor


def release(root: Path) -> None:
    """Give the lock of a run back."""
    if (descriptor := _held.pop(root, None)) is not None:
        os.close(descriptor)


def is_alive(root: Path) -> bool:
    """Return whether a process that began a run in a directory is still there."""
    if root in _held:
        return True
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(root / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _ask(descriptor, fcntl.F_OFD_GETLK, fcntl.F_WRLCK) != fcntl.F_UNLCK
        finally:
            os.close(descriptor)
    return False


def _ask(descriptor: int, command: int, kind: int) -> int:
    """Set, or ask about, a lock on the whole file; return the kind that was set, or that stands in its way."""
    answer = fcntl.fcntl(descriptor, command, struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0))
    return int(struct.unpack(_FLOCK, answer)[0])
