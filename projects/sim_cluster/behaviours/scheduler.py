"""Puts pods on nodes: the fitting node that has the fewest. Resources are not weighed yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from projects.sim_cluster.behaviours.cache import Key, key_of
from projects.sim_cluster.behaviours.conditions import condition, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.placement import why_not
from projects.sim_cluster.behaviours.resources import NODES, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World

_RETRY: Final = 30.0
_FLUSH: Final = 300.0
"""After so many seconds the real one tries again what it could not place, and says so once more."""
_PREEMPTION: Final = "no new claims to deallocate, preemption"


async def schedule(world: World, pod: Object) -> float | None:
    """Bind a pod that has no node, or say why it cannot be."""
    spec, status = pod["spec"], pod.get("status") or {}
    if spec.get("nodeName") or status.get("phase") != "Pending" or pod["metadata"].get("deletionTimestamp"):
        return None
    if spec.get("schedulerName", "default-scheduler") != "default-scheduler" or spec.get("schedulingGates"):
        return None
    nodes = sorted(world.cache(NODES), key=lambda node: node["metadata"]["name"])
    refusals = {node["metadata"]["name"]: why_not(spec, node) for node in nodes}
    fitting = [name for name, reason in refusals.items() if not reason]
    if fitting:
        chosen = min(fitting, key=world.cache(PODS).count_on_node)
        await world.patch(PODS, pod, {"target": {"kind": "Node", "name": chosen}}, "binding")
        called = "/".join(key_of(pod))
        world.tell(pod, "Scheduled", f"Successfully assigned {called} to {chosen}", action="Binding")
        return None
    await _say_why(world, pod, refusals)
    return _RETRY


async def _say_why(world: World, pod: Object, refusals: dict[str, str]) -> None:
    total = len(refusals)
    counted = Counter(refusals.values())
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in counted.items()))
    nodes = f"0/{total} nodes are available"
    message = (
        f"{nodes}: {listed}. {_PREEMPTION}: {nodes}: {total} Preemption is not helpful for scheduling."
        if total
        else "no nodes available to schedule pods"
    )
    unschedulable = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastProbeTime": None,
    }
    known = condition(pod, "PodScheduled")
    news = (known.get("reason"), known.get("message")) != ("Unschedulable", message)
    if news or _is_tried_again(world.now - seconds_of(known["lastTransitionTime"])):
        world.tell(pod, "FailedScheduling", message, type="Warning", action="Scheduling")
    if not news:
        return
    if generation := pod["metadata"].get("generation"):
        unschedulable["observedGeneration"] = generation
    await world.set_status(PODS, pod, {"conditions": with_conditions(pod, world.timestamp, unschedulable)})


def _is_tried_again(age: float) -> bool:
    return age >= _FLUSH and age % _FLUSH < _RETRY


def _pending(world: World, _node: Object) -> Iterable[Key]:
    return [
        (pod["metadata"]["namespace"], pod["metadata"]["name"])
        for pod in world.cache(PODS)
        if not pod["spec"].get("nodeName") and not pod["metadata"].get("deletionTimestamp")
    ]


SCHEDULER: Final = Behaviour(
    "scheduler",
    PODS,
    schedule,
    manager="kube-scheduler",
    woken_by=(Wake(NODES, _pending),),
    reads=(NODES,),
    component="default-scheduler",
)
