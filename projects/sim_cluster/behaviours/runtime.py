"""Makes behaviours run: one watch for each resource, one queue of keys for each behaviour. `server` starts it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain

from projects.sim_cluster.behaviours.cache import Cache, Key, key_of
from projects.sim_cluster.behaviours.events import Recorder
from projects.sim_cluster.behaviours.interface import Cluster, Object, RefusedError, Resource
from projects.sim_cluster.behaviours.resources import CUSTOM_RESOURCES
from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.behaviours.unit import Behaviour, Chore, Wake, World

log = logging.getLogger(__name__)
_OBSERVER = "behaviours"
_SAME_SECONDS = 1e-3  # a moment that was computed twice
_RECORDER = "event-recorder"


class _Runner:
    """One behaviour at work: its queue, its timers."""

    def __init__(self, behaviour: Behaviour, world: World, at_once: int) -> None:
        self.behaviour, self.world = behaviour, world
        self._at_once = at_once
        self._due: dict[Key, None] = {}
        self._busy: set[Key] = set()
        self._wake = asyncio.Event()
        self._timers: dict[Key, tuple[float, asyncio.Task[None]]] = {}

    def add(self, keys: Iterable[Key]) -> None:
        """Look at some objects as soon as possible."""
        self._due.update(dict.fromkeys(keys))
        self._wake.set()

    def observers(self) -> Iterator[tuple[Resource, Callable[[Object], None]]]:
        """Yield what is to be called with each changed object of a resource."""
        yield self.behaviour.acts_on, lambda obj: self.add([key_of(obj)])
        for wake in self.behaviour.woken_by:
            yield wake.resource, partial(self._woken, wake)

    def _woken(self, wake: Wake, obj: Object) -> None:
        self.add(wake.keys(self.world, obj))

    async def run(self) -> None:
        """Act on objects as they come due, for ever; on as many at once as it may, but never twice on one."""
        await asyncio.gather(*(self._work() for _ in range(self._at_once)))

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            while (key := next((each for each in self._due if each not in self._busy), None)) is not None:
                del self._due[key]
                self._busy.add(key)
                await self._act(key)
                self._busy.discard(key)
                if key in self._due:
                    self._wake.set()
            self._wake.clear()
            await self.world.cluster.sleep(0)

    async def _act(self, key: Key) -> None:
        obj = self.world.cache(self.behaviour.acts_on).get(*key)
        if obj is None:
            self._later(key, None)
            return
        try:
            again = await self.behaviour.act(self.world, obj)
        except RefusedError as refused:
            log.info("%s on %s/%s: %s", self.behaviour.name, *key, refused)
            again = Chore(self.world.timings.retry)
        except Exception:  # one object must not stop a behaviour; the log names it, and it is tried again
            log.exception("%s failed on %s/%s", self.behaviour.name, *key)
            again = Chore(self.world.timings.retry)
        self._later(key, again)

    def _later(self, key: Key, seconds: float | None) -> None:
        """Look at an object again in so many seconds, or not unless something changes: what was said before holds no longer."""
        due = math.inf if seconds is None else self.world.now + seconds
        known = self._timers.pop(key, None)
        if known is not None and abs(known[0] - due) < _SAME_SECONDS:
            self._timers[key] = known
            return
        if known is not None:
            known[1].cancel()
        if seconds is not None:
            self._timers[key] = (due, asyncio.create_task(self._after(key, seconds)))

    async def _after(self, key: Key, seconds: float) -> None:
        await self.world.cluster.sleep(max(seconds, 0.0), chore=isinstance(seconds, Chore))
        self._timers.pop(key, None)
        self.add([key])


class Runtime:
    """Runs a set of behaviours until it is stopped.

    Args:
      connect: Gives each one a cluster that knows it by name.
      behaviours: The behaviours.
      settings: What they are told.
      at_once: On how many objects each may act at the same time: more than one is of use where the cluster takes its time to answer.
    """

    def __init__(
        self,
        connect: Callable[[str], Cluster],
        behaviours: Iterable[Behaviour],
        settings: Settings,
        at_once: int = 1,
    ) -> None:
        self._caches: dict[Resource, Cache] = {}
        self._recorder = Recorder(connect(_RECORDER))
        self._world = World(connect(_OBSERVER), settings, self._caches, self._recorder)
        self._runners = [
            _Runner(each, World(connect(each.manager), settings, self._caches, self._recorder, each.component), at_once)
            for each in behaviours
        ]
        self._observers: dict[Resource, list[Callable[[Object], None]]] = {}
        for resource, observe in chain.from_iterable(runner.observers() for runner in self._runners):
            self._observers.setdefault(resource, []).append(observe)
        self._tasks: list[asyncio.Task[None]] = []
        self._unseen: set[Resource] = set()
        self._seen = asyncio.Event()
        self._kinds = asyncio.Event()

    def start(self) -> None:
        """Start watching and acting."""
        self._unseen = self._resources()
        for resource in sorted(self._unseen):
            self._tasks.append(asyncio.create_task(self._watch(resource)))
        self._tasks += [asyncio.create_task(self._run(runner)) for runner in self._runners]
        self._tasks.append(asyncio.create_task(self._recorder.run()))

    async def stop(self) -> None:
        """Stop, and wait until nothing acts any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _resources(self) -> set[Resource]:
        read = (resource for runner in self._runners for resource in runner.behaviour.reads)
        return {CUSTOM_RESOURCES, *self._observers, *read}

    async def _run(self, runner: _Runner) -> None:
        await self._seen.wait()
        await runner.run()

    async def _see(self, resource: Resource) -> None:
        """Take note of what is there already: nobody acts before everything has been seen, or would make it twice."""
        try:
            for obj in await self._world.cluster.list(resource):
                self._world.cache(resource).put(obj)
        except RefusedError as refused:
            log.info("list of %s: %s", resource, refused)
        self._unseen.discard(resource)
        if not self._unseen:
            self._seen.set()

    async def _watch(self, resource: Resource) -> None:
        cache = self._world.cache(resource)
        await self._see(resource)
        while True:
            kinds = self._kinds
            try:
                async for batch in self._world.cluster.watch(resource):
                    for happening in batch:
                        if happening.type == "DELETED":
                            cache.remove(happening.object)
                        else:
                            cache.put(happening.object)
                    for happening in batch:
                        self._tell(resource, happening.object)
                    await self._world.cluster.sleep(0)
            except RefusedError as refused:
                log.info("watch of %s: %s", resource, refused)
                if refused.reason == "NotFound" and not self._is_defined(resource):
                    await kinds.wait()
                    continue
            await self._world.cluster.sleep(self._world.timings.retry, chore=True)

    def _is_defined(self, resource: Resource) -> bool:
        """Return whether there is a definition of a resource: if so it will be served any moment."""
        return self._world.cache(CUSTOM_RESOURCES).get("", f"{resource.name}.{resource.group}") is not None

    def _tell(self, resource: Resource, obj: Object) -> None:
        if resource == CUSTOM_RESOURCES:  # what waits for its kind looks again
            self._kinds.set()
            self._kinds = asyncio.Event()
        for observe in self._observers.get(resource, ()):
            observe(obj)
