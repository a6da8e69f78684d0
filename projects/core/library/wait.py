"""The only ways to wait in Python: until something is so, and until something goes well. Imported by orchestrations as `wait`.

A bare sleep cannot be interrupted, has no deadline and tells nobody what it is for; the linter refuses it. What is waited
for here, and each attempt, is a step of the run, which ends at once when the run is to end.
"""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from projects.core import planning
from projects.core.cluster.session import current_clock
from projects.core.console import waiting_for
from projects.core.library import env, resume
from projects.core.library.backoff import pause, pauses
from projects.core.library.scope import StepScope
from projects.core.record import context
from projects.core.values.errors import TimedOut, UsageError, is_permanent, is_transient
from projects.core.values.redaction import REDACTOR
from projects.core.values.unknown import Unknown
from projects.core.values.wording import counted

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["retry", "wait_for"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
On = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], object]

logger = logging.getLogger(__name__)
_SHOWN = 300


def wait_for(
    predicate: Callable[[], T], timeout: float, describe: str = "", *, interval: float = 0.2, longest: float = 5.0
) -> T:
    """Wait until a function returns something true; a step of the run.

    Args:
      predicate: Looks, and returns quickly. A transient error that it raises is noted, and it is asked again.
      timeout: Seconds that this may take altogether. It is looked at once in any case, and once more at the end.
      describe: What is waited for, as it reads after "waiting for"; the function's name when empty.
      interval: Seconds before the second look; it then grows.
      longest: Seconds that it grows to.

    Returns:
      What the function returned. In a plan nothing is asked, and nothing is known.

    Raises:
      TimedOut: it took longer; the message says what was waited for and what was seen last.
      Exception: what the function raised, unless it is transient.
    """
    what = describe or _name_of(predicate)
    if not timeout >= 0:
        raise UsageError(f"waiting for {what}: expected a time-out of so many seconds, found {timeout}")
    intervals = pauses(interval, longest)
    with StepScope("wait", what, arguments={"timeout": timeout}) as scope:
        if planning.is_planning():
            return cast("T", Unknown.of(f"what waiting for {what} returns"))
        waiting_for(scope.step.id, what)
        seen = _Seen(predicate)
        clock = current_clock()
        deadline = clock.now() + timeout
        try:
            for seconds in intervals:
                if value := seen.look():
                    return value
                if (left := deadline - clock.now()) <= 0:
                    break
                pause(min(seconds, left))
        finally:
            waiting_for(scope.step.id, None)
            scope.step.details = {"polls": seen.looks, "errors": seen.errors}
        raise TimedOut(f"timed out after {timeout:g} s waiting for {what}: {seen.last} ({seen.count})")


class _Seen(Generic[T]):
    """What came of looking so far."""

    def __init__(self, predicate: Callable[[], T]) -> None:
        self._predicate = predicate
        self.looks = 0
        self.errors = 0
        self.last = ""

    @property
    def count(self) -> str:
        times = f"looked {counted(self.looks, 'time')}"
        return f"{times}, {self.errors} of them in vain" if self.errors else times

    def look(self) -> T | None:
        """Return what the function returns, None for a transient error."""
        self.looks += 1
        try:
            value = self._predicate()
        except Exception as error:
            if not is_transient(error):
                raise
            self.errors += 1
            self.last = f"the last error was {_short(f'{type(error).__name__}: {error}')}"
            return None
        self.last = f"the last value was {_short(repr(value))}"
        return value


def retry(
    *,
    on: On | None = None,
    attempts: int = 3,
    deadline: float | None = None,
    interval: float = 1.0,
    longest: float = 30.0,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare that a function is called again when it fails; each attempt is a step with a directory of its own.

    An attempt that is followed by another one does not count in the verdict. There is none after a mistake, a time-out, a
    lost lease, or when the run is to end, whatever `on` says; nor in a plan, where what failed once always will.

    Args:
      on: After which errors: exception types, or a function that is asked. Transient ones when None.
      attempts: How many times it is called at most.
      deadline: Seconds from the first call after which no other attempt begins; None for no such limit.
      interval: Seconds before the second attempt; it then grows.
      longest: Seconds that it grows to.

    Returns:
      The decorator. What is decorated raises the last attempt's error.
    """
    if attempts < 1:
        raise UsageError(f"retry: expected at least one attempt, found attempts={attempts}")
    pauses(interval, longest)

    if not (on is None or isinstance(on, type | tuple) or callable(on)):
        raise UsageError(f"retry: on: expected exception types in a tuple, or a function, found {on!r}")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        name = _name_of(function)

        @functools.wraps(function)
        def trying(*args: P.args, **kwargs: P.kwargs) -> R:
            from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay  # noqa: PLC0415 - 40 ms

            last = stop_after_attempt(1 if planning.is_planning() else attempts)
            waits = pauses(interval, longest)
            again = Retrying(
                retry=retry_if_exception(functools.partial(_again, on)),
                stop=last if deadline is None else last | stop_before_delay(deadline),
                wait=lambda _state: next(waits),
                sleep=pause,
                before_sleep=functools.partial(_tell, name, attempts),
                reraise=True,
            )
            once = _attempts(name)
            return again(lambda: once(lambda: function(*args, **kwargs)))

        return trying

    return decorate


def _attempts(name: str) -> Callable[[Callable[[], R]], R]:
    """Return what calls a function as the next attempt of one and the same step."""
    place = context.here()
    occurrence = place.count("attempt", name)
    earlier = place.earlier.of((*place.path, ("attempt", name, occurrence)))
    first = 1 + max((each.attempt for each in earlier), default=0)
    numbers = itertools.count(first)

    def once(function: Callable[[], R]) -> R:
        number = next(numbers)
        directory = env.claim_directory(name if number == 1 else f"{name}__attempt_{number}")
        # What is tried again is done again, also what a resumed run has found done.
        again = resume.anew(f"{name} is tried again") if number > first else nullcontext()
        with StepScope("attempt", name, directory=directory, occurrence=occurrence, attempt=number), again:
            return function()

    return once


def _again(on: On | None, error: BaseException) -> bool:
    if not isinstance(error, Exception) or is_permanent(error):
        return False
    if on is None:
        return is_transient(error)
    return isinstance(error, on) if isinstance(on, type | tuple) else bool(on(error))


def _tell(name: str, attempts: int, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning(
        "%s: attempt %d of %d failed, the next one is in %.1f s: %s",
        name,
        state.attempt_number,
        attempts,
        state.upcoming_sleep,
        _short(f"{type(error).__name__}: {error}"),
    )


def _name_of(function: Callable[..., Any]) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    return "a condition" if name == "<lambda>" else str(name)


def _short(text: str) -> str:
    """Return a text on one line, cut where it is too long for a message; redacted first: half a secret is not known."""
    line = " ".join(REDACTOR.redact(text).split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
