"""Where the running code stands: which run, which step, which artifact directory. Set by `env` and `run`, read by all.

It is a `contextvars` context: code that runs in a copied context (a branch of `Parallel`) inherits it and
changes it for itself only. A plain thread, which Python starts in an empty context, sees the run's root.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from projects.core.record.steps import Record
from projects.core.values.errors import NotInitialised


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a run: its record, the present artifact directory, and the id of the step around (None at the root)."""

    record: Record
    directory: Path
    step: str | None = None
    branch: bool = False
    """Whether this is below a branch of a `Parallel`, where the configuration may not be changed."""

    def relative(self, directory: Path) -> str:
        """Return a directory as the record writes it: relative to the run's root, absolute when it is not below it."""
        if directory.is_relative_to(self.record.root):
            return str(directory.relative_to(self.record.root))
        return str(directory)


_here: ContextVar[Place | None] = ContextVar("foresail_place", default=None)
_root: list[Place] = []


def initialise(place: Place) -> None:
    """Make `place` the root of this process's run, here and in every thread that inherits no context."""
    _root[:] = [place]
    _here.set(place)


def is_initialised() -> bool:
    """Return whether the running code stands in a run."""
    return _here.get() is not None or bool(_root)


def here() -> Place:
    """Return the present place.

    Raises:
      NotInitialised: there is no run yet.
    """
    if place := _here.get() or (_root[0] if _root else None):
        return place
    raise NotInitialised(
        "there is no artifact directory yet", hint="call env.init() first, or run an entrypoint through main()"
    )


@contextlib.contextmanager
def at(place: Place) -> Iterator[Place]:
    """Stand at `place` inside the block."""
    token = _here.set(place)
    try:
        yield place
    finally:
        _here.reset(token)


def move(*, directory: Path | None = None, step: str | None = None, branch: bool | None = None) -> Place:
    """Return the present place with another directory, step or branch."""
    place = here()
    return replace(
        place,
        directory=directory or place.directory,
        step=step or place.step,
        branch=place.branch if branch is None else branch,
    )
