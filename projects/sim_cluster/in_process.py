"""The behaviours' interface, straight on the simulated API: no HTTP, no JSON. `server` hands it to the runtime."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.errors import ApiError, no_such_resource
from projects.sim_cluster.api.identity import component
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.requests import DeleteOptions, ListOptions, WriteOptions
from projects.sim_cluster.api.watches import Watch, WatchOptions
from projects.sim_cluster.behaviours.interface import Batch, Happening, Objects, RefusedError, Resource
from projects.sim_cluster.clock import Clock, Timing, turn

_TURN: Final = 10  # writes after which others get a turn


class InProcessCluster:
    """Implements `projects.sim_cluster.behaviours.interface.Cluster` on an `Api`."""

    def __init__(self, api: Api, clock: Clock, manager: str) -> None:
        self.api, self.clock, self.manager = api, clock, manager
        self._user = component(manager)
        self._writes = 0

    def _kind(self, resource: Resource) -> Kind:
        kind = self.api.registry.find(resource.group, resource.version, resource.name)
        if kind is None:
            raise _refused(no_such_resource())
        return kind

    async def _turn(self) -> None:
        self._writes += 1
        if self._writes % _TURN == 0:
            await turn()

    async def list(self, resource: Resource, namespace: str = "", labels: str = "") -> Objects:
        """Return the objects of a resource."""
        kind = self._kind(resource)
        page = self.api.resources.list(kind, namespace, ListOptions(labels=labels))
        return [kind.served(stored.object) for stored in page.items]

    async def watch(self, resource: Resource) -> AsyncIterator[Batch]:
        """Yield what is there, then what happens."""
        kind = self._kind(resource)
        watch = Watch(self.api.store, self.api.clock, kind, "", WatchOptions())
        async for batch in watch.batches():
            yield [
                Happening(event.type, kind.served(event.stored.object))
                for event in batch
                if event.stored is not None and event.type in ("ADDED", "MODIFIED", "DELETED")
            ]

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create an object."""
        kind = self._kind(resource)
        try:
            done = await self.api.resources.create(
                kind, obj["metadata"].get("namespace", ""), obj, WriteOptions(self.manager, self._user)
            )
        except ApiError as error:
            raise _refused(error) from None
        await self._turn()
        return done.object

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: Object, subresource: str = ""
    ) -> Object:
        """Merge a patch into an object; a patch of ``binding`` puts a pod on a node, one of ``eviction`` takes it away."""
        kind = self._kind(resource)
        options = WriteOptions(self.manager, self._user, subresource=subresource)
        try:
            if subresource == "binding":
                await self.api.subresources.bind(kind, namespace, name, patch, options)
                done = self.api.resources.get(kind, namespace, name)
            elif subresource == "eviction":
                await self.api.subresources.evict(kind, namespace, name, patch, options)
                done = self.api.resources.get(kind, namespace, name)
            else:
                done = await self.api.resources.patch(kind, namespace, name, "merge", patch, options)
        except ApiError as error:
            raise _refused(error) from None
        await self._turn()
        return done.object

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", grace_seconds: int | None = None
    ) -> None:
        """Delete an object."""
        options = DeleteOptions(self._user, "Background", grace_seconds, uid)
        try:
            await self.api.resources.delete(self._kind(resource), namespace, name, options)
        except ApiError as error:
            raise _refused(error) from None
        await self._turn()

    def now(self) -> float:
        """Return the cluster's time."""
        return self.clock.now()

    async def sleep(self, seconds: float, *, chore: bool = False) -> None:
        """Wait for some of the cluster's time."""
        await self.clock.sleep(seconds, Timing.CHORE if chore else Timing.EVENT)


def namespaced_resources(api: Api) -> Iterable[Resource]:
    """Yield every resource of which a namespace holds objects now."""
    for kind in list(api.registry.stored_kinds()):
        if kind.namespaced and "delete" in kind.verbs and api.store.count(kind.storage):
            yield Resource(kind.group, kind.version, kind.resource)


def _refused(error: ApiError) -> RefusedError:
    return RefusedError(error.reason, error.message)
