"""Puts a shape's objects into an API over HTTP, as an installer would. Called by `real_api.cluster`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.interface import Cluster, Object, Objects, RefusedError
from projects.sim_cluster.behaviours.resources import CUSTOM_RESOURCES
from projects.sim_cluster.over_http.discovery import Discovery

INSTALLER: Final = "installer"


async def seed_over_http(cluster: Cluster, discovery: Discovery, objects: Iterable[Object]) -> None:
    """Create objects: definitions and namespaces before what needs them, the others all at once; what is there already stays."""
    first: dict[str, Objects] = {"CustomResourceDefinition": [], "Namespace": []}
    others: Objects = []
    for obj in objects:
        first.get(obj["kind"], others).append(obj)
    for alike in (*first.values(), others):
        await discovery.learn({obj["apiVersion"] for obj in alike})
        await asyncio.gather(*(_create(cluster, discovery, obj) for obj in alike))
        if alike is first["CustomResourceDefinition"] and alike:
            await _established(cluster, {obj["metadata"]["name"] for obj in alike})


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
