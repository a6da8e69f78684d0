"""CatalogSources that are made: their registry answers after a while. What they offer, packages say."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import CATALOG_SOURCES
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, World


async def connect(world: World, source: Object) -> float | None:
    """Take a CatalogSource to the state in which Subscriptions can be resolved from it."""
    metadata = source["metadata"]
    state = ((source.get("status") or {}).get("connectionState") or {}).get("lastObservedState")
    if metadata.get("deletionTimestamp") or state == "READY":
        return None
    address = f"{metadata['name']}.{metadata['namespace']}.svc:50051"
    connection = {"address": address, "lastConnect": world.timestamp}
    if state is None:
        await world.set_status(
            CATALOG_SOURCES, source, {"connectionState": connection | {"lastObservedState": "CONNECTING"}}
        )
        return world.timings.catalog_resolve
    since = seconds_of(source["status"]["connectionState"]["lastConnect"])
    if (left := since + world.timings.catalog_resolve - world.now) > 0:
        return left
    registry = {
        "createdAt": world.timestamp, "port": "50051", "protocol": "grpc", "serviceName": metadata["name"], "serviceNamespace": metadata["namespace"],
    }  # fmt: skip
    status = {"connectionState": connection | {"lastObservedState": "READY"}, "registryService": registry}
    await world.set_status(CATALOG_SOURCES, source, status)
    return None


CATALOG_SOURCE: Final = Behaviour("catalog sources", CATALOG_SOURCES, connect, manager="catalog")
