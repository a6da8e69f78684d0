"""The status of a pod from those of its containers: phase, conditions, addresses. Called by `behaviour`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projects.sim_cluster.behaviours.conditions import with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.kubelet.containers import is_sidecar

_ORDER: Final = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
_COMPLETED: Final = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}


def init_is_done(container: Object, status: Object) -> bool:
    """Return whether the containers after an init container may start."""
    if is_sidecar(container):
        return bool(status.get("started"))
    ended = (status.get("state") or {}).get("terminated")
    return ended is not None and ended["exitCode"] == 0


def _last_end(status: Object) -> Object | None:
    state = status.get("state") or {}
    if "running" in state:
        return None
    return state.get("terminated") or (status.get("lastState") or {}).get("terminated")


def phase_of(pod: Object, inits: list[Object], statuses: list[Object]) -> str:
    """Return the phase of a pod whose containers have these statuses."""
    spec = pod["spec"]
    policy = spec.get("restartPolicy", "Always")
    pending = False
    for container, status in zip(spec.get("initContainers") or (), inits, strict=False):
        end = _last_end(status)
        if policy == "Never" and not is_sidecar(container) and end is not None and end["exitCode"] != 0:
            return "Failed"
        pending = pending or not (init_is_done(container, status) or (is_sidecar(container) and end is not None))
    running = [status for status in statuses if "running" in (status.get("state") or {})]
    ends = [end for status in statuses if (end := _last_end(status)) is not None]
    if len(running) + len(ends) < len(statuses) or (pending and not ends):
        return "Pending"
    if running or policy == "Always":
        return "Running"
    if all(end["exitCode"] == 0 for end in ends):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def conditions(pod: Object, now: str, phase: str, inits: list[Object], statuses: list[Object]) -> list[Object]:
    """Return the conditions of a pod, in the order in which a kubelet reports them."""
    ready = _ready(phase, pod, inits, statuses)
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()]
    wanted = [
        {"type": "PodReadyToStartContainers", "status": "False" if _is_bare(pod, phase) else "True"},
        {"type": "Initialized"} | _initialized(pod, phase, inits),
        {"type": "Ready"} | ready,
        {"type": "ContainersReady"} | ready,
        *({"type": gate, "status": "True"} for gate in gates),
    ]
    observed = {"observedGeneration": number} if (number := pod["metadata"].get("generation")) else {}
    bare = {**pod, "status": {"conditions": [_unexplained(entry) for entry in _known(pod)]}}
    found = with_conditions(bare, now, *({"lastProbeTime": None} | observed | entry for entry in wanted))
    return sorted(found, key=lambda entry: _ORDER.index(entry["type"]) if entry["type"] in _ORDER else len(_ORDER))


def _known(pod: Object) -> list[Object]:
    return list((pod.get("status") or {}).get("conditions") or ())


def _unexplained(entry: Object) -> Object:
    """Return a condition without a reason that may not hold any more; those that others set keep theirs."""
    ours = entry["type"] in _ORDER and entry["type"] != "PodScheduled"
    return {key: value for key, value in entry.items() if key not in {"reason", "message"}} if ours else entry


def _is_bare(pod: Object, phase: str) -> bool:
    """Return whether a pod has no sandbox: not yet, or not any more."""
    return phase in _COMPLETED or not (pod.get("status") or {}).get("podIP")


def _listed(names: Iterable[str]) -> str:
    return f"[{' '.join(names)}]"


def _initialized(pod: Object, phase: str, inits: list[Object]) -> Object:
    containers = pod["spec"].get("initContainers") or ()
    left = [each["name"] for each, status in zip(containers, inits, strict=False) if not init_is_done(each, status)]
    if phase == "Succeeded":
        return {"status": "True", "reason": "PodCompleted"}
    if left and phase != "Running":
        message = f"containers with incomplete status: {_listed(left)}"
        return {"status": "False", "reason": "ContainersNotInitialized", "message": message}
    return {"status": "True"}


def _ready(phase: str, pod: Object, inits: list[Object], statuses: list[Object]) -> Object:
    if phase in _COMPLETED:
        return {"status": "False", "reason": _COMPLETED[phase]}
    containers = pod["spec"].get("initContainers") or ()
    unready = [
        status["name"]
        for each, status in zip(containers, inits, strict=False)
        if is_sidecar(each) and not status.get("ready")
    ]
    unready += [status["name"] for status in statuses if not status.get("ready")]
    if unready:
        message = f"containers with unready status: {_listed(unready)}"
        return {"status": "False", "reason": "ContainersNotReady", "message": message}
    return {"status": "True"}
