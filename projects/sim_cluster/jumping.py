"""The clock of ``--speed max``: it stands still while anybody works, and jumps to the next event when everybody waits.

A discrete-event simulation in which the cluster's clients take part without knowing it: `visitors` says what they do. So
an orchestration sees the same order of events, and needs the same simulated time, however fast the machine is. Made by
`cluster`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from projects.sim_cluster.clock import Timer, Timing, turn
from projects.sim_cluster.options import MAX_SPEED
from projects.sim_cluster.visitors import Visitors

log = logging.getLogger(__name__)
_TURNS: Final = 20
"""Turns of the loop without a change after which the behaviours have nothing left to do."""
_LOOK_SECONDS: Final = 0.01


@dataclass(order=True)
class _Timer:
    due: float
    number: int
    call: Callable[[], object] = field(compare=False)
    timing: Timing = field(compare=False)
    pending: Counter[Timing] = field(compare=False)
    over: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        if not self.over:
            self.over = True
            self.pending[self.timing] -= 1


class JumpingClock:
    """A clock that jumps.

    Args:
      visitors: The cluster's clients; None when nobody but the behaviours is there.
      changes: Returns a number that is another one after each change of the cluster.
      epoch: Where it starts, in seconds since the epoch; None for the real time.
    """

    speed = MAX_SPEED

    def __init__(
        self,
        visitors: Visitors | None = None,
        changes: Callable[[], int] = lambda: 0,
        epoch: float | None = None,
    ) -> None:
        self._now = time.time() if epoch is None else epoch
        self._visitors, self._changes = visitors, changes
        self._timers: list[_Timer] = []
        self._pending: Counter[Timing] = Counter()
        self._numbers = itertools.count()
        self._added = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._holding = 0

    def now(self) -> float:
        """Return the cluster's time, in seconds since the epoch."""
        return self._now

    def after(self, seconds: float, call: Callable[[], object], timing: Timing = Timing.EVENT) -> Timer:
        """Have something called when some of the cluster's time has passed."""
        if timing is Timing.REAL:
            return asyncio.get_running_loop().call_later(seconds, call)
        timer = _Timer(self._now + max(seconds, 0.0), next(self._numbers), call, timing, self._pending)
        self._pending[timing] += 1
        heapq.heappush(self._timers, timer)
        self._added.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return timer

    async def sleep(self, seconds: float, timing: Timing = Timing.EVENT) -> None:
        """Wait until some of the cluster's time has passed."""
        if seconds <= 0:
            await turn()
            return
        over = asyncio.get_running_loop().create_future()
        timer = self.after(seconds, lambda: None if over.done() else over.set_result(None), timing)
        try:
            await over
        finally:
            timer.cancel()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stand still for the length of a block: who is asked something from inside of the cluster has real time to answer."""
        self._holding += 1
        try:
            yield
        finally:
            self._holding -= 1

    async def _run(self) -> None:
        while True:
            await self._settled()
            if self._may_jump():
                await self._jump()
            elif self._pending[Timing.EVENT] or self._pending[Timing.CLIENT]:
                await asyncio.sleep(_LOOK_SECONDS)  # noqa: TID251 - that clients are quiet is a matter of real time
            else:
                self._added.clear()
                await self._added.wait()

    async def _settled(self) -> None:
        """Wait until the behaviours have done what there is to do now."""
        quiet, seen = 0, self._changes()
        while quiet < _TURNS:
            await turn()
            quiet, seen = (quiet + 1, seen) if self._changes() == seen else (0, self._changes())

    def _may_jump(self) -> bool:
        if self._holding:
            return False
        event, client = self._pending[Timing.EVENT], self._pending[Timing.CLIENT]
        if self._visitors is None:
            return event > 0
        return (event > 0 and self._visitors.all_wait(self._ahead())) or (
            client > 0 and self._visitors.all_wait_for_nothing()
        )

    def _ahead(self) -> float:
        """Return how many seconds a jump would take."""
        due = (each.due for each in self._timers if not each.over and each.timing is not Timing.CHORE)
        return min(due, default=self._now) - self._now

    async def _jump(self) -> None:
        """Go to the next timer that time passes for, by way of the chores that come before.

        Events of one instant happen together: what takes long about a jump is to be sure that nobody works.
        """
        newest, arrived = next(self._numbers), False
        while self._timers and not (arrived and self._is_apart(self._timers[0], newest)):
            timer = heapq.heappop(self._timers)
            if timer.over:
                continue
            self._now = max(self._now, timer.due)
            timer.cancel()
            try:
                timer.call()
            except Exception:  # one caller's mistake must not stop the time of all
                log.exception("a timer failed")
            if timer.timing is Timing.CHORE and not arrived:
                await self._settled()
            arrived = arrived or timer.timing is not Timing.CHORE

    def _is_apart(self, timer: _Timer, newest: int) -> bool:
        """Return whether a timer is not of this instant: it is due later, was made in it, or lets a client give up."""
        return timer.due > self._now or timer.number > newest or timer.timing is Timing.CLIENT
