"""Nodes whose kubelet stops, and nodes whose GPUs fall off. Made by `behaviours`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.conditions import condition, is_true, with_conditions
from projects.sim_cluster.behaviours.hooks import LOST_GPUS
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.node_objects import NO_PRESSURES, READY
from projects.sim_cluster.behaviours.resources import NODES, PODS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World
from projects.sim_cluster.faults.befalling import MANAGER, Befalling, fits, is_one_of

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.cluster_faults import GpuLost, NodeLost
    from projects.sim_cluster.scenarios.fields import Pods

_WELL: Final = (*NO_PRESSURES, READY)
_SILENT: Final = {
    "status": "Unknown",
    "reason": "NodeStatusUnknown",
    "message": "Kubelet stopped posting node status.",
}
GPU: Final = "nvidia.com/"


def node_lost(befalling: Befalling[NodeLost]) -> Behaviour:
    """Return the behaviour that lets the node controller take note of a kubelet that has stopped.

    What follows from it (taints, evictions) is the cluster's own doing.
    """
    loss = _Loss(befalling)
    if befalling.fault.once_runs is None:
        return befalling.behaviour(NODES, loss.lose)
    return Behaviour(f"fault {befalling.name}", NODES, loss.lose, MANAGER, woken_by=(Wake(PODS, _node_of),))


class _Loss:
    """A loss of nodes: since when each may be lost, and when it was."""

    def __init__(self, befalling: Befalling[NodeLost]) -> None:
        self._befalling, self._fault = befalling, befalling.fault
        self._since: dict[str, float] = {}
        self._lost: dict[str, float] = {}

    async def lose(self, world: World, node: Object) -> float | None:
        """Let a node go when it is one of those to go, and come back in time."""
        uid = node["metadata"]["uid"]
        if uid in self._lost:
            return await self._go_on(world, node)
        if self._fault.once_runs is not None and not _runs(world, node, self._fault.once_runs):
            return None
        began = self._since.setdefault(uid, world.now)
        if self._fault.once_runs is not None and (left := began + self._fault.after - world.now) > 0:
            return left
        if not self._befalling.is_next(world, NODES, node, partial(self._may_go, world), self._fault.count):
            return None
        self._befalling.strike(node)
        self._lost[uid] = world.now
        await _report(world, node, silent=True)
        spans = (self._fault.returns_after, self._fault.removed_after)
        return min((span for span in spans if span is not None), default=None)

    def _may_go(self, world: World, node: Object) -> bool:
        pods = self._fault.once_runs
        runs = pods is None or _runs(world, node, pods)
        return runs and is_true(node, "Ready") and fits(node["metadata"]["name"], self._fault.nodes)

    async def _go_on(self, world: World, node: Object) -> float | None:
        """Bring a lost node back, or remove it, when it is time for that."""
        gone = world.now - self._lost[node["metadata"]["uid"]]
        returns, removed = self._fault.returns_after, self._fault.removed_after
        if removed is not None and gone >= removed:
            await world.delete(NODES, node)
        elif returns is not None and gone >= returns and condition(node, "Ready").get("status") == "Unknown":
            await _report(world, node, silent=False)
        return min((after - gone for after in (returns, removed) if after is not None and after > gone), default=None)


def _runs(world: World, node: Object, pods: Pods) -> bool:
    return any(
        is_true(pod, "Ready") and is_one_of(pod, pods) for pod in world.cache(PODS).on_node(node["metadata"]["name"])
    )


def _node_of(_world: World, pod: Object) -> Iterable[Key]:
    return [("", name)] if (name := pod["spec"].get("nodeName")) else ()


async def _report(world: World, node: Object, *, silent: bool) -> None:
    said = [each | _SILENT for each in _WELL] if silent else _WELL
    await world.set_status(NODES, node, {"conditions": with_conditions(node, world.timestamp, *said)})


def gpu_lost(befalling: Befalling[GpuLost]) -> Behaviour:
    """Return the behaviour that takes GPUs from nodes."""
    fault = befalling.fault

    def has_gpus(node: Object) -> bool:
        capacity = (node.get("status") or {}).get("capacity") or {}
        gpus = any(name.startswith(GPU) and int(count) > 0 for name, count in capacity.items())
        return gpus and fits(node["metadata"]["name"], fault.nodes)

    async def take(world: World, node: Object) -> None:
        if befalling.is_next(world, NODES, node, has_gpus, fault.count):
            befalling.strike(node)
            await world.patch(NODES, node, {"metadata": {"annotations": {LOST_GPUS: str(fault.gpus)}}})

    return befalling.behaviour(NODES, take)
