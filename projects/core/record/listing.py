"""Which runs there are below a directory. Called by `runs list`.

A run is a directory that holds a record; runs inside it, such as that of a rehearsed one, are a part of it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from projects.core.record.standing import Run, read_run
from projects.core.record.steps import FILE_NAME

DEPTH = 4
"""How many directories down a run is looked for: a CI keeps them by job, build and step."""


def find_runs(base: Path, *, depth: int = DEPTH) -> Iterator[Path]:
    """Yield the artifact directories of the runs in a directory and below it.

    Args:
      base: The directory.
      depth: How far below it they are looked for. What cannot be read is passed over, and so are links.
    """
    if (base / FILE_NAME).is_file():
        yield base
    elif depth:
        for path in _directories(base):
            yield from find_runs(path, depth=depth - 1)


def list_runs(base: Path) -> list[Run]:
    """Return the runs below a directory, the newest first; a record that cannot be read is no run."""
    found = []
    for root in find_runs(base):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # another user's, or not a record of ours
            found.append(read_run(root))
    return sorted(found, key=lambda run: run.start, reverse=True)


def _directories(base: Path) -> list[Path]:
    try:
        with os.scandir(base) as entries:
            return sorted(Path(each.path) for each in entries if each.is_dir(follow_symlinks=False))
    except OSError:
        return []
