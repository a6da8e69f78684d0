"""The behaviours' interface over HTTP. `real_api` hands it to the runtime; the tests run it on the simulated API too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import quote

from projects.sim_cluster.api.patches import merge_patch
from projects.sim_cluster.behaviours.interface import Batch, Object, Objects, Resource
from projects.sim_cluster.clock import Clock, Timing
from projects.sim_cluster.over_http.connection import JSON, MERGE, Connection
from projects.sim_cluster.over_http.stamps import Stamps
from projects.sim_cluster.over_http.watching import Watching, listed

_BY_POST: Final = frozenset({"binding", "eviction"})
_BY_PUT: Final = frozenset({"finalize"})  # subresources that the API does not patch


def path_of(resource: Resource, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """Return the path of a resource, of an object, or of a part of one."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    space = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{space}/{resource.name}" + "".join(f"/{quote(part)}" for part in (name, subresource) if part)


class HttpCluster:
    """Implements `projects.sim_cluster.behaviours.interface.Cluster` on an API that is reached over HTTP."""

    def __init__(self, api: Connection, clock: Clock, stamps: Stamps, manager: str) -> None:
        self._api, self._clock, self._stamps, self._manager = api, clock, stamps, manager
        self._as_manager = {"fieldManager": manager}

    async def list(self, resource: Resource, namespace: str = "", labels: str = "") -> Objects:
        """Return the objects of a resource."""
        objects, _ = await listed(self._api, path_of(resource, namespace), labels)
        return [self._stamps.read(obj) for obj in objects]

    async def watch(self, resource: Resource) -> AsyncIterator[Batch]:
        """Yield what is there, then what happens."""
        async with aclosing(Watching(self._api, path_of(resource)).batches()) as batches:
            async for batch in batches:
                for happening in batch:
                    self._stamps.read(happening.object)
                yield batch

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create an object."""
        path = path_of(resource, obj["metadata"].get("namespace", ""))
        return await self._changed("POST", path, obj)

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: Object, subresource: str = ""
    ) -> Object:
        """Merge a patch into an object; a patch of ``binding`` puts a pod on a node."""
        whole, part = path_of(resource, namespace, name), path_of(resource, namespace, name, subresource)
        if subresource in _BY_POST:
            await self._api.ask("POST", part, self._as_manager, patch, agent=self._manager)
            return self._stamps.read(await self._api.ask("GET", whole, agent=self._manager))
        if subresource in _BY_PUT:
            known = await self._api.ask("GET", whole, agent=self._manager)
            return await self._changed("PUT", part, merge_patch(known, patch))
        return await self._changed("PATCH", part, patch, MERGE)

    async def _changed(self, method: str, path: str, body: Object, content_type: str = JSON) -> Object:
        answer = await self._api.ask(
            method, path, self._as_manager, self._stamps.write(body), content_type=content_type, agent=self._manager
        )
        self._stamps.keep(body, answer)
        return self._stamps.read(answer)

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", grace_seconds: int | None = None
    ) -> None:
        """Delete an object."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        await self._api.ask("DELETE", path_of(resource, namespace, name), body=options, agent=self._manager)

    def now(self) -> float:
        """Return the cluster's time."""
        return self._clock.now()

    async def sleep(self, seconds: float, *, chore: bool = False) -> None:
        """Wait for some of the cluster's time."""
        await self._clock.sleep(seconds, Timing.CHORE if chore else Timing.EVENT)
