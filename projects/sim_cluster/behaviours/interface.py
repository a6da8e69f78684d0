"""The one narrow way in which behaviours see a cluster: list, watch, create, patch, delete, now, sleep.

Implemented in process by `projects.sim_cluster.in_process`; an implementation over HTTP makes the same behaviours run on
a real API. Objects that are handed out are shared: nobody may change them, a change is a patch.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Object = dict[str, Any]
Objects = list[Object]


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """A resource in a version, such as ``apps/v1 deployments``."""

    group: str
    version: str
    name: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a watch."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: Object


Batch = list[Happening]


class RefusedError(Exception):
    """The cluster refused a request; `reason` is the one of its ``Status``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Cluster(Protocol):
    """What a behaviour can do to a cluster."""

    async def list(self, resource: Resource, namespace: str = "", labels: str = "") -> Objects:
        """Return the objects of a resource."""
        ...

    def watch(self, resource: Resource) -> AsyncIterator[Batch]:
        """Yield what is there, then what happens, several events at a time."""
        ...

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create an object in the namespace that it names, and return it."""
        ...

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: Object, subresource: str = ""
    ) -> Object:
        """Merge a patch (RFC 7386) into an object and return it."""
        ...

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", grace_seconds: int | None = None
    ) -> None:
        """Delete an object."""
        ...

    def now(self) -> float:
        """Return the cluster's time, in seconds since the epoch."""
        ...

    async def sleep(self, seconds: float, *, chore: bool = False) -> None:
        """Wait for some of the cluster's time; for a chore that comes back for ever, no time passes on its account."""
        ...
