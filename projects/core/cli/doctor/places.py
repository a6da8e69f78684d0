"""What `doctor` asks of the places where runs write: the artifact directory, its disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from projects.core.cli.doctor.findings import Finding, bounded, ok, problem, warning
from projects.core.library.directories import BASE_DIR_VARIABLE, base_directory
from projects.core.values.errors import TimedOut

_GIB = 1 << 30
_LEAST = 1 * _GIB
_GOOD = 5 * _GIB
_LEAST_INODES = 10_000


def artifacts() -> Iterator[Finding]:
    """Ask whether a run can write its artifacts."""
    name, path = _place()
    try:
        existing = bounded(lambda: _existing(path), str(path))
        bounded(lambda: _write(existing), str(existing))
    except (OSError, TimedOut) as error:
        yield problem("artifacts", f"{path} ({name}) cannot be written: {error}", f"let {name} name another directory")
        return
    unset = "" if os.environ.get(name.removeprefix("$")) else " is unset"
    yield ok("artifacts", f"{path} ({name}{unset})" + ("" if existing == path else ", which will be made"))


def disk() -> Iterator[Finding]:
    """Ask how much the artifacts' disk can still take."""
    name, path = _place()
    advice = f"make room, or let {name} name a directory on another disk"
    try:
        existing = bounded(lambda: _existing(path), str(path))
        free = bounded(lambda: shutil.disk_usage(existing).free, str(existing))
        inodes = bounded(lambda: os.statvfs(existing), str(existing))
    except (OSError, TimedOut) as error:
        yield problem("disk", str(error), advice)
        return
    text = f"{free / _GIB:.1f} GiB free at {existing}"
    if inodes.f_files:  # a file system without a table of them says 0
        text += f", {inodes.f_favail:,} inodes"
    if free < _LEAST or (inodes.f_files and inodes.f_favail < _LEAST_INODES):
        yield problem("disk", text, advice)
    elif free < _GOOD:
        yield warning("disk", text, advice)
    else:
        yield ok("disk", text)


CHECKS: Sequence[Callable[[], Iterator[Finding]]] = (artifacts, disk)


def _place() -> tuple[str, Path]:
    """Return where the next run writes, and the variable that says so."""
    if given := os.environ.get("ARTIFACT_DIR"):
        return "$ARTIFACT_DIR", Path(given).absolute()
    return f"${BASE_DIR_VARIABLE}", base_directory().absolute()


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _write(directory: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".foresail-doctor-") as file:
        file.write(b"x")
