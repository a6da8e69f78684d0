"""What the cluster's clients do: whether they work or wait, as a clock that jumps has to know. Told by `server` and `visiting`.

A client waits when it watches, follows a log or asks for the time to pass, or when it asks the same question again although
nothing has changed. Otherwise it works: it thinks between two requests, and the cluster's time stands still meanwhile. Who
has several connections may do both at once; so while one waits, others are given time to say what they want.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

QUIET_SECONDS: Final = 0.03
"""Real seconds without a word after which clients that wait are taken to have seen what has happened so far."""
IDLE_SECONDS: Final = 0.1
"""Real seconds after which nothing is left to happen but that a client gives up."""
FAR_SECONDS: Final = 30.0
"""Seconds of the cluster's time beyond which an event is far ahead."""
THINKING: Final = 10.0
"""How many times longer that is while a connection is open that has said something of late and does not wait."""
ABSENT_SECONDS: Final = 8.0
"""Real seconds after which a client that says nothing sleeps, or is gone, and time passes although nobody seems to wait."""

_client: ContextVar[Hashable] = ContextVar("client", default=None)


class Visitors:
    """The clients that are there now.

    Args:
      monotonic: The real clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._busy = 0
        self._waiting: Counter[Hashable] = Counter()
        self._spoke: dict[Hashable, float] = {}
        self._asks_again = False
        self._asked: dict[str, int] = {}
        self._heard = monotonic()

    @contextmanager
    def speaking(self, client: Hashable) -> Iterator[None]:
        """A connection makes a request for the length of a block."""
        token = _client.set(client)
        self._spoke[client] = self._heard = self._monotonic()
        try:
            yield
        finally:
            if client in self._spoke:  # not closed meanwhile
                self._spoke[client] = self._heard = self._monotonic()
            _client.reset(token)

    def hung_up(self, client: Hashable) -> None:
        """A connection was closed."""
        self._spoke.pop(client, None)

    @contextmanager
    def working(self) -> Iterator[None]:
        """A request is answered for the length of a block, as fast as possible."""
        self._busy += 1
        self._asks_again = False
        try:
            yield
        finally:
            self._busy -= 1

    def asked(self, question: str, state: int) -> None:
        """A request was answered.

        Args:
          question: What it asked; empty when it changed something.
          state: A number that is another one after each change of the cluster.
        """
        if not question:
            self._asked.clear()
            return
        self._asks_again = self._asked.get(question) == state
        self._asked[question] = state

    def works(self) -> None:
        """A client does something between two requests: after a failure it is about to try again."""
        self._busy += 1

    def rests(self) -> None:
        """A client that worked between two requests does so no longer: if it asks now what it asked before, it has no answer yet."""
        self._busy -= 1
        self._asked.clear()
        self._heard = self._monotonic()

    def told(self) -> None:
        """A client that waits was told something."""
        self._heard = self._monotonic()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The client of this request waits for the length of a block."""
        client = _client.get()
        self._waiting[client] += 1
        self.told()
        try:
            yield
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]
            self.told()

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
            return self._quiet(IDLE_SECONDS if is_far else QUIET_SECONDS)
        return self._quiet_seconds() >= ABSENT_SECONDS * (2 if is_far else 1)

    def all_wait_for_nothing(self) -> bool:
        """Return whether it is time for a client to give up, there being no event to come before."""
        return not self._busy and bool(self._waiting) and self._quiet(IDLE_SECONDS)

    def _quiet(self, seconds: float) -> bool:
        return self._quiet_seconds() >= seconds * (THINKING if self._somebody_thinks() else 1.0)

    def _quiet_seconds(self) -> float:
        return self._monotonic() - self._heard

    def _somebody_thinks(self) -> bool:
        since = self._monotonic() - ABSENT_SECONDS
        return any(spoke > since and client not in self._waiting for client, spoke in self._spoke.items())
