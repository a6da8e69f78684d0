"""Many questions at once, for a limited time: threads ask, the caller's thread does what follows from each answer.

What is being asked may hang for good (a name server, a socket), so the threads are left behind when the time is over:
they have nothing to write, and do not keep the process from ending. Used by `evidence`.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from projects.core.execution.cancellation import SIGNAL_LOOK_S, CancelToken
from projects.core.values.errors import ForesailError

WORKERS = 8
NO_TIME = "it was not read in the time that there was"
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Question(Generic[Answer]):
    subject: str
    ask: Callable[[], Answer]
    then: Callable[[Answer], None]
    otherwise: Callable[[], None] | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    number: int
    answer: Any = None
    error: Exception | None = None


@dataclass(slots=True)
class Reading:
    """Questions, asked in threads until all are answered or the time is over.

    Args:
      deadline: When to stop, on the monotonic clock.
      token: Cancelling it ends the reading as well.

    Attributes:
      missing: What was not answered, with the reason.
    """

    deadline: float
    token: CancelToken
    missing: dict[str, str] = field(default_factory=dict)
    _open: dict[int, _Question[Any]] = field(default_factory=dict)
    _asked: queue.SimpleQueue[int | None] = field(default_factory=queue.SimpleQueue)
    _outcomes: queue.SimpleQueue[_Outcome] = field(default_factory=queue.SimpleQueue)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(0.0, self.deadline - time.monotonic())

    def ask(
        self,
        subject: str,
        ask: Callable[[], Answer],
        then: Callable[[Answer], None],
        *,
        otherwise: Callable[[], None] | None = None,
    ) -> None:
        """Have something asked in a thread.

        Args:
          subject: What it is, for the list of what is missing.
          ask: The question; it may take long and raise.
          then: Called with the answer, in the thread that calls `run`; it may ask more.
          otherwise: Called, there too, when the question has raised.
        """
        number = next(self._numbers)
        self._open[number] = _Question(subject, ask, then, otherwise)
        self._asked.put(number)

    def run(self) -> None:
        """Wait for the answers and do what follows from them, as long as there is time."""
        questions = self._open
        for _ in range(WORKERS):
            context = copy_context()
            threading.Thread(target=context.run, args=(self._work, questions), name="postmortem", daemon=True).start()
        try:
            while self._open and self.left and not self.token.cancelled:
                try:
                    outcome = self._outcomes.get(timeout=min(self.left, SIGNAL_LOOK_S))
                except queue.Empty:
                    continue
                self._take(outcome)
        finally:
            for _ in range(WORKERS):
                self._asked.put(None)
        reason = f"the run was cancelled: {self.token.reason}" if self.token.cancelled else NO_TIME
        self.missing |= {each.subject: reason for each in self._open.values()}

    def _take(self, outcome: _Outcome) -> None:
        question = self._open.pop(outcome.number)
        if outcome.error is None:
            question.then(outcome.answer)
            return
        self.missing[question.subject] = _reason(outcome.error)
        if question.otherwise:
            question.otherwise()

    def _work(self, questions: dict[int, _Question[Any]]) -> None:
        while (number := self._asked.get()) is not None:
            question = questions.get(number)
            if question is None or not self.left:
                return
            try:
                outcome = _Outcome(number, question.ask())
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not hide the failure that is told of
                outcome = _Outcome(number, error=error)
            self._outcomes.put(outcome)


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, ForesailError) else f"{type(error).__name__}: {error}"
