"""What the cluster's clients do: whether they work or wait, as a clock that jumps has to know. Told by `visiting`.

A client waits when it watches, follows a log or asks for the time to pass, or when it asks the same question again although
nothing has changed. Otherwise it works: it thinks between two requests, and the cluster's time stands still meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

QUIET_SECONDS: Final = 0.05
"""Real seconds without a word after which clients that wait are taken to have seen what has happened so far."""
IDLE_SECONDS: Final = 0.3
"""Real seconds after which nothing is left to happen but that a client gives up."""
FAR_SECONDS: Final = 30.0
"""Seconds of the cluster's time beyond which an event is far ahead."""
ABSENT_SECONDS: Final = 3.0
"""Real seconds after which time passes although nobody seems to wait: a client may sleep."""


class Visitors:
    """The clients that are there now.

    Args:
      monotonic: The real clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._busy = 0
        self._waiting = 0
        self._asks_again = False
        self._asked: dict[str, int] = {}
        self._heard = monotonic()

    def comes(self) -> None:
        """A request has come in that is to be answered at once."""
        self._busy += 1
        self._asks_again = False
        self._heard = self._monotonic()

    def goes(self, question: str, state: int) -> None:
        """It was answered.

        Args:
          question: What it asked; empty when it changed something.
          state: A number that is another one after each change of the cluster.
        """
        self._busy -= 1
        self._heard = self._monotonic()
        if not question:
            self._asked.clear()
            return
        self._asks_again = self._asked.get(question) == state
        self._asked[question] = state

    def waits(self) -> None:
        """A client has begun to wait."""
        self._waiting += 1
        self.told()

    def told(self) -> None:
        """A client that waits was told something."""
        self._heard = self._monotonic()

    def left(self) -> None:
        """A client waits no longer."""
        self._waiting -= 1
        self.told()

    def works(self) -> None:
        """A client does something between two requests: after a failure it is about to try again."""
        self._busy += 1

    def rests(self) -> None:
        """A client that worked between two requests does so no longer."""
        self._busy -= 1
        self._heard = self._monotonic()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A client waits for the length of a block."""
        self.waits()
        try:
            yield
        finally:
            self.left()

    def all_wait(self, ahead: float = 0.0) -> bool:
        """Return whether it is time for the next event, which is so many seconds ahead.

        What is far ahead takes a longer quiet: a client that only thinks for a moment would find its own deadlines past.
        """
        if self._busy:
            return False
        if self._asks_again:
            self._asks_again = False  # one event for each time
            return True
        is_far = ahead > FAR_SECONDS
        if self._waiting:
            return self._quiet() >= (IDLE_SECONDS if is_far else QUIET_SECONDS)
        return self._quiet() >= ABSENT_SECONDS * (2 if is_far else 1)

    def all_wait_for_nothing(self) -> bool:
        """Return whether it is time for a client to give up, there being no event to come before."""
        return not self._busy and self._waiting > 0 and self._quiet() >= IDLE_SECONDS

    def _quiet(self) -> float:
        return self._monotonic() - self._heard
