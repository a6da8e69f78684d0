"""Times in objects: the cluster's for those who play there, everybody's for the API. Used by `cluster` on all that passes.

A real API server and its controllers know no clock but everybody's, and compare stamps with it; behaviours live on the cluster's
clock, which runs faster or jumps. So a stamp is told in the cluster's time when it comes in, and in real time when it goes out.
Stamps hold whole seconds, which are minutes on a fast clock: what each one meant is remembered, as it was written, or as the
time at which it was first seen.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.timestamps import micro_timestamp
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.timestamps import seconds_of, timestamp
from projects.sim_cluster.clock import Clock

_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ALSO: Final = ("firstTimestamp", "lastTimestamp", "eventTime", "series")  # of Events; of other objects in their status
_OF_SERVER: Final = ("creationTimestamp", "deletionTimestamp")
_FRESH_SECONDS: Final = 2.0
_REMEMBERED: Final = 500_000
Place = tuple[str, ...]


class Stamps:
    """What stamps of one API mean on a cluster's clock.

    Args:
      clock: The cluster's clock.
      real: Returns the real time, in seconds since the epoch.
    """

    def __init__(self, clock: Clock, real: Callable[[], float] = time.time) -> None:
        self._clock, self._real = clock, real
        self._meant: OrderedDict[tuple[str, Place, str], str] = OrderedDict()
        self._written: dict[str, str] = {}
        self._hours: list[tuple[float, float]] = [(real(), clock.now())]
        self.changes = 0

    def read(self, obj: Object) -> Object:
        """Tell the stamps of an object that came in by the cluster's clock, in the object itself."""
        self.changes += 1
        self._look()
        if uid := obj["metadata"].get("uid"):
            for place, holder, key in _stamps(obj):
                holder[key] = self._meaning(uid, place, holder[key])
        return obj

    def write(self, body: Object) -> Object:
        """Return a body that goes out with its stamps in real time."""
        self._look()
        told: Object = _copied(body)
        for _, holder, key in _stamps(told):
            holder[key] = self._told(holder[key])
        return told

    def keep(self, body: Object, answer: Object) -> None:
        """Remember what the stamps of a body meant that has become an object."""
        uid = answer["metadata"].get("uid")
        stored = {place: holder[key] for place, holder, key in _stamps(answer)}
        for place, holder, key in _stamps(body):
            if uid and place in stored and stored[place] == self._written.get(holder[key]):
                self._remember((uid, place, stored[place]), holder[key])

    def _look(self) -> None:
        """Note which time it is by both clocks, once in a second."""
        if (real := self._real()) - self._hours[-1][0] >= 1:
            self._hours.append((real, self._clock.now()))

    def _meaning(self, uid: str, place: Place, stamp: str) -> str:
        key = (uid, place, stamp)
        if key not in self._meant:
            meant = self._moment(seconds_of(stamp))
            self._remember(key, _like(stamp, meant))
            self._written.setdefault(self._meant[key], stamp)
        return self._meant[key]

    def _moment(self, real: float) -> float:
        """Return when something was by the cluster's clock; what is still to come is as many seconds away by either."""
        away = real - self._real()
        if away > -_FRESH_SECONDS:
            return self._clock.now() + max(away, 0.0)
        number = bisect_right(self._hours, (real, 0.0))
        return self._hours[number - 1][1] if number else self._hours[0][1] - (self._hours[0][0] - real)

    def _told(self, stamp: str) -> str:
        """Return a time of the cluster as a real one."""
        if stamp not in self._written:
            away = seconds_of(stamp) - self._clock.now()
            real = self._real() + max(away, 0.0) if away > -_FRESH_SECONDS else self._past(seconds_of(stamp))
            self._written[stamp] = _like(stamp, real)
        return self._written[stamp]

    def _past(self, moment: float) -> float:
        number = bisect_right(self._hours, moment, key=lambda hour: hour[1])
        return self._hours[number - 1][0] if number else self._hours[0][0] - (self._hours[0][1] - moment)

    def _remember(self, key: tuple[str, Place, str], meant: str) -> None:
        self._meant[key] = meant
        if len(self._meant) > _REMEMBERED:
            _, forgotten = self._meant.popitem(last=False)
            self._written.pop(forgotten, None)


def _like(stamp: str, seconds: float) -> str:
    """Return a time as precisely as another stamp tells its own."""
    return micro_timestamp(seconds) if "." in stamp else timestamp(seconds)


def _stamps(obj: Object) -> Iterator[tuple[Place, Any, Any]]:
    """Yield where an object holds stamps: a name for the place that stays while others come and go, and the container and its key."""
    metadata = obj.get("metadata") or {}
    for name in _OF_SERVER:
        if metadata.get(name):
            yield (name,), metadata, name
    for number, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        if isinstance(taint, dict) and taint.get("timeAdded"):
            yield ("taints", str(taint.get("key", number)), str(taint.get("effect"))), taint, "timeAdded"
    for name in ("status", *_ALSO):
        if name in obj:
            yield from _below((name,), obj, name)


def _below(place: Place, holder: Any, key: Any) -> Iterator[tuple[Place, Any, Any]]:
    value = holder[key]
    if isinstance(value, dict):
        for name in value:
            yield from _below((*place, name), value, name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            named = (item.get("type") or item.get("name")) if isinstance(item, dict) else None
            yield from _below((*place, str(named or number)), value, number)
    elif isinstance(value, str) and _STAMP.fullmatch(value):
        yield place, holder, key


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
