"""A cloud that has no machine of a type. Made by `behaviours`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from projects.sim_cluster.behaviours.hooks import FAIL, NO_CAPACITY, hook
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.openshift.machines import provider_of
from projects.sim_cluster.behaviours.resources import MACHINES
from projects.sim_cluster.behaviours.unit import Behaviour, World
from projects.sim_cluster.faults.befalling import Befalling, fits

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.cluster_faults import NoCapacity

_MESSAGE: Final = (
    "InsufficientInstanceCapacity: We currently do not have sufficient {type} capacity in the Availability Zone you "
    "requested ({zone}). Our system will be working on provisioning additional capacity."
)


def no_capacity(befalling: Befalling[NoCapacity]) -> Behaviour:
    """Return the behaviour that lets machines wait for a capacity that there is not."""
    fault = befalling.fault

    async def starve(world: World, machine: Object) -> float | None:
        left = None if fault.lasts is None else befalling.left() + fault.lasts
        if left is not None and left <= 0:
            if hook(machine, NO_CAPACITY) and befalling.has_struck(machine):
                await world.patch(MACHINES, machine, {"metadata": {"annotations": {NO_CAPACITY: None}}})
            return None
        if (machine.get("status") or {}).get("nodeRef") or hook(machine, NO_CAPACITY):
            return left
        wanted = _wanted(machine)
        if not fits(wanted["type"], fault.instance_types) or not befalling.may_befall(machine):
            return None
        annotations = {NO_CAPACITY: _MESSAGE.format(**wanted)} | ({FAIL: befalling.name} if fault.fails else {})
        await world.patch(MACHINES, machine, {"metadata": {"annotations": annotations}})
        befalling.strike(machine)
        return left

    return befalling.behaviour(MACHINES, starve)


def _wanted(machine: Object) -> dict[str, Any]:
    provider = provider_of(machine)
    zone = (provider.get("placement") or {}).get("availabilityZone", "")
    return {"type": provider.get("instanceType", ""), "zone": zone}
