"""Where the running code stands: which run, which step, which artifact directory. Set by `env` and `run`, read by all.

It is a `contextvars` context: code that runs in a copied context (a branch of `Parallel`) inherits it and
changes it for itself only. A plain thread, which Python starts in an empty context, sees the run's root.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import defaultdict
from collections.abc import Iterator
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from pathlib import Path

from projects.core.record.attempts import Attempts, StepPath
from projects.core.record.steps import Record
from projects.core.values.errors import NotInitialised

_NOTHING = Attempts()


def _counts() -> dict[tuple[str, str], Iterator[int]]:
    return defaultdict(itertools.count)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a run: its record, the present artifact directory, and the id of the step around (None at the root)."""

    record: Record
    directory: Path
    step: str | None = None
    branch: bool = False
    """Whether this is below a branch of a `Parallel`, where the configuration may not be changed."""
    path: StepPath = ()
    """The path of the step around."""
    owned: bool = True
    """Whether this process began the run, or goes on with it, rather than having been started by a step of it."""
    earlier: Attempts = _NOTHING
    """What earlier processes of the run have done, when this one goes on with it."""
    counts: dict[tuple[str, str], Iterator[int]] = field(default_factory=_counts, compare=False, repr=False)
    """What `count` has counted."""

    def count(self, kind: str, name: str) -> int:
        """Return how many steps of a kind and name have begun in the step around before this call."""
        return next(self.counts[kind, name])

    def inside(self, directory: Path, step: str, path: StepPath, *, branch: bool = False) -> Place:
        """Return the place inside a step that begins here."""
        return replace(self, directory=directory, step=step, path=path, branch=self.branch or branch, counts=_counts())

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


@contextlib.contextmanager
def standing(place: Place) -> Iterator[None]:
    """Make `place` the root of this process's run inside the block, in every thread."""
    before, token = list(_root), _here.set(place)
    _root[:] = [place]
    try:
        yield
    finally:
        _root[:] = before
        _here.reset(token)


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


def enter(place: Place) -> Token[Place | None]:
    """Stand at `place` until `leave` is called with what this returns."""
    return _here.set(place)


def leave(token: Token[Place | None]) -> None:
    """Stand where the code stood before `enter`."""
    _here.reset(token)


def root_of(record: Record, *, step: str | None = None) -> Place:
    """Return the place at a run's root; `step` is the step of another process that this one works for."""
    return Place(record, record.root, step)
