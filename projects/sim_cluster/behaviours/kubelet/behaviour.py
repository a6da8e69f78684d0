"""The kubelets of a cluster as one behaviour: takes each pod that is bound to a node from stage to stage.

A kubelet that has stopped posting its node's status does nothing, so the pods of a lost node stay as they are.
"""

from __future__ import annotations

import itertools
from typing import Final

from projects.sim_cluster.behaviours.cache import key_of
from projects.sim_cluster.behaviours.conditions import condition, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.kubelet.containers import advance, ended, waiting, will_restart
from projects.sim_cluster.behaviours.kubelet.memory import Memory
from projects.sim_cluster.behaviours.kubelet.status import conditions, init_is_done, phase_of
from projects.sim_cluster.behaviours.kubelet.turn import Turn
from projects.sim_cluster.behaviours.node_objects import internal_ip
from projects.sim_cluster.behaviours.pods import has_ended, pods_of_node
from projects.sim_cluster.behaviours.programs import PodFault
from projects.sim_cluster.behaviours.resources import NODES, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World

_NUMBERS: Final = itertools.count(2)
_LATE: Final = "Pod was active on the node longer than the specified deadline"
_NO_MEMORY: Final = "The node was low on resource: memory. "
_SIGTERM: Final = 143
_SIGKILL: Final = 137
_INITS: Final = "initContainerStatuses"
_CONTAINERS: Final = "containerStatuses"


class Kubelet:
    """Plays the kubelets of all nodes."""

    def __init__(self) -> None:
        self._memory = Memory()

    def behaviour(self) -> Behaviour:
        """Return the behaviour."""
        woken = (Wake(NODES, pods_of_node),)
        return Behaviour("kubelet", PODS, self.live, manager="kubelet", woken_by=woken, component="kubelet")

    async def live(self, world: World, pod: Object) -> float | None:
        """Take a pod to the next stage of its life; it does not outlive its node."""
        if not (name := pod["spec"].get("nodeName")):
            return None
        node = world.cache(NODES).get("", name)
        if node is None and len(world.cache(NODES)):
            await world.delete(PODS, pod, grace_seconds=0)
            return None
        if node is not None and condition(node, "Ready").get("status") == "Unknown":
            return None
        turn = Turn(world, pod, self._memory)
        if pod["metadata"].get("deletionTimestamp"):
            return await self._stop(turn)
        status = pod.get("status") or {}
        played_by_another = status.get("phase") == "Running" and not status.get("containerStatuses")
        if has_ended(pod) or played_by_another:
            return None
        return await _sync(turn)

    async def _stop(self, turn: Turn) -> float | None:
        """End a deleted pod's containers within its grace period, and let it go."""
        pod, metadata = turn.pod, turn.pod["metadata"]
        grace = metadata.get("deletionGracePeriodSeconds") or 0
        end = seconds_of(metadata["deletionTimestamp"])
        running = [each for each in _statuses(pod, _CONTAINERS) if "running" in (each.get("state") or {})]
        if running and self._memory.starts_to_stop(pod):
            for container in pod["spec"]["containers"]:
                turn.tell("Killing", f"Stopping container {container['name']}", container)
            turn.say()
        if running and turn.waits(min(end - grace + turn.world.timings.pod_stop, end) - turn.now):
            return turn.wakes[0]
        if running:
            is_server = pod["spec"].get("restartPolicy", "Always") == "Always"  # it ends well when it is told to
            await turn.world.set_status(PODS, pod, _stopped(turn, 0 if is_server else _SIGTERM))
        self._memory.forget(pod)
        await turn.world.delete(PODS, pod, grace_seconds=0)
        return None


async def _sync(turn: Turn) -> float | None:
    status = turn.pod.get("status") or {}
    deadline = turn.pod["spec"].get("activeDeadlineSeconds")
    if not status.get("startTime"):
        turn.pod = await _admit(turn)
    elif deadline is not None and not turn.waits(seconds_of(status["startTime"]) + deadline - turn.now):
        late = {"phase": "Failed", "reason": "DeadlineExceeded", "message": _LATE}
        turn.tell("DeadlineExceeded", _LATE)
        await _end(turn, _stopped(turn, _SIGKILL) | late)
        return None
    inits, statuses = _advance(turn)
    if turn.evicted is not None:
        await _end(turn, _evicted(turn, turn.evicted))
        return None
    changed = [*inits, *statuses] != [*_statuses(turn.pod, _INITS), *_statuses(turn.pod, _CONTAINERS)]
    await _end(turn, _report(turn, inits, statuses) if changed else {})
    return min(turn.wakes, default=None)


async def _end(turn: Turn, status: Object) -> None:
    await turn.world.set_status(PODS, turn.pod, status)
    turn.say()


async def _admit(turn: Turn) -> Object:
    """Say that a kubelet has taken on a pod."""
    spec, now = turn.pod["spec"], turn.world.timestamp
    host = internal_ip(turn.node)
    reason = "PodInitializing" if spec.get("initContainers") else "ContainerCreating"
    inits = [waiting(each, reason) for each in spec.get("initContainers") or ()]
    statuses = [waiting(each, reason) for each in sorted(spec["containers"], key=lambda each: str(each["name"]))]
    status = {"hostIP": host, "hostIPs": [{"ip": host}], "startTime": now}
    await turn.world.set_status(PODS, turn.pod, status | _report(turn, inits, statuses))
    return turn.world.cache(PODS).get(*key_of(turn.pod)) or turn.pod


def _statuses(pod: Object, field: str) -> list[Object]:
    return list((pod.get("status") or {}).get(field) or ())


def _advance(turn: Turn) -> tuple[list[Object], list[Object]]:
    """Take the init containers on, one after the other, and then the others together."""
    spec = turn.pod["spec"]
    inits, statuses = _statuses(turn.pod, _INITS), _statuses(turn.pod, _CONTAINERS)
    for number, container in enumerate(spec.get("initContainers") or ()):
        inits[number] = advance(turn, container, inits[number])
        if not init_is_done(container, inits[number]):
            return inits, statuses
    known = {container["name"]: container for container in spec["containers"]}
    statuses = [advance(turn, known[each["name"]], each) if each["name"] in known else each for each in statuses]
    if statuses and all(_is_over(turn, known[each["name"]], each) for each in statuses):
        inits = [_cut_off(turn, each, 0) for each in inits]
    return inits, statuses


def _is_over(turn: Turn, container: Object, status: Object) -> bool:
    last = (status.get("state") or {}).get("terminated")
    return last is not None and not will_restart(turn, container, last["exitCode"])


def _cut_off(turn: Turn, status: Object, code: int) -> Object:
    """Return the status of a container that does not run any more, whether or not it still did."""
    return ended(turn, status, code) | {"ready": False} if "running" in (status.get("state") or {}) else status


def _report(turn: Turn, inits: list[Object], statuses: list[Object], phase: str = "") -> Object:
    """Return the status of a pod; which phase it is in follows from its containers unless it is given."""
    pod = turn.pod
    phase = phase or phase_of(pod, inits, statuses)
    status: Object = {"phase": phase, "containerStatuses": statuses}
    if inits:
        status["initContainerStatuses"] = inits
    if (pod.get("status") or {}).get("startTime") and not pod["status"].get("podIP"):
        address = pod["status"]["hostIP"] if pod["spec"].get("hostNetwork") else _next_address()
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
        pod = {**pod, "status": {**pod["status"], **status}}
    if number := pod["metadata"].get("generation"):
        status["observedGeneration"] = number
    return status | {"conditions": conditions(pod, turn.world.timestamp, phase, inits, statuses)}


def _next_address() -> str:
    number = next(_NUMBERS)
    return f"10.{128 + number // 65536 % 100}.{number // 256 % 256}.{number % 256}"


def _stopped(turn: Turn, code: int) -> Object:
    """Return the status of a pod all of whose containers have just been stopped; it has ended for good."""
    inits = [_cut_off(turn, each, code) for each in _statuses(turn.pod, _INITS)]
    statuses = [_cut_off(turn, each, code) for each in _statuses(turn.pod, _CONTAINERS)]
    return _report(turn, inits, statuses, "Failed" if any(_exit_code(each) for each in statuses) else "Succeeded")


def _exit_code(status: Object) -> int:
    return int(((status.get("state") or {}).get("terminated") or {"exitCode": 1})["exitCode"])


def _evicted(turn: Turn, fault: PodFault) -> Object:
    """Return the status of a pod whose node had too little memory for it."""
    message = fault.message or _NO_MEMORY
    turn.tell("Evicted", message, warning=True)
    status = _stopped(turn, _SIGKILL)
    disrupted = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "message": message}
    found = with_conditions(turn.pod | {"status": status}, turn.world.timestamp, {"lastProbeTime": None} | disrupted)
    return status | {"phase": "Failed", "reason": "Evicted", "message": message, "conditions": found}
