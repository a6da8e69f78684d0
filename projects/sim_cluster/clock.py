"""The cluster's clock: it starts at the real time, and either runs faster by a factor or jumps from event to event.

Made by `cluster`; behaviours, watches and faults have their timers here. `jumping` holds the clock of ``--speed max``.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Timing(enum.Enum):
    """What a timer is for, which says whether time passes on its account."""

    EVENT = "something will happen in the cluster: a clock that jumps goes there when everybody waits"
    CLIENT = "a client that goes by the cluster's clock waits no longer: a clock that jumps goes there last of all"
    REAL = "a client that goes by its own clock waits no longer, or is due a sign of life"
    CHORE = "house-keeping that comes back for ever: done when its time has come, but no reason for time to pass"


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """See to it that it does not come."""
        ...


class Clock(Protocol):
    """Time as the cluster sees it."""

    speed: float

    def now(self) -> float:
        """Return the cluster's time, in seconds since the epoch."""
        ...

    def after(self, seconds: float, call: Callable[[], object], timing: Timing = Timing.EVENT) -> Timer:
        """Have something called when some of the cluster's time has passed; needs a running loop."""
        ...

    async def sleep(self, seconds: float, timing: Timing = Timing.EVENT) -> None:
        """Wait until some of the cluster's time has passed."""
        ...

    def held(self) -> AbstractContextManager[object]:
        """Let a clock that jumps stand still for the length of a block: somebody outside of the cluster is asked something."""
        ...


class RunningClock:
    """A clock that runs faster than real time by a factor.

    Args:
      speed: The factor. Clients are not asked to go by such a clock, since what they do themselves takes real time: their
        seconds are real ones.
      epoch: When it starts; now by default.
    """

    def __init__(self, speed: float, epoch: float | None = None) -> None:
        self.speed = speed
        self._epoch, self._start = time.time() if epoch is None else epoch, time.monotonic()

    def now(self) -> float:
        """Return the cluster's time, in seconds since the epoch."""
        return self._epoch + (time.monotonic() - self._start) * self.speed

    def after(self, seconds: float, call: Callable[[], object], timing: Timing = Timing.EVENT) -> Timer:
        """Have something called when some of the cluster's time has passed."""
        return asyncio.get_running_loop().call_later(self._real(seconds, timing), call)

    async def sleep(self, seconds: float, timing: Timing = Timing.EVENT) -> None:
        """Wait until some of the cluster's time has passed."""
        await asyncio.sleep(self._real(seconds, timing))  # noqa: TID251 - this is what plays a delay

    def held(self) -> AbstractContextManager[object]:
        """Return a block in which time passes as ever."""
        return nullcontext()

    def _real(self, seconds: float, timing: Timing) -> float:
        return max(seconds, 0.0) / (1.0 if timing in {Timing.CLIENT, Timing.REAL} else self.speed)


async def turn() -> None:
    """Give the other tasks of the loop their turn."""
    await asyncio.sleep(0)  # noqa: TID251 - the loop's own word for it; no time passes
