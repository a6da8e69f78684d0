"""A behaviour as a declaration: which objects it acts on, what else wakes it, what it does. `runtime` makes it run.

`act` is level-based: it looks at one object and at the world, makes the next change, and may say in how many seconds
it wants to look again. It is called again whenever something that it declared has changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from projects.sim_cluster.behaviours.cache import Cache, Key, controller_of
from projects.sim_cluster.behaviours.events import Recorder, Telling
from projects.sim_cluster.behaviours.interface import Cluster, Object, RefusedError, Resource
from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.behaviours.timestamps import timestamp
from projects.sim_cluster.behaviours.timings import Timings

Act = Callable[["World", Object], Awaitable[float | None]]
Keys = Callable[["World", Object], Iterable[Key]]


class Chore(float):
    """Seconds until another look that may find nothing new, for ever: they are no reason for time to pass."""


@dataclass(frozen=True)
class Wake:
    """A change of another resource that makes a behaviour look at some of its objects again."""

    resource: Resource
    keys: Keys


@dataclass(frozen=True)
class Behaviour:
    """One declared unit; `manager` is the name under which it owns the fields that it writes, `component` tells its events."""

    name: str
    acts_on: Resource
    act: Act
    manager: str = "kube-controller-manager"
    woken_by: tuple[Wake, ...] = ()
    reads: tuple[Resource, ...] = ()
    component: str = ""


class World:
    """What a behaviour has at hand: caches of what it declared, and writes that the caches see at once."""

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        caches: dict[Resource, Cache],
        recorder: Recorder,
        component: str = "",
    ) -> None:
        self.cluster, self.settings, self._caches = cluster, settings, caches
        self._recorder, self._component = recorder, component

    def cache(self, resource: Resource) -> Cache:
        """Return the cache of a resource that some behaviour declared."""
        found = self._caches.get(resource)
        return self._caches.setdefault(resource, Cache()) if found is None else found

    @property
    def timings(self) -> Timings:
        """How long things take."""
        return self.settings.timings

    @property
    def now(self) -> float:
        """The cluster's time."""
        return self.cluster.now()

    @property
    def timestamp(self) -> str:
        """The cluster's time, as objects hold it."""
        return timestamp(self.cluster.now())

    def tell(self, about: Object, reason: str, message: str, **more: str) -> None:
        """Have an Event of an object written; `more` is what `Telling` takes besides."""
        self._recorder.tell(Telling(about, self._component, reason, message, **more))

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create an object."""
        made = await self.cluster.create(resource, obj)
        self.cache(resource).put(made)
        return made

    async def ensure(self, resource: Resource, obj: Object) -> bool:
        """Create an object unless it is there; return whether it was not."""
        if self.cache(resource).get(obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) is not None:
            return False
        try:
            await self.create(resource, obj)
        except RefusedError as refused:
            if refused.reason != "AlreadyExists":
                raise
            return False
        return True

    async def patch(self, resource: Resource, obj: Object, patch: Object, subresource: str = "") -> Object:
        """Merge a patch into an object."""
        metadata = obj["metadata"]
        changed = await self.cluster.patch(
            resource, metadata.get("namespace", ""), metadata["name"], patch, subresource
        )
        self.cache(resource).put(changed)
        return changed

    async def set_status(self, resource: Resource, obj: Object, status: Object) -> None:
        """Merge into the status of an object what differs from it; None removes a field."""
        old = obj.get("status") or {}
        changed = {key: value for key, value in status.items() if old.get(key) != value}
        if changed:
            await self.patch(resource, obj, {"status": changed}, "status")

    async def delete(self, resource: Resource, obj: Object, grace_seconds: int | None = None) -> None:
        """Delete an object; one that is gone already is fine."""
        metadata = obj["metadata"]
        try:
            await self.cluster.delete(
                resource,
                metadata.get("namespace", ""),
                metadata["name"],
                uid=metadata["uid"],
                grace_seconds=grace_seconds,
            )
        except RefusedError as refused:
            if refused.reason not in {"NotFound", "Conflict"}:
                raise


def owner_keys(_world: World, obj: Object) -> Iterable[Key]:
    """Wake the controller of an object; behaviours are asked only about objects of their own resource."""
    if (owner := controller_of(obj)) is not None:
        yield obj["metadata"].get("namespace", ""), owner["name"]


def cluster_owner_keys(_world: World, obj: Object) -> Iterable[Key]:
    """Wake the controller of an object when that one lives in no namespace."""
    if (owner := controller_of(obj)) is not None:
        yield "", owner["name"]


def every(resource: Resource) -> Keys:
    """Wake all objects of a resource."""

    def keys(world: World, _obj: Object) -> Iterable[Key]:
        return [(obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) for obj in world.cache(resource)]

    return keys


def of_namespace(resource: Resource) -> Keys:
    """Wake the objects of a resource that are in the same namespace, or in the one that has changed."""

    def keys(world: World, obj: Object) -> Iterable[Key]:
        namespace = obj["metadata"].get("namespace") or obj["metadata"]["name"]
        return [(namespace, each["metadata"]["name"]) for each in world.cache(resource).in_namespace(namespace)]

    return keys


def owner_reference(owner: Object) -> Object:
    """Return the reference by which an object names its controller."""
    reference: dict[str, Any] = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
    }
    return reference | {"uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}
