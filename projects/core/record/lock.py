"""The lock by which a run that goes on is told from one that was killed. Held by every process that began a run in a directory.

It is a `flock`, which the kernel releases with the process, however that ends. Runs in one directory share it; who goes on
with an earlier run holds it alone while it takes over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from projects.core.values.errors import UsageError

FILE_NAME = "_run.lock"
_held: dict[Path, int] = {}


def hold(root: Path, *, alone: bool = False) -> None:
    """Hold the lock of a run until this process ends, or `release`.

    Args:
      root: The run's artifact directory.
      alone: Whether no other process may hold it at this moment.

    Raises:
      UsageError: another process holds it.
    """
    if root in _held:
        return
    descriptor = os.open(root / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
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
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False
