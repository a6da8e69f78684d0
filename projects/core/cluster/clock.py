"""The clock by which a cluster is waited for: this machine's, or that of a simulated cluster whose time jumps.

A time-out is time in which the cluster may do something. A simulated cluster (``--speed max``) lets its time pass only while
its clients wait, and says in its kubeconfig where it tells the time; what waits for it then counts the cluster's seconds, so
that a time-out which is too short is one on a fast and on a slow machine alike. Used by `session`, `waiting` and `watching`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

EXTENSION = "foresail.io/clock"
"""The name of the kubeconfig's extension that says at which path the cluster's time is told."""
ON_THE_CLUSTERS_CLOCK = {"Foresail-Clock": "cluster"}
"""The header by which a watch asks for its end by the cluster's clock."""


class Clock(Protocol):
    """What is waited by; its seconds count from some moment."""

    headers: Mapping[str, str]
    """What a watch says that is to end by this clock."""

    def now(self) -> float:
        """Return the time, in seconds."""
        ...

    def wait(self, seconds: float, pause: Callable[[float], object]) -> None:
        """Let some time pass, or a part of it: whoever waits looks again.

        Args:
          seconds: How long.
          pause: Waits for so many real seconds, or less.
        """
        ...

    def silence(self, seconds: float, longest: float) -> float:
        """Return the real seconds after which a stream that is to end in so many seconds is taken for dead."""
        ...

    def jitter(self) -> float:
        """Return by what a pause between two attempts is multiplied, so that nobody tries in step with others."""
        ...


class OwnClock:
    """This machine's monotonic clock."""

    headers: Mapping[str, str] = {}

    def now(self) -> float:
        """Return the monotonic time."""
        return time.monotonic()

    def wait(self, seconds: float, pause: Callable[[float], object]) -> None:
        """Pause."""
        pause(seconds)

    def silence(self, seconds: float, longest: float) -> float:
        """Return no more than what is left."""
        return min(seconds, longest)

    def jitter(self) -> float:
        """Return a quarter more or less than one."""
        return random.uniform(0.75, 1.25)  # noqa: S311 - jitter, no secret


class ClusterClock:
    """A simulated cluster's clock.

    Args:
      ask: Asks the cluster for its time, and takes the query's ``until``: the answer comes then, or a little earlier.
    """

    headers: Mapping[str, str] = ON_THE_CLUSTERS_CLOCK

    def __init__(self, ask: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        self._ask = ask

    def now(self) -> float:
        """Return the cluster's time."""
        return float(self._ask({})["now"])

    def wait(self, seconds: float, pause: Callable[[float], object]) -> None:  # noqa: ARG002 - nobody pauses here
        """Tell the cluster that somebody waits, and until when."""
        self._ask({"until": self.now() + seconds})

    def silence(self, seconds: float, longest: float) -> float:  # noqa: ARG002 - they are not real ones
        """Return the longest there is."""
        return longest

    def jitter(self) -> float:
        """Return one: a rehearsal is the same each time."""
        return 1.0


OWN = OwnClock()
