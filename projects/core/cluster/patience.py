"""After what a request is sent again, and for how long. Called by `session` and `exec_channel` around each request.

A connection that is refused on first contact is given up within a second: the cluster is not there. A server that has
answered before, or that says that it is busy, gets half a minute. What may have had an effect is sent again only when a
second time is as good as once; that a connection was refused, or that the server asks for another try, says that it had none.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from projects.core.cluster import failures
from projects.core.values.errors import ForesailError, Invalid

FIRST_CONTACT = 0.5
"""Seconds in which a server that has not answered yet may refuse: a load balancer that changes its target."""
PATIENCE = 30.0
"""Seconds in which a request is repeated when the server is known to be there."""
HICCUP = 1.5
"""Seconds in which a request is repeated after an internal error: etcd changed its leader, or it is a lasting one."""
_LONGEST_PAUSE = 10.0
_UNCERTAIN = "the request may have had its effect all the same: look before you send it again"

T = TypeVar("T")


class Refusal(Exception):
    """A request that did not succeed, with what decides whether it is sent again.

    Args:
      error: What is raised when it is not.
      cause: What it is raised from.
      seconds: For how long it is sent again.
      harmless: Whether it surely had no effect.
      retry_after: How many seconds the server asks to wait.
    """

    def __init__(
        self,
        error: ForesailError,
        cause: BaseException,
        *,
        seconds: float,
        harmless: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.cause = cause
        self.seconds = seconds
        self.harmless = harmless
        self.retry_after = retry_after

    def delay(self, attempt: int) -> float:
        """Return the seconds before the next attempt: what the server asks for, else a doubling one with jitter."""
        if self.retry_after is not None:
            return min(self.retry_after, _LONGEST_PAUSE)
        return float(min(0.1 * 2**attempt, 5.0) * random.uniform(0.75, 1.25))  # noqa: S311 - jitter, no secret


class Patience:
    """The patience with one server. Safe to use from many threads.

    Args:
      deadline: When the last request has to have ended, on the monotonic clock.

    Attributes:
      answered: Whether the server has ever answered.
    """

    def __init__(self, deadline: float = math.inf) -> None:
        self.answered = False
        self._deadline = deadline
        self._pause = threading.Event()

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return self._deadline - time.monotonic()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Have no patience beyond some seconds inside the block."""
        before = self._deadline
        self._deadline = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._deadline = before

    def insist(self, request: Callable[[], T], *, repeat: bool) -> T:
        """Send a request until it succeeds, or until that is in vain.

        Args:
          request: Sends it; a `Refusal` of it is judged here.
          repeat: Whether it can be sent again when it may have had its effect.

        Raises:
          ForesailError: the typed error of the last refusal.
        """
        began = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                return request()
            except Refusal as refusal:
                delay = refusal.delay(attempt)
                if self.left <= delay or not self._again(refusal, repeat=repeat, spent=time.monotonic() - began):
                    raise refusal.error from refusal.cause
                self._pause.wait(delay)

    def _again(self, refusal: Refusal, *, repeat: bool, spent: float) -> bool:
        if failures.was_refused(refusal.cause):
            return spent < (PATIENCE if self.answered else FIRST_CONTACT)
        if spent >= refusal.seconds:
            return False
        if not repeat and not refusal.harmless:
            refusal.error.hint = _UNCERTAIN
            return False
        return True


def of_answer(status: int, error: ForesailError, cause: BaseException, retry_after: float | None) -> Refusal:
    """Return the refusal that an answer is: busy for a while, hurt for a moment, or as the server means it."""
    if status in failures.BUSY:
        seconds = PATIENCE
    else:
        seconds = HICCUP if status >= 500 and not isinstance(error, Invalid) else 0.0  # noqa: PLR2004 - the range of HTTP
    # Whoever says when to come back has not begun: the rule of the API's own clients, too.
    harmless = status == 429 or retry_after is not None  # noqa: PLR2004 - too many requests
    return Refusal(error, cause, seconds=seconds, harmless=harmless, retry_after=retry_after)
