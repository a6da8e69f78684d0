"""Namespaces that do not go, and namespaces in which there is no room. Made by `behaviours`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.namespaces import ROOT_CA
from projects.sim_cluster.behaviours.resources import CONFIG_MAPS, NAMESPACES, RESOURCE_QUOTAS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World
from projects.sim_cluster.faults.befalling import Befalling, is_meant

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.cluster_faults import NamespaceStuck, QuotaReached

FINALIZER: Final = "rehearsal.foresail.io/stuck"
_HELD: Final = ROOT_CA
"""What every namespace holds: nothing that is there for the fault alone, which somebody would come across."""


def namespace_stuck(befalling: Befalling[NamespaceStuck]) -> Behaviour:
    """Return the behaviour that gives something in each namespace a finalizer that nobody removes."""
    fault = befalling.fault

    async def hold(world: World, namespace: Object) -> float | None:
        held = world.cache(CONFIG_MAPS).get(namespace["metadata"]["name"], _HELD)
        if held is None or not _is_meant(befalling, namespace):
            return None
        finalizers = list(held["metadata"].get("finalizers") or ())
        deleted = namespace["metadata"].get("deletionTimestamp")
        if not deleted and FINALIZER not in finalizers:
            await world.patch(CONFIG_MAPS, held, {"metadata": {"finalizers": [*finalizers, FINALIZER]}})
        if not deleted or FINALIZER not in finalizers:
            return None
        befalling.strike(namespace)
        if fault.lasts is None:
            return None
        if (left := seconds_of(deleted) + fault.lasts - world.now) > 0:
            return left
        finalizers.remove(FINALIZER)
        await world.patch(CONFIG_MAPS, held, {"metadata": {"finalizers": finalizers}})
        return None

    return befalling.behaviour(NAMESPACES, hold, [Wake(CONFIG_MAPS, _namespace_of)])


def quota_reached(befalling: Befalling[QuotaReached]) -> Behaviour:
    """Return the behaviour that puts a ResourceQuota into each namespace."""

    async def restrict(world: World, namespace: Object) -> None:
        if namespace["metadata"].get("deletionTimestamp") or not _is_meant(befalling, namespace):
            return
        if befalling.has_struck(namespace):
            return
        metadata = {"name": befalling.name.replace("#", "-"), "namespace": namespace["metadata"]["name"]}
        spec = {"hard": befalling.fault.hard}
        await world.ensure(
            RESOURCE_QUOTAS, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}
        )
        befalling.strike(namespace)

    return befalling.behaviour(NAMESPACES, restrict)


def _is_meant(befalling: Befalling[NamespaceStuck] | Befalling[QuotaReached], namespace: Object) -> bool:
    return is_meant(namespace["metadata"]["name"], befalling.fault.namespaces) and befalling.may_befall(namespace)


def _namespace_of(_world: World, obj: Object) -> Iterable[Key]:
    return [("", obj["metadata"]["namespace"])] if obj["metadata"]["name"] == _HELD else ()
