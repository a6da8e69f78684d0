"""Nodes whose kubelet stops, and nodes whose GPUs fall off. Made by `behaviours`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from projects.sim_cluster.behaviours.conditions import condition, is_true, with_conditions
from projects.sim_cluster.behaviours.hooks import LOST_GPUS, hook
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import NODES
from projects.sim_cluster.behaviours.unit import Behaviour, World
from projects.sim_cluster.faults.befalling import Befalling, fits

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.cluster_faults import GpuLost, NodeLost

_REPORTED: Final = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
_SILENT: Final = {
    "status": "Unknown",
    "reason": "NodeStatusUnknown",
    "message": "Kubelet stopped posting node status.",
}
_WELL: Final = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}
GPU: Final = "nvidia.com/"


def node_lost(befalling: Befalling[NodeLost]) -> Behaviour:
    """Return the behaviour that lets the node controller take note of a kubelet that has stopped.

    What follows from it (taints, evictions) is the cluster's own doing.
    """
    fault = befalling.fault

    def may_go(node: Object) -> bool:
        return fits(node["metadata"]["name"], fault.nodes) and is_true(node, "Ready")

    async def lose(world: World, node: Object) -> float | None:
        chosen = befalling.chosen(world, NODES, may_go, fault.count)
        if all(each["metadata"]["uid"] != node["metadata"]["uid"] for each in chosen):
            return None
        back = None if fault.returns_after is None else befalling.left(world) + fault.returns_after
        if back is not None and back <= 0:
            if condition(node, "Ready").get("status") == "Unknown" and befalling.has_struck(node):
                await _report(world, node, silent=False)
            return None
        if not befalling.has_struck(node):
            befalling.strike(node)
            await _report(world, node, silent=True)
        return back

    return befalling.behaviour(NODES, lose)


async def _report(world: World, node: Object, *, silent: bool) -> None:
    said = [
        {"type": kind, **(_SILENT if silent else dict(zip(("status", "reason", "message"), _WELL[kind], strict=True)))}
        for kind in _REPORTED
    ]
    await world.set_status(NODES, node, {"conditions": with_conditions(node, world.timestamp, *said)})


def gpu_lost(befalling: Befalling[GpuLost]) -> Behaviour:
    """Return the behaviour that takes GPUs from nodes."""
    fault = befalling.fault

    def has_gpus(node: Object) -> bool:
        capacity = (node.get("status") or {}).get("capacity") or {}
        gpus = any(name.startswith(GPU) and int(count) > 0 for name, count in capacity.items())
        return gpus and fits(node["metadata"]["name"], fault.nodes)

    async def take(world: World, node: Object) -> None:
        chosen = befalling.chosen(world, NODES, has_gpus, fault.count)
        if any(each["metadata"]["uid"] == node["metadata"]["uid"] for each in chosen) and not hook(node, LOST_GPUS):
            befalling.strike(node)
            await world.patch(NODES, node, {"metadata": {"annotations": {LOST_GPUS: str(fault.gpus)}}})

    return befalling.behaviour(NODES, take)
