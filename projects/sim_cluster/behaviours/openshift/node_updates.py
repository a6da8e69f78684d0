"""A node takes on a configuration: it is cordoned and drained, it reboots, it comes back. The machine config daemon's work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projects.sim_cluster.behaviours.cache import Key, controller_of
from projects.sim_cluster.behaviours.conditions import with_conditions
from projects.sim_cluster.behaviours.interface import Object, RefusedError
from projects.sim_cluster.behaviours.metadata import annotations_of
from projects.sim_cluster.behaviours.node_objects import NOT_READY, READY
from projects.sim_cluster.behaviours.openshift.pools import CURRENT, DESIRED, DONE, STATE, annotation
from projects.sim_cluster.behaviours.openshift.releases import kubelet_of
from projects.sim_cluster.behaviours.openshift.rendering import VERSION, kubelet_settings
from projects.sim_cluster.behaviours.pods import is_active
from projects.sim_cluster.behaviours.resources import MACHINE_CONFIGS, NODES, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World

_WORKING: Final = "Working"
_REBOOTING: Final = "rehearsal.foresail.io/rebooting-since"
_REBOOTS: Final = NOT_READY | {"message": "node is rebooting"}
_PODS: Final = "250"


async def update(world: World, node: Object) -> float | None:
    """Take a node one step further to the configuration that its pool wants."""
    wanted = annotation(node, DESIRED)
    if not annotation(node, CURRENT) or (annotation(node, CURRENT) == wanted and annotation(node, STATE) == DONE):
        return None
    if annotation(node, STATE) != _WORKING:
        world.tell(node, "Cordon", "Cordoned node to apply update")
        world.tell(node, "Drain", "Draining node to update config.")
        await world.patch(
            NODES, node, {"metadata": {"annotations": {STATE: _WORKING}}, "spec": {"unschedulable": True}}
        )
        return 0
    since = annotation(node, _REBOOTING)
    if not since:
        return await _drain(world, node, wanted)
    if (left := seconds_of(since) + world.timings.node_reboot - world.now) > 0:
        return left
    await _come_back(world, node, wanted)
    return None


async def _drain(world: World, node: Object, wanted: str) -> float:
    name = node["metadata"]["name"]
    left = [pod for pod in world.cache(PODS).on_node(name) if _has_to_go(pod)]
    for pod in left:
        await _evict(world, pod)
    if left:
        return world.timings.retry
    world.tell(node, "Reboot", f"Node will reboot into config {wanted}")
    await _set_ready(world, node, ready=False)
    await world.patch(NODES, node, {"metadata": {"annotations": {_REBOOTING: world.timestamp}}})
    return world.timings.node_reboot


def _has_to_go(pod: Object) -> bool:
    owner = controller_of(pod)
    return (pod["metadata"].get("deletionTimestamp") is not None or is_active(pod)) and (owner or {}).get(
        "kind"
    ) not in {"DaemonSet", "Node"}


async def _evict(world: World, pod: Object) -> None:
    metadata = pod["metadata"]
    if metadata.get("deletionTimestamp"):
        return
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
    }
    try:
        await world.cluster.patch(PODS, metadata["namespace"], metadata["name"], eviction, "eviction")
    except RefusedError as refused:  # a disruption budget allows no more: it is tried again
        if refused.reason not in {"TooManyRequests", "NotFound"}:
            raise


async def _come_back(world: World, node: Object, wanted: str) -> None:
    config = world.cache(MACHINE_CONFIGS).get("", wanted)
    if config is not None:
        await _boot(world, node, config)
    await _set_ready(world, node, ready=True)
    world.tell(node, "NodeDone", f"Setting node {node['metadata']['name']}, currentConfig {wanted} to Done")
    annotations = {CURRENT: wanted, STATE: DONE, _REBOOTING: None}
    await world.patch(NODES, node, {"metadata": {"annotations": annotations}, "spec": {"unschedulable": None}})


async def _boot(world: World, node: Object, config: Object) -> None:
    """Run what a configuration says: the kubelet of its version, and the number of pods that it allows."""
    status: Object = {}
    if version := annotations_of(config).get(VERSION):
        status["nodeInfo"] = {"kubeletVersion": kubelet_of(version)}
    pods = str(kubelet_settings(config).get("maxPods", _PODS))
    if (node["status"].get("capacity") or {}).get("pods") != pods:
        status |= {"capacity": {"pods": pods}, "allocatable": {"pods": pods}}
    if status:
        await world.patch(NODES, node, {"status": status}, "status")


async def _set_ready(world: World, node: Object, *, ready: bool) -> None:
    wanted = READY if ready else _REBOOTS
    found = world.cache(NODES).get("", node["metadata"]["name"]) or node
    await world.set_status(NODES, found, {"conditions": with_conditions(found, world.timestamp, wanted)})


def _draining(world: World, pod: Object) -> Iterable[Key]:
    """Wake the node of a pod when that one is being updated."""
    node = world.cache(NODES).get("", pod["spec"].get("nodeName") or "")
    if node is not None and annotation(node, STATE) == _WORKING:
        yield "", node["metadata"]["name"]


NODE_UPDATE: Final = Behaviour(
    "node updates",
    NODES,
    update,
    manager="machine-config-daemon",
    woken_by=(Wake(PODS, _draining),),
    reads=(MACHINE_CONFIGS,),
    component="machineconfigdaemon",
)
