"""Which resources an API serves, asked once per group version. Used by whatever has objects and needs their paths."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.behaviours.interface import Object, Resource
from projects.sim_cluster.over_http.connection import Connection

_CORE: Final = "v1"


@dataclass(frozen=True)
class Served:
    """A kind as it is served."""

    resource: Resource
    namespaced: bool
    has_status: bool


class Discovery:
    """The kinds of an API by their names."""

    def __init__(self, api: Connection) -> None:
        self._api = api
        self._known: dict[tuple[str, str], Served] = {}

    async def learn(self, api_versions: Iterable[str]) -> None:
        """Ask about several group versions at once."""
        await asyncio.gather(*map(self._learn, api_versions))

    async def of_object(self, obj: Object) -> Served:
        """Return how the kind of an object is served; raise RefusedError when its group version is not, LookupError for the kind."""
        key = obj["apiVersion"], obj["kind"]
        if key not in self._known:
            await self._learn(obj["apiVersion"])
        if key not in self._known:
            raise LookupError(f"{obj['apiVersion']} {obj['kind']} is not served")
        return self._known[key]

    async def _learn(self, api_version: str) -> None:
        root = "/api" if api_version == _CORE else "/apis"
        entries = (await self._api.ask("GET", f"{root}/{api_version}"))["resources"]
        names = {entry["name"] for entry in entries}
        group, _, version = api_version.rpartition("/")
        for entry in entries:
            if "/" not in entry["name"]:
                self._known[api_version, entry["kind"]] = Served(
                    Resource(group, version, entry["name"]), entry["namespaced"], f"{entry['name']}/status" in names
                )
