"""The cluster's clock: it starts at the real time and runs faster by a factor."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Time as the cluster sees it."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._epoch, self._start = time.time(), time.monotonic()

    def now(self) -> float:
        """Return the cluster's time, in seconds since the epoch."""
        return self._epoch + (time.monotonic() - self._start) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait until some of the cluster's time has passed."""
        await asyncio.sleep(max(seconds, 0.0) / self.speed)  # noqa: TID251 - this is what plays a delay


async def turn() -> None:
    """Give the other tasks of the loop their turn."""
    await asyncio.sleep(0)  # noqa: TID251 - the loop's own word for it; no time passes
