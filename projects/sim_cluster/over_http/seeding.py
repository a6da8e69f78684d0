"""Puts a shape's objects into an API over HTTP, as an installer would. Called by `real_api.cluster`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.interface import Cluster, Object, Objects, RefusedError
from projects.sim_cluster.behaviours.resources import CUSTOM_RESOURCES
from projects.sim_cluster.over_http.discovery import Discovery

INSTALLER: Final = "installer"


async def seed_over_http(cluster: Cluster, discovery: Discovery, objects: Iterable[Object]) -> None:
    """Create objects, those of a kind together, kind after kind in their order; what is there already stays as it is."""
    for kind, alike in _by_kind(objects):
        await asyncio.gather(*(_create(cluster, discovery, obj) for obj in alike))
        if kind == "CustomResourceDefinition":
            await _established(cluster, {obj["metadata"]["name"] for obj in alike})


def _by_kind(objects: Iterable[Object]) -> Iterator[tuple[str, Objects]]:
    for (_, kind), alike in groupby(objects, lambda obj: (obj["apiVersion"], obj["kind"])):
        yield kind, list(alike)


async def _create(cluster: Cluster, discovery: Discovery, obj: Object) -> None:
    served = await discovery.of_object(obj)
    try:
        await cluster.create(served.resource, obj)
    except RefusedError as refused:
        if refused.reason != "AlreadyExists":
            raise
        return
    if "status" in obj and served.has_status:
        metadata = obj["metadata"]
        status = {"status": obj["status"]}
        await cluster.patch(served.resource, metadata.get("namespace", ""), metadata["name"], status, "status")


async def _established(cluster: Cluster, names: set[str]) -> None:
    """Wait until what some definitions define is served."""
    async for batch in cluster.watch(CUSTOM_RESOURCES):
        names -= {each.object["metadata"]["name"] for each in batch if is_true(each.object, "Established")}
        if not names:
            return
