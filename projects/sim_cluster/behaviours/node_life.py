"""What becomes of nodes that are not well: their taints, their pods' readiness, and the eviction of pods that do not tolerate them.

The controllers named node-lifecycle and taint-eviction, but for the heartbeats: a node is lost when its Ready condition says
``Unknown``, which whoever plays the loss sets (a timer that beats for ever would keep a clock that jumps from ever resting).
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.cache import key_of
from projects.sim_cluster.behaviours.conditions import condition, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.placement import UNSCHEDULABLE, tolerates
from projects.sim_cluster.behaviours.pods import has_ended, pods_of_node
from projects.sim_cluster.behaviours.resources import NODES, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World

_NOT_READY: Final = "node.kubernetes.io/not-ready"
_UNREACHABLE: Final = "node.kubernetes.io/unreachable"
_PRESSURES: Final = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_OURS: Final = frozenset({_NOT_READY, _UNREACHABLE, UNSCHEDULABLE, *_PRESSURES.values()})


async def keep_watch(world: World, node: Object) -> None:
    """Taint a node as its conditions say, and say of its pods that they are not ready when it is not."""
    if node["metadata"].get("deletionTimestamp"):
        return
    known = list((node.get("spec") or {}).get("taints") or ())
    wanted = [*(taint for taint in known if taint["key"] not in _OURS), *_taints(world, node, known)]
    if _keys(wanted) != _keys(known):
        await world.patch(NODES, node, {"spec": {"taints": wanted or None}})
    if condition(node, "Ready").get("status", "True") != "True":
        for pod in world.cache(PODS).on_node(node["metadata"]["name"]):
            await _mark(world, pod)


def _keys(taints: list[Object]) -> set[tuple[str, str]]:
    return {(taint["key"], taint["effect"]) for taint in taints}


def _taints(world: World, node: Object, known: list[Object]) -> list[Object]:
    """Return the taints that a node should have of ours; those that it has keep their times."""
    found = []
    if (node.get("spec") or {}).get("unschedulable"):
        found.append({"key": UNSCHEDULABLE, "effect": "NoSchedule"})
    state = condition(node, "Ready").get("status", "True")
    if state != "True":
        key = _UNREACHABLE if state == "Unknown" else _NOT_READY
        found += [{"key": key, "effect": effect} for effect in ("NoSchedule", "NoExecute")]
    found += [
        {"key": key, "effect": "NoSchedule"}
        for kind, key in _PRESSURES.items()
        if condition(node, kind).get("status") == "True"
    ]
    times = {(taint["key"], taint["effect"]): taint.get("timeAdded") for taint in known}
    return [
        taint | {"timeAdded": times.get((taint["key"], taint["effect"]), world.timestamp) or world.timestamp}
        for taint in found
    ]


async def _mark(world: World, pod: Object) -> None:
    """Say that a pod on a node that is not ready is not either."""
    if condition(pod, "Ready").get("status") != "True":
        return
    unready = {"type": "Ready", "status": "False"}
    await world.set_status(PODS, pod, {"conditions": with_conditions(pod, world.timestamp, unready)})
    world.tell(pod, "NodeNotReady", "Node is not ready", type="Warning")


async def evict(world: World, pod: Object) -> float | None:
    """Delete a pod when a taint of its node does not let it run on."""
    if not (name := pod["spec"].get("nodeName")) or pod["metadata"].get("deletionTimestamp"):
        return None
    node = world.cache(NODES).get("", name) or {}
    taints = [each for each in (node.get("spec") or {}).get("taints") or () if each["effect"] == "NoExecute"]
    if not taints or has_ended(pod):
        return None
    ends = [end for taint in taints if (end := _tolerated_until(pod, taint, world.now)) is not None]
    if not ends:
        return None
    if (left := min(ends) - world.now) > 0:
        return left
    disrupted = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager",
                 "message": "Taint manager: deleting due to NoExecute taint"}  # fmt: skip
    await world.set_status(PODS, pod, {"conditions": with_conditions(pod, world.timestamp, disrupted)})
    world.tell(pod, "TaintManagerEviction", f"Marking for deletion Pod {'/'.join(key_of(pod))}")
    await world.delete(PODS, pod)
    return None


def _tolerated_until(pod: Object, taint: Object, now: float) -> float | None:
    """Return until when a pod may stay under a taint; None for ever."""
    tolerations = [each for each in pod["spec"].get("tolerations") or () if tolerates([each], taint)]
    if not tolerations:
        return now
    spans = [each["tolerationSeconds"] for each in tolerations if each.get("tolerationSeconds") is not None]
    if not spans:
        return None
    added = taint.get("timeAdded")
    return (seconds_of(added) if added else now) + max(0.0, float(min(spans)))


NODE_LIFE: Final = Behaviour("node life", NODES, keep_watch, reads=(PODS,), component="node-controller")
TAINT_EVICTION: Final = Behaviour(
    "taint eviction", PODS, evict, woken_by=(Wake(NODES, pods_of_node),), component="taint-eviction-controller"
)
