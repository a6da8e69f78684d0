"""A server whose clock is off: its times are, and so is the header ``Date``. Used by whoever puts a cluster together.

Everything that is simulated goes by the server's clock, so only its clients, which have clocks of their own, notice. A real
API server goes by the clock of the machine: there, the header alone is off.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projects.sim_cluster.clock import Clock, Timer, Timing
from projects.sim_cluster.faults.strikes import Strikes

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.cluster_faults import ClockSkew

KIND: Final = "clock-skew"


class SkewedClock:
    """A clock that is off once a fault has begun.

    Args:
      clock: The cluster's clock.
      strikes: What goes wrong, and where it is counted.
    """

    def __init__(self, clock: Clock, strikes: Strikes) -> None:
        self.speed = clock.speed
        self._clock, self._strikes, self._start = clock, strikes, clock.now()
        self._faults: list[ClockSkew] = [fault for fault in strikes.of_cluster if fault.do == KIND]

    @property
    def may_be_off(self) -> bool:
        """Whether there is a fault that makes it so."""
        return bool(self._faults)

    def now(self) -> float:
        """Return the time that the server takes it to be."""
        now = self._clock.now()
        return now + sum(fault.seconds for fault in self._faults if self._has_begun(fault, now))

    def _has_begun(self, fault: ClockSkew, now: float) -> bool:
        begun = now - self._start >= fault.after
        if begun:
            self._strikes.begin(fault)
        return begun

    def after(self, seconds: float, call: Callable[[], object], timing: Timing = Timing.EVENT) -> Timer:
        """Have something called when some of the cluster's time has passed."""
        return self._clock.after(seconds, call, timing)

    async def sleep(self, seconds: float, timing: Timing = Timing.EVENT) -> None:
        """Wait until some of the cluster's time has passed."""
        await self._clock.sleep(seconds, timing)

    def held(self) -> AbstractContextManager[object]:
        """Let the cluster's time stand still for the length of a block."""
        return self._clock.held()


def with_date(app: ASGIApp, clock: SkewedClock) -> ASGIApp:
    """Return an application whose answers are dated by a clock."""

    async def dated(scope: Scope, receive: Receive, send: Send) -> None:
        async def dating(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [each for each in message.get("headers", ()) if each[0].lower() != b"date"]
                headers.append((b"date", formatdate(clock.now(), usegmt=True).encode()))
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, dating)

    return dated
