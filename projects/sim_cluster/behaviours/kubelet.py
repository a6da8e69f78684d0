"""The life of a pod on its node: it starts, gets Ready, completes when a Job owns it, and goes when it is deleted."""

from __future__ import annotations

import itertools
from typing import Any, Final

from projects.sim_cluster.behaviours.cache import Key, controller_of, key_of
from projects.sim_cluster.behaviours.conditions import condition, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import NODES, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World

_ENDED: Final = frozenset({"Succeeded", "Failed"})
_NUMBERS: Final = itertools.count(2)


async def live(world: World, pod: Object) -> float | None:
    """Take a pod to the next stage of its life; it does not outlive its node."""
    if not pod["spec"].get("nodeName"):
        return None
    if world.cache(NODES).get("", pod["spec"]["nodeName"]) is None and len(world.cache(NODES)):
        await world.delete(PODS, pod, grace_seconds=0)
        return None
    if pod["metadata"].get("deletionTimestamp"):
        return await _stop(world, pod)
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Pending":
        return await _start(world, pod)
    owner = controller_of(pod)
    if phase == "Running" and owner is not None and owner["kind"] == "Job":
        return await _complete(world, pod)
    return None


async def _start(world: World, pod: Object) -> float | None:
    since = condition(pod, "PodScheduled").get("lastTransitionTime") or pod["metadata"]["creationTimestamp"]
    if (left := seconds_of(since) + world.timings.pod_start - world.now) > 0:
        return left
    await world.set_status(PODS, pod, _running(world, pod))
    _tell_start(world, pod)
    return world.timings.job_pod_run if controller_of(pod) else None


def _tell_start(world: World, pod: Object) -> None:
    for field in ("initContainers", "containers"):
        for container in pod["spec"].get(field) or ():
            name, image = container["name"], container["image"]
            where = {"host": pod["spec"]["nodeName"], "part": f"spec.{field}{{{name}}}"}
            if container.get("imagePullPolicy") == "IfNotPresent":
                world.tell(pod, "Pulled", f'Container image "{image}" already present on machine', **where)
            elif container.get("imagePullPolicy") != "Never":
                took = f"in {world.timings.pod_start:g}s ({world.timings.pod_start:g}s including waiting)"
                world.tell(pod, "Pulling", f'Pulling image "{image}"', **where)
                world.tell(pod, "Pulled", f'Successfully pulled image "{image}" {took}', **where)
            world.tell(pod, "Created", f"Created container: {name}", **where)
            world.tell(pod, "Started", f"Started container {name}", **where)


def _tell_stop(world: World, pod: Object) -> None:
    for container in pod["spec"]["containers"]:
        name = container["name"]
        where = {"host": pod["spec"]["nodeName"], "part": f"spec.containers{{{name}}}"}
        world.tell(pod, "Killing", f"Stopping container {name}", **where)


def _running(world: World, pod: Object) -> Object:
    now = world.timestamp
    node = world.cache(NODES).get("", pod["spec"]["nodeName"]) or {}
    addresses = (node.get("status") or {}).get("addresses") or ()
    host = next((entry["address"] for entry in addresses if entry["type"] == "InternalIP"), "127.0.0.1")
    address = host if pod["spec"].get("hostNetwork") else _next_address()
    true = [
        {"type": kind, "status": "True"}
        for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
    ]
    return {
        "phase": "Running",
        "conditions": with_conditions(pod, now, *({"lastProbeTime": None} | entry for entry in true)),
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": now,
        "containerStatuses": [
            _container(entry, {"running": {"startedAt": now}}, ready=True) for entry in pod["spec"]["containers"]
        ],
        "initContainerStatuses": _init_containers(pod, now) or None,
    }


def _next_address() -> str:
    number = next(_NUMBERS)
    return f"10.{128 + number // 65536 % 100}.{number // 256 % 256}.{number % 256}"


def _init_containers(pod: Object, now: str) -> list[Object]:
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
    return [_container(entry, ended, ready=True) for entry in pod["spec"].get("initContainers") or ()]


def _container(container: Object, state: Object, *, ready: bool) -> Object:
    started = "running" in state
    return {
        "name": container["name"], "state": state, "lastState": {}, "ready": ready, "restartCount": 0,
        "image": container["image"], "imageID": f"{container['image']}@sha256:simulated", "started": started,
    }  # fmt: skip


async def _complete(world: World, pod: Object) -> float | None:
    begun = seconds_of(pod["status"].get("startTime") or pod["metadata"]["creationTimestamp"])
    if (left := begun + world.timings.job_pod_run - world.now) > 0:
        return left
    now = world.timestamp
    ended: dict[str, Any] = {
        "terminated": {
            "exitCode": 0,
            "reason": "Completed",
            "startedAt": pod["status"].get("startTime"),
            "finishedAt": now,
        }
    }
    false = [{"type": kind, "status": "False", "reason": "PodCompleted"} for kind in ("Ready", "ContainersReady")]
    await world.set_status(PODS, pod, {
        "phase": "Succeeded",
        "conditions": with_conditions(pod, now, *false),
        "containerStatuses": [_container(entry, ended, ready=False) for entry in pod["spec"]["containers"]],
    })  # fmt: skip
    return None


async def _stop(world: World, pod: Object) -> float | None:
    metadata = pod["metadata"]
    grace = metadata.get("deletionGracePeriodSeconds") or 0
    end = seconds_of(metadata["deletionTimestamp"])
    stopped = min(end - grace + world.timings.pod_stop, end)
    if (pod.get("status") or {}).get("phase") in _ENDED:
        stopped = 0.0
    if (left := stopped - world.now) > 0:
        return left
    if (pod.get("status") or {}).get("phase") == "Running":
        _tell_stop(world, pod)
    await world.delete(PODS, pod, grace_seconds=0)
    return None


def _pods_of_node(world: World, node: Object) -> list[Key]:
    return [key_of(pod) for pod in world.cache(PODS).on_node(node["metadata"]["name"])]


KUBELET: Final = Behaviour(
    "kubelet", PODS, live, manager="kubelet", woken_by=(Wake(NODES, _pods_of_node),), component="kubelet"
)
