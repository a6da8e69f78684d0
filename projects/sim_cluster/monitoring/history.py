"""What has been seen of pods and nodes, and when, on the cluster's clock. Everything that is measured comes from it.

A pod that is gone is remembered, as Prometheus remembers its series; of those that ended, the newest ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from projects.sim_cluster.behaviours.cache import controller_of
from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.interface import Cluster, Happening, Object, RefusedError, Resource
from projects.sim_cluster.behaviours.resources import NODES, PODS

log = logging.getLogger(__name__)
_REMEMBERED: Final = 20_000
_AGAIN_SECONDS: Final = 5.0
_OVER: Final = frozenset({"Succeeded", "Failed"})


@dataclass
class Life:
    """An object over time.

    Attributes:
      object: The object as it was seen last.
      begun: When it was seen first.
      ended: When it was gone, None while it is there.
      states: What it was, since when: the phase of a pod, the readiness of a node.
    """

    object: Object
    begun: float
    ended: float | None = None
    states: list[tuple[float, str]] = field(default_factory=list)

    def is_there(self, at: float) -> bool:
        """Return whether it is there at a time."""
        return self.begun <= at and (self.ended is None or at < self.ended)

    def state(self, at: float) -> str:
        """Return what it is at a time, an empty text before it is anything."""
        return next((state for since, state in reversed(self.states) if since <= at), "")

    def running_since(self, at: float) -> float | None:
        """Return since when a pod has been running at a time, None when it is not running then."""
        start = next((since for since, state in self.states if state == "Running"), None)
        end = next((since for since, state in self.states if state in _OVER), self.ended)
        return start if start is not None and start <= at and (end is None or at < end) else None


class History:
    """The lives of a cluster's pods and nodes.

    Args:
      cluster: The cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lives: dict[Resource, dict[str, Life]] = {PODS: {}, NODES: {}}
        self._ended: deque[tuple[Resource, str]] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self.began = cluster.now()

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._follow(PODS, _phase)),
            asyncio.create_task(self._follow(NODES, _readiness)),
        ]
        return self

    async def __aexit__(self, *_raised: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def pods(self, at: float) -> Iterator[Life]:
        """Yield the pods that are there at a time."""
        return (life for life in self._lives[PODS].values() if life.is_there(at))

    def nodes(self, at: float) -> Iterator[Life]:
        """Yield the nodes that are there at a time."""
        return (life for life in self._lives[NODES].values() if life.is_there(at))

    @property
    def now(self) -> float:
        """The cluster's time."""
        return self._cluster.now()

    async def _follow(self, resource: Resource, state: Callable[[Object], str]) -> None:
        while True:
            try:
                async for batch in self._cluster.watch(resource):
                    for happening in batch:
                        self._see(resource, happening, state(happening.object))
            except RefusedError as refused:
                log.info("watch of %s: %s", resource, refused)
            await self._cluster.sleep(_AGAIN_SECONDS)

    def _see(self, resource: Resource, happening: Happening, state: str) -> None:
        now, uid = self._cluster.now(), happening.object["metadata"]["uid"]
        lives = self._lives[resource]
        life = lives.get(uid)
        if life is None:
            if happening.type == "DELETED":
                return
            life = lives[uid] = Life(happening.object, now)
        life.object = happening.object
        if state and (not life.states or life.states[-1][1] != state):
            life.states.append((now, state))
        if happening.type == "DELETED" and life.ended is None:
            life.ended = now
            self._ended.append((resource, uid))
            if len(self._ended) > _REMEMBERED:
                old, gone = self._ended.popleft()
                self._lives[old].pop(gone, None)


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def _readiness(node: Object) -> str:
    return "true" if is_true(node, "Ready") else "false"


def owner_of(pod: Object) -> tuple[str, str]:
    """Return kind and name of what made a pod; Prometheus writes ``<none>`` when nothing did."""
    owner = controller_of(pod)
    return (owner["kind"], owner["name"]) if owner is not None else ("<none>", "<none>")
