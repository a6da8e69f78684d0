"""Clients that were hurt and will come again: meanwhile they work, so a clock that jumps has to stand still. Used by `layer`."""

from __future__ import annotations

import asyncio
from typing import Final

from projects.sim_cluster.faults.asked import Asked
from projects.sim_cluster.visitors import Visitors

_BACK_OFF_SECONDS: Final = 2.0
"""Real seconds after which a client is taken to have given up."""


class Retries:
    """Requests that are expected to be made again.

    Args:
      visitors: Who is told.
    """

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors
        self._expected: dict[str, asyncio.TimerHandle] = {}

    def expect(self, asked: Asked, seconds: float = 0.0) -> None:
        """Expect a request again, within a back-off or so many real seconds more."""
        self.made(asked)
        self._visitors.works()
        key = _key(asked)
        loop = asyncio.get_running_loop()
        self._expected[key] = loop.call_later(_BACK_OFF_SECONDS + seconds, self._over, key)

    def made(self, asked: Asked) -> None:
        """Take note that a request is made."""
        key = _key(asked)
        if key in self._expected:
            self._expected[key].cancel()
            self._over(key)

    def _over(self, key: str) -> None:
        del self._expected[key]
        self._visitors.rests()


def _key(asked: Asked) -> str:
    """Return what a request that is made again has in common with it: after a watch comes a list, or a watch."""
    if asked.verb not in {"list", "watch"}:
        return asked.identity
    parts = (asked.group, asked.resource, asked.namespace, asked.name, asked.selectors, asked.user_agent)
    return "\n".join(parts)
