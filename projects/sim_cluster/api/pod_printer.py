"""The row of a pod in a Table: what READY, STATUS and RESTARTS say is the sum of its containers' states. Called by `printers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.api.durations import age
from projects.sim_cluster.api.kinds import Object

_NONE: Final = "<none>"
_ENDED: Final = frozenset({"Succeeded", "Failed"})


@dataclass
class _Restarts:
    """How often containers were started again, and when one of them last was."""

    count: int = 0
    last: str = ""

    def add(self, status: Object) -> None:
        self.count += int(status.get("restartCount") or 0)
        ended = (status.get("lastState") or {}).get("terminated") or {}
        self.last = max(self.last, str(ended.get("finishedAt") or ""))

    def shown(self, now: float) -> str:
        return f"{self.count} ({age(self.last, now)} ago)" if self.count and self.last else str(self.count)


@dataclass
class _Summary:
    """What the columns say."""

    ready: int
    reason: str
    restarts: _Restarts


def pod_cells(obj: Object, now: float) -> list[object]:
    """Return the cells of a pod."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    sidecars = sum(1 for each in spec.get("initContainers") or () if _is_sidecar(each))
    total = len(spec.get("containers", ())) + sidecars
    found = _summary(obj)
    gates = [gate["conditionType"] for gate in spec.get("readinessGates") or ()]
    true = sum(1 for gate in gates if _has(status, gate))
    return [
        obj["metadata"]["name"], f"{found.ready}/{total}", found.reason, found.restarts.shown(now),
        age(obj["metadata"].get("creationTimestamp"), now), status.get("podIP") or _NONE, spec.get("nodeName") or _NONE,
        status.get("nominatedNodeName") or _NONE, f"{true}/{len(gates)}" if gates else _NONE,
    ]  # fmt: skip


def _is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def _has(status: Object, kind: str) -> bool:
    return any(each["type"] == kind and each["status"] == "True" for each in status.get("conditions") or ())


def _summary(obj: Object) -> _Summary:
    status = obj.get("status") or {}
    reason = str(status.get("reason") or status.get("phase", "Unknown"))
    gated = [each for each in status.get("conditions") or () if each["type"] == "PodScheduled"]
    if any(each.get("reason") == "SchedulingGated" for each in gated):
        reason = "SchedulingGated"
    found, is_initializing = _of_init_containers(obj, reason)
    if not is_initializing or _has(status, "Initialized"):
        _of_containers(obj, found)
    if obj["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            found.reason = "Unknown"
        elif status.get("phase") not in _ENDED:
            found.reason = "Terminating"
    return found


def _of_init_containers(obj: Object, reason: str) -> tuple[_Summary, bool]:
    """Return what the init containers say, and whether one of them has still to do its work."""
    containers = {each["name"]: each for each in obj["spec"].get("initContainers") or ()}
    found, every = _Summary(0, reason, _Restarts()), _Restarts()
    for number, status in enumerate((obj.get("status") or {}).get("initContainerStatuses") or ()):
        every.add(status)
        sidecar = _is_sidecar(containers.get(status["name"], {}))
        if sidecar:
            found.restarts.add(status)
        state = status.get("state") or {}
        ended, waiting = state.get("terminated"), (state.get("waiting") or {}).get("reason")
        if ended is not None and not ended.get("exitCode"):
            continue
        if sidecar and status.get("started"):
            found.ready += bool(status.get("ready"))
            continue
        if ended is not None:
            why = _end(ended)
        elif waiting and waiting != "PodInitializing":
            why = waiting
        else:
            why = f"{number}/{len(containers)}"
        sidecars, found.restarts = found.restarts, every
        if _has(obj["status"], "Initialized"):
            found.restarts = sidecars
        found.reason = f"Init:{why}"
        return found, True
    return found, False


def _end(ended: Object) -> str:
    """Return how a container has ended, in a word."""
    if reason := ended.get("reason"):
        return str(reason)
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _of_containers(obj: Object, found: _Summary) -> None:
    status, runs = obj.get("status") or {}, False
    for each in reversed(status.get("containerStatuses") or ()):
        found.restarts.add(each)
        state = each.get("state") or {}
        if reason := (state.get("waiting") or {}).get("reason"):
            found.reason = reason
        elif state.get("terminated"):
            found.reason = _end(state["terminated"])
        elif each.get("ready") and "running" in state:
            runs = True
            found.ready += 1
    if found.reason == "Completed" and runs:
        found.reason = "Running" if _has(status, "Ready") else "NotReady"
