"""A step as a `with` block: its start and end in the record, its cause, its FAILURE file. Used by whatever in the library is a step."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import Token
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from projects.core.console import Tail, remember_output
from projects.core.record import context
from projects.core.record.context import Place
from projects.core.record.failures import put_failure_aside, write_failure
from projects.core.record.steps import Cause, Kind, Step, new_id
from projects.core.values.errors import Cancelled, Interrupted, exit_code_of
from projects.core.values.outcomes import ExitCode, Status

logger = logging.getLogger(__name__)
_CAUSE = "__foresail_cause__"


class StepScope:
    """Stands in a step from enter to exit; what is raised through it is recorded and goes on.

    It is a class, not a generator: a scope that is entered and then dropped stays open, as its record says.

    Args:
      kind: What the step is.
      name: Its name.
      directory: Its artifact directory, the present one when None.
      arguments: What it was given.
      tolerated: Whether its failure is expected by who runs it, and does not count.
      branch: Whether it is a branch of a `Parallel`.
      project: Of an entrypoint: the project.
      line: Of an outermost entrypoint: the shell line that it was called by.
      occurrence: Which of the steps of this kind and name it is, when the order of their starts does not tell.
      digest: What stands for the code that it runs.
      attempt: Which attempt it is; what the record tells when None.
    """

    def __init__(  # noqa: PLR0913 - what a step's line says, by keyword
        self,
        kind: Kind,
        name: str,
        *,
        directory: Path | None = None,
        arguments: Mapping[str, Any] | None = None,
        tolerated: bool = False,
        branch: bool = False,
        project: str = "",
        line: str = "",
        occurrence: int | None = None,
        digest: str = "",
        attempt: int | None = None,
    ) -> None:
        self._place = context.here()
        self._directory = directory or self._place.directory
        self._branch = branch
        self._tolerated = tolerated
        self._token: Token[Place | None] | None = None
        self._stack = ExitStack()
        self._tail = Tail()
        self.step = Step(
            new_id(),
            self._place.step,
            kind,
            name,
            self._place.relative(self._directory),
            dict(arguments or {}),
            project=project,
            line=line,
            occurrence=self._place.count(kind, name) if occurrence is None else occurrence,
            digest=digest,
        )
        self.path = (*self._place.path, (kind, name, self.step.occurrence))
        before = self._place.earlier.of(self.path)
        self.step.attempt = attempt or 1 + max((each.attempt for each in before), default=0)

    def __enter__(self) -> Self:
        """Record the start and stand in the step."""
        if self.step.attempt > 1:
            put_failure_aside(self._directory, self.step.attempt - 1)
        self._place.record.start(self.step)
        place = self._place.inside(self._directory, self.step.id, self.path, branch=self._branch)
        self._token = context.enter(place)
        self._tail = self._stack.enter_context(remember_output())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Record the end, after everything else that is written for the step."""
        output = self._tail.text()
        self._stack.close()
        if self._token is not None:
            context.leave(self._token)
        if error is None or (isinstance(error, SystemExit) and not error.code):
            passed = Status.PLANNED if self._place.record.planning else Status.PASSED
            self._place.record.end(self.step, passed)
            return
        cause = cause_of(error, self.step)
        status = status_of(error)
        self.step.tolerated = self._tolerated and status in (Status.FAILED, Status.TIMED_OUT)
        if status is not Status.CANCELLED and not self.step.tolerated:
            with _going_on(self.step, cause):
                write_failure(self._place.record.root, self.step, cause, output)
        with _going_on(self.step, cause):
            self._place.record.end(self.step, status, cause)


@contextmanager
def _going_on(step: Step, cause: Cause) -> Iterator[None]:
    """Let a full disk not take the place of why the step failed, which goes on from here."""
    try:
        yield
    except OSError:
        logger.exception("%s failed, which could not be recorded: %s", step.name, cause.message)


def cause_of(error: BaseException, step: Step) -> Cause:
    """Return why a step did not pass: the first cause when the error, or what it was raised from, began in an inner step.

    Args:
      error: What was raised through the step. It remembers its cause for the steps around.
      step: The step.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(known := getattr(seen, _CAUSE, None), Cause):
            return known
        seen = _first(seen) if isinstance(seen, BaseExceptionGroup) else seen.__cause__
    message = str(error) or type(error).__name__
    place = getattr(error, "place", None)
    if place and not place.endswith(step.directory):  # the record says the step's own directory anyway
        message = f"{message} (in {place})"
    hint = getattr(error, "hint", None)
    cause = Cause(type(error).__name__, message, step.id, int(exit_code_of(error)), hint)
    blame(error, cause)
    return cause


def blame(error: BaseException, cause: Cause) -> None:
    """Say that an error began with `cause`, as its step, or the steps of another process, have recorded it."""
    object.__setattr__(error, _CAUSE, cause)  # an error may be a frozen dataclass


def is_recorded(error: BaseException) -> bool:
    """Return whether a step has recorded an error as its cause."""
    return hasattr(error, _CAUSE)


def status_of(error: BaseException) -> Status:
    """Return how a step that an error goes through has ended."""
    if isinstance(error, BaseExceptionGroup):
        return status_of(_first(error))
    if isinstance(error, Cancelled):
        return Status.CANCELLED
    if isinstance(error, Interrupted | KeyboardInterrupt):
        return Status.INTERRUPTED
    return Status.TIMED_OUT if exit_code_of(error) == ExitCode.TIMED_OUT else Status.FAILED


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the member that tells why: the first that was not merely cancelled."""
    return next((each for each in group.exceptions if not isinstance(each, Cancelled)), group.exceptions[0])
