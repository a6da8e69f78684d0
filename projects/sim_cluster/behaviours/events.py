"""Events (``v1``) of what behaviours do, as client-go writes them: beside the work, the same one counted, floods held back.

A behaviour calls `World.tell`; `runtime` runs the recorder. The limits are those of client-go: an event that says the same
again raises the count of the one that is there, from the tenth on similar ones are combined, one object's events come to 25 at
once, and what the recorder cannot keep up with is dropped. The scheduler uses the newer recorder, which counts in a series.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, TypeVar

from projects.sim_cluster.behaviours.interface import Cluster, Object, RefusedError
from projects.sim_cluster.behaviours.resources import EVENTS
from projects.sim_cluster.behaviours.timestamps import timestamp

log = logging.getLogger(__name__)
Value = TypeVar("Value")
WAITING: Final = 1000
SIMILAR: Final = 10
BURST: Final = 25
_SIMILAR_SECONDS: Final = 600.0
_REFILL_SECONDS: Final = 300.0
_REMEMBERED: Final = 4096
_COMBINED: Final = "(combined from similar events): "


@dataclass(frozen=True, slots=True)
class Telling:
    """Something that happened to an object.

    Args:
      about: The object.
      component: Who tells it.
      reason: A word for it.
      message: It in words.
      type: ``Normal`` or ``Warning``.
      host: The node of a component that runs on each.
      part: The part of the object that it is about, such as ``spec.containers{c}``.
      action: What was being done; it makes this an event of the newer recorder.
    """

    about: Object
    component: str
    reason: str
    message: str
    type: str = "Normal"
    host: str = ""
    part: str = ""
    action: str = ""

    @property
    def kind(self) -> tuple[str, ...]:
        """What similar events have in common."""
        return (self.component, self.host, self.about["metadata"]["uid"], self.type, self.reason)


@dataclass(slots=True)
class _Written:
    """An event that is in the cluster."""

    name: str
    count: int = 1


@dataclass(slots=True)
class _Similar:
    """Messages that a reason has had for an object lately."""

    since: float
    messages: set[str] = field(default_factory=set)


class _Recent(OrderedDict[tuple[str, ...], Value]):
    """A mapping that forgets what was put in first."""

    def keep(self, key: tuple[str, ...], value: Value) -> Value:
        self[key] = value
        self.move_to_end(key)
        if len(self) > _REMEMBERED:
            self.popitem(last=False)
        return value


class Recorder:
    """Writes what it is told, in order, in a task of its own.

    Args:
      cluster: The cluster, as the recorder's own user.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._waiting: asyncio.Queue[Telling] = asyncio.Queue(WAITING)
        self._written: _Recent[_Written] = _Recent()
        self._similar: _Recent[_Similar] = _Recent()
        self._spent: _Recent[tuple[float, float]] = _Recent()
        self._numbers = itertools.count()

    def tell(self, telling: Telling) -> None:
        """Have an event written; one too many is dropped."""
        if not self._waiting.full():
            self._waiting.put_nowait(telling)

    async def run(self) -> None:
        """Write what is told, for ever."""
        while True:
            telling = await self._waiting.get()
            try:
                await self._write(telling)
            except RefusedError as refused:  # its namespace goes away; an event is never worth more than a line
                log.info("event %s of %s: %s", telling.reason, telling.about["metadata"]["name"], refused)
            finally:
                self._waiting.task_done()

    async def written(self) -> None:
        """Wait until what was told is written."""
        await self._waiting.join()

    async def _write(self, telling: Telling) -> None:
        message = telling.message if telling.action else self._combined(telling)
        key = (*telling.kind, telling.part, message if message == telling.message else _COMBINED)
        if not telling.action and not self._may_write(telling):
            return
        known = self._written.get(key)
        if known is not None and await self._count(telling, known, message):
            return
        name = f"{telling.about['metadata']['name']}.{int(self._cluster.now() * 1e9) + next(self._numbers):x}"
        await self._cluster.create(EVENTS, self._event(telling, name, message))
        self._written.keep(key, _Written(name))

    def _combined(self, telling: Telling) -> str:
        """Return the message, marked when there were so many of its like that they are counted together."""
        now = self._cluster.now()
        similar = self._similar.get(telling.kind)
        if similar is None or now - similar.since > _SIMILAR_SECONDS:
            similar = self._similar.keep(telling.kind, _Similar(now))
        similar.messages.add(telling.message)
        return telling.message if len(similar.messages) < SIMILAR else _COMBINED + telling.message

    def _may_write(self, telling: Telling) -> bool:
        """Return whether an object's budget of events allows one more; it fills up slowly."""
        key = (telling.component, telling.host, telling.about["metadata"]["uid"])
        now = self._cluster.now()
        left, since = self._spent.get(key, (float(BURST), now))
        left = min(float(BURST), left + (now - since) / _REFILL_SECONDS)
        self._spent.keep(key, (left - 1 if left >= 1 else left, now))
        return left >= 1

    async def _count(self, telling: Telling, known: _Written, message: str) -> bool:
        """Raise the count of an event; False when it is gone."""
        known.count += 1
        now = self._cluster.now()
        change: Object = (
            {"series": {"count": known.count, "lastObservedTime": _precisely(now)}}
            if telling.action
            else {"count": known.count, "lastTimestamp": timestamp(now), "message": message}
        )
        try:
            await self._cluster.patch(EVENTS, _namespace(telling.about), known.name, change)
        except RefusedError as refused:
            if refused.reason != "NotFound":
                raise
            return False
        return True

    def _event(self, telling: Telling, name: str, message: str) -> Object:
        now = self._cluster.now()
        metadata = telling.about["metadata"]
        about = {
            "apiVersion": telling.about["apiVersion"], "kind": telling.about["kind"], "name": metadata["name"],
            "namespace": metadata.get("namespace"), "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "fieldPath": telling.part,
        }  # fmt: skip
        host = {"host": telling.host} if telling.host else {}
        timed: Object = (
            {"eventTime": _precisely(now), "action": telling.action, "source": {}, "firstTimestamp": None,
             "lastTimestamp": None, "reportingInstance": f"{telling.component}-simulated"}
            if telling.action
            else {"eventTime": None, "firstTimestamp": timestamp(now), "lastTimestamp": timestamp(now), "count": 1,
                  "source": {"component": telling.component} | host, "reportingInstance": telling.host}
        )  # fmt: skip
        return {
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": _namespace(telling.about)},
            "involvedObject": {key: value for key, value in about.items() if value},
            "type": telling.type, "reason": telling.reason, "message": message[:1024],
            "reportingComponent": telling.component, **timed,
        }  # fmt: skip


def _namespace(about: Object) -> str:
    """Return where the events of an object are: what has no namespace has them in ``default``."""
    return str(about["metadata"].get("namespace") or "default")


def _precisely(seconds: float) -> str:
    """Return a time as events of the newer recorder hold it: to the microsecond."""
    fraction = int(seconds % 1 * 1e6)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{fraction:06d}Z"
