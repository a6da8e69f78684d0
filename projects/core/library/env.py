"""The artifact directory: where the running code writes. Imported by orchestrations as `env`.

`env.ARTIFACT_DIR` is read from the context each time, so it must be read as an attribute, never imported by value.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from projects.core import tracing
from projects.core.execution import leftovers
from projects.core.execution.cancellation import deadline
from projects.core.execution.request import PLAN
from projects.core.library.directories import (
    BASE_DIR_VARIABLE,
    claim_directory,
    directory_of,
    new_directory,
    next_artifact_index,
)
from projects.core.library.scope import StepScope
from projects.core.record import context, lock
from projects.core.record.attempts import Attempts
from projects.core.record.steps import Record, read_steps
from projects.core.values.errors import UsageError

__all__ = [
    "ARTIFACT_DIR",
    "NextArtifactDir",
    "TempArtifactDir",
    "child_environment",
    "claim_directory",
    "init",
    "next_artifact_index",
    "owns_run",
]

if TYPE_CHECKING:
    ARTIFACT_DIR: Path

RECORD_VARIABLE = "FORESAIL_RECORD"
"""Names the root of the run that a child process belongs to."""
STEP_VARIABLE = "FORESAIL_STEP"
"""The id of the step that a child process was started in."""
RESUMED_VARIABLE = "FORESAIL_RESUMED"
"""Set when the run goes on with an earlier one: a child process skips what was done, too."""


def __getattr__(name: str) -> Any:
    if name == "ARTIFACT_DIR":
        return context.here().directory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def init(root: Path | None = None, *, owned: bool = True) -> Path:
    """Make or join a run, unless the code stands in one already.

    The directory is `$ARTIFACT_DIR` when it is set, else a new `foresail_<date>` below `$FORESAIL_BASE_DIR` (`/tmp`
    when that is unset). A process that a step of a run has started joins that run's record.

    Args:
      root: Artifact directory of a run to go on with, instead.
      owned: Whether what belongs to the end of that run is written again.

    Returns:
      The artifact directory.

    Raises:
      UsageError: it cannot be made, or the run in it still goes on.
    """
    if context.is_initialised():
        return context.here().directory
    given = root or os.environ.get("ARTIFACT_DIR")
    try:
        directory = Path(given).absolute() if given else new_directory()
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        named = "ARTIFACT_DIR" if given else BASE_DIR_VARIABLE
        raise UsageError(
            f"the artifact directory cannot be made: {error}", hint=f"${named} says where it is"
        ) from error
    inherited, step = (None, None) if root else _inherited(directory)
    record = Record(inherited or directory)
    if inherited is None:
        # What a run that was killed has started may still be about to end.
        lock.hold(directory, alone=(lambda: leftovers.end_all(RECORD_VARIABLE, directory)) if root else None)
    steps = read_steps(record.root) if root or step else []
    known = Attempts(steps, record.root)
    goes_on = root is not None or bool(os.environ.get(RESUMED_VARIABLE))
    place = context.Place(
        record,
        directory,
        step,
        path=known.path(step),
        owned=owned and inherited is None,
        earlier=known if goes_on else Attempts(),
    )
    for each in steps if step else ():
        if each.parent == step:  # what other child processes of the step have begun
            place.count(each.kind, each.name)
    context.initialise(place)
    return directory


def owns_run() -> bool:
    """Return whether this process began the run, rather than having been started by a step of it."""
    return context.here().owned


def child_environment() -> dict[str, str]:
    """Return the environment variables that make a child process work for the present step, in the present directory."""
    place = context.here()
    own = {
        "ARTIFACT_DIR": str(place.directory),
        RECORD_VARIABLE: str(place.record.root),
        leftovers.OWNER: leftovers.owner(),
    }
    resumed = {RESUMED_VARIABLE: "1"} if place.earlier else {}
    planned = {PLAN: "1"} if place.record.planning else {}
    of_step = {STEP_VARIABLE: place.step, **tracing.traceparent(place.step)} if place.step else {}
    return own | resumed | planned | of_step


class _Directory:
    """A step with a directory of its own, as a context manager that yields the path."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._stack = ExitStack()

    def _enter(self, name: str, directory: Path | None) -> Path:
        occurrence = context.here().count("directory", name)
        directory = directory or directory_of("directory", name, occurrence)
        self._stack.enter_context(StepScope("directory", name, directory=directory, occurrence=occurrence))
        self._stack.enter_context(deadline(self._timeout, name))
        return directory

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)


class NextArtifactDir(_Directory):
    """Work in the next numbered directory, a step of the run: ``with env.NextArtifactDir("prepare") as directory:``.

    Args:
      name: What stands behind the number.
      timeout: Seconds that what is inside is given; None for as long as it takes.

    Raises:
      TimedOut: the time has passed.
    """

    def __init__(self, name: str, *, timeout: float | None = None) -> None:
        super().__init__(timeout)
        self._name = name

    def __enter__(self) -> Path:
        return self._enter(self._name, None)


class TempArtifactDir(_Directory):
    """Work in a given directory, made when it is missing, a step of the run like a numbered one.

    Args:
      directory: The directory.
      timeout: Seconds that what is inside is given; None for as long as it takes.

    Raises:
      TimedOut: the time has passed.
    """

    def __init__(self, directory: Path | str, *, timeout: float | None = None) -> None:
        super().__init__(timeout)
        self._directory = Path(directory).absolute()

    def __enter__(self) -> Path:
        directory, root = self._directory, context.here().record.root
        if context.here().record.planning and not directory.is_relative_to(root):
            directory = root / directory.name  # a plan makes nothing outside of its own directory
        directory.mkdir(parents=True, exist_ok=True)
        return self._enter(directory.name, directory)


def _inherited(directory: Path) -> tuple[Path | None, str | None]:
    """Return the run and step that this process was started for; a run that it does not write below is not its own."""
    root = os.environ.get(RECORD_VARIABLE)
    if root and directory.is_relative_to(root):
        return Path(root), os.environ.get(STEP_VARIABLE)
    return None, None
