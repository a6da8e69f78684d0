"""The times that an API server stamps on objects, told on the cluster's clock. Used by `cluster` on everything that comes in.

A real API server knows no clock but everybody's, and stamps whole seconds, which are minutes on a clock that runs faster. What
plays there compares these stamps with its own time, so an object is taken to have been made, and to have been asked to go,
when it was first seen so.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.timestamps import timestamp
from projects.sim_cluster.clock import Clock

_REMEMBERED: Final = 200_000


class Stamps:
    """What has been seen of objects, and when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self.changes = 0

    def translate(self, obj: Object) -> Object:
        """Put the cluster's time in place of the server's, in the object itself."""
        self.changes += 1
        metadata = obj["metadata"]
        if (uid := metadata.get("uid")) is None:
            return obj
        metadata["creationTimestamp"] = timestamp(self._first(uid, "made"))
        if metadata.get("deletionTimestamp"):
            grace = metadata.get("deletionGracePeriodSeconds") or 0
            metadata["deletionTimestamp"] = timestamp(self._first(uid, "to go") + grace)
        return obj

    def _first(self, uid: str, what: str) -> float:
        if (uid, what) not in self._seen:
            self._seen[uid, what] = self._clock.now()
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return self._seen[uid, what]
