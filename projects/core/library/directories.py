"""Directories of steps: numbered, and in a resumed run those of the steps whose bodies run again. Called by `env` and by what is a step."""

from __future__ import annotations

import fcntl
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from projects.core.record import context
from projects.core.record.steps import Kind
from projects.core.values.errors import NotInitialised
from projects.core.values.redaction import REDACTOR

BASE_DIR_VARIABLE = "FORESAIL_BASE_DIR"
_NUMBERED = re.compile(r"(\d{3,})__")


def base_directory() -> Path:
    """Return the directory that new runs are made in: `$FORESAIL_BASE_DIR`, or `/tmp`, where TOPSAIL's users look for them."""
    return Path(os.environ.get(BASE_DIR_VARIABLE) or "/tmp")  # noqa: S108 - each run has a directory of its own there


def new_directory() -> Path:
    """Make and return a new directory below `base_directory`, for a run that was given none: `foresail_<date>`.

    Raises:
      NotInitialised: there are a thousand of this second.
    """
    base = base_directory()
    base.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for attempt in range(1000):
        directory = base / (f"foresail_{stamp}" + (f"-{attempt}" if attempt else ""))
        try:
            directory.mkdir()
        except FileExistsError:
            continue
        return directory
    raise NotInitialised(f"could not make a new artifact directory below {base}")


def next_artifact_index() -> int:
    """Return the number that the next numbered directory would get, were nobody else to claim one meanwhile."""
    return _next_number(context.here().directory)


def claim_directory(name: str, parent: Path | None = None) -> Path:
    """Make the next numbered directory, `NNN__name`.

    The number is one more than the highest there is. The `mkdir` is done under a lock on the parent directory,
    which the kernel releases when a process dies: no thread and no process gets a number of another one.

    Args:
      name: What stands behind the number.
      parent: Where; the present artifact directory when None.

    Returns:
      The new directory.
    """
    parent = parent or context.here().directory
    name = REDACTOR.redact(name)
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        directory = parent / f"{_next_number(parent):03d}__{name.replace('/', '_')}"
        directory.mkdir()
    finally:
        os.close(descriptor)
    return directory


def directory_of(kind: Kind, name: str, occurrence: int) -> Path:
    """Return the directory of a step whose body always runs: in a resumed run the one that it had, else the next numbered.

    What is in it stays where it was, so that what the body hands on, such as paths, is what it handed on before.

    Args:
      kind: What the step is.
      name: Its name.
      occurrence: Which of the steps of this kind and name it is.
    """
    place = context.here()
    before = place.earlier.of((*place.path, (kind, name, occurrence)))
    if not before:
        return claim_directory(name)
    directory = place.record.root / before[-1].directory
    if place.record.planning and not directory.is_relative_to(place.record.root):
        return claim_directory(name)  # a plan makes nothing outside of its own directory
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _next_number(directory: Path) -> int:
    numbers = [int(found[1]) for path in directory.iterdir() if (found := _NUMBERED.match(path.name))]
    return max(numbers, default=-1) + 1
