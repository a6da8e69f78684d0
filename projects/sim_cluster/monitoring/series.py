"""The metrics of pods and nodes at a time. Figures are played: usage follows what is requested, in slow waves.

Each metric is a function from the history and a time to samples; `METRICS` names them. Nothing is stored.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.quantities import amount
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.monitoring.expressions import Labels
from projects.sim_cluster.monitoring.history import History, Life, owner_of

Sample = tuple[Labels, float]
Metric = Callable[[History, float], Iterable[Sample]]
_PHASES: Final = ("Failed", "Pending", "Running", "Succeeded", "Unknown")
_WAVE_SECONDS: Final = 90.0
_DEPTH: Final = 0.25
_BUSY: Final = 0.6  # of what a container requests
_IDLE_CPU: Final = 0.004
_IDLE_MEMORY: Final = 48 * 1024**2
_SYSTEM_CPU: Final = 0.12
_SYSTEM_MEMORY: Final = 1.5 * 1024**3
_KSM: Final[Labels] = {"job": "kube-state-metrics", "instance": "kube-state-metrics:8443"}
_UNITS: Final = {"cpu": "core", "memory": "byte", "ephemeral_storage": "byte"}


def phase_of(name: str) -> float:
    """Return where in its wave something is, by its name: always the same."""
    return zlib.crc32(name.encode()) % 6283 / 1000


def wave(name: str, at: float) -> float:
    """Return what something does at a time, about 1."""
    return 1 + _DEPTH * math.sin(at / _WAVE_SECONDS + phase_of(name))


def waved(name: str, start: float, end: float) -> float:
    """Return the integral of `wave`."""
    first, last = (math.cos(at / _WAVE_SECONDS + phase_of(name)) for at in (start, end))
    return end - start + _DEPTH * _WAVE_SECONDS * (first - last)


def identity(life: Life) -> Labels:
    """Return the labels that say which pod."""
    return {"namespace": life.object["metadata"]["namespace"], "pod": life.object["metadata"]["name"]}


def node_name(life: Life) -> str:
    """Return the name of the node that a pod is on."""
    return str(life.object["spec"].get("nodeName") or "")


def _requested(container: Object, resource: str) -> float:
    return amount(((container.get("resources") or {}).get("requests") or {}).get(resource)) / 1000


def cpu_of(container: Object) -> float:
    """Return how many cores a container uses on the average."""
    return _requested(container, "cpu") * _BUSY or _IDLE_CPU


def memory_of(container: Object) -> float:
    """Return how many bytes a container uses on the average."""
    return _requested(container, "memory") * _BUSY or _IDLE_MEMORY


def containers(history: History, at: float) -> Iterator[tuple[Life, Object, Labels, float]]:
    """Yield the containers that run at a time: pod, container, labels, and when it started."""
    for life in history.pods(at):
        ran = life.running()
        if ran is None or ran[0] > at or (ran[1] is not None and ran[1] <= at):
            continue
        for container in life.object["spec"]["containers"]:
            labels = identity(life) | {"container": container["name"], "image": container.get("image", ""), "node": node_name(life),
                                       "job": "kubelet", "metrics_path": "/metrics/cadvisor", "instance": f"{node_name(life)}:10250"}  # fmt: skip
            yield life, container, labels, ran[0]


def _name(life: Life, container: Object) -> str:
    return f"{life.object['metadata']['uid']}/{container['name']}"


def _cpu_seconds(history: History, at: float) -> Iterator[Sample]:
    for life, container, labels, start in containers(history, at):
        yield labels | {"cpu": "total"}, cpu_of(container) * waved(_name(life, container), start, at)


def _memory(history: History, at: float) -> Iterator[Sample]:
    for life, container, labels, _ in containers(history, at):
        yield labels, round(memory_of(container) * wave(_name(life, container), at))


def _pod_info(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        status, (kind, name) = life.object.get("status") or {}, owner_of(life.object)
        yield _KSM | identity(life) | {
            "uid": life.object["metadata"]["uid"], "node": node_name(life), "host_ip": status.get("hostIP", ""), "pod_ip": status.get("podIP", ""),
            "created_by_kind": kind, "created_by_name": name,
        }, 1  # fmt: skip


def _pod_phase(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        now = life.state(at)
        yield from (
            (_KSM | identity(life) | {"uid": life.object["metadata"]["uid"], "phase": phase}, float(phase == now))
            for phase in _PHASES
        )


def _pod_owner(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        kind, name = owner_of(life.object)
        yield (
            _KSM
            | identity(life)
            | {"owner_kind": kind, "owner_name": name, "owner_is_controller": "true" if kind != "<none>" else "<none>"},
            1,
        )


def _pod_labels(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        labels = life.object["metadata"].get("labels") or {}
        yield _KSM | identity(life) | {f"label_{_clean(key)}": value for key, value in labels.items()}, 1


def _clean(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _pod_created(history: History, at: float) -> Iterator[Sample]:
    return (
        (_KSM | identity(life), seconds_of(life.object["metadata"]["creationTimestamp"])) for life in history.pods(at)
    )


def _pod_started(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        if start := (life.object.get("status") or {}).get("startTime"):
            yield _KSM | identity(life), seconds_of(start)


def _of_containers(field: str) -> Metric:
    def metric(history: History, at: float) -> Iterator[Sample]:
        for life in history.pods(at):
            for container in life.object["spec"]["containers"]:
                for resource, quantity in ((container.get("resources") or {}).get(field) or {}).items():
                    name = _clean(resource)
                    labels = {
                        "container": container["name"],
                        "node": node_name(life),
                        "resource": name,
                        "unit": _UNITS.get(name, "integer"),
                    }
                    yield _KSM | identity(life) | labels, amount(quantity) / 1000

    return metric


def _restarts(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        for status in (life.object.get("status") or {}).get("containerStatuses") or ():
            yield _KSM | identity(life) | {"container": status["name"]}, status.get("restartCount", 0)


def _ready(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        for status in (life.object.get("status") or {}).get("containerStatuses") or ():
            yield (
                _KSM | identity(life) | {"container": status["name"]},
                float(bool(status.get("ready")) and life.state(at) == "Running"),
            )


def _node(life: Life) -> Labels:
    return _KSM | {"node": life.object["metadata"]["name"]}


def _node_info(history: History, at: float) -> Iterator[Sample]:
    for life in history.nodes(at):
        info = (life.object.get("status") or {}).get("nodeInfo") or {}
        yield _node(life) | {"kernel_version": info.get("kernelVersion", ""), "os_image": info.get("osImage", ""), "kubelet_version": info.get("kubeletVersion", ""),
                             "container_runtime_version": info.get("containerRuntimeVersion", ""), "provider_id": life.object["spec"].get("providerID", "")}, 1  # fmt: skip


def _node_resources(field: str) -> Metric:
    def metric(history: History, at: float) -> Iterator[Sample]:
        for life in history.nodes(at):
            for resource, quantity in ((life.object.get("status") or {}).get(field) or {}).items():
                name = _clean(resource)
                yield _node(life) | {"resource": name, "unit": _UNITS.get(name, "integer")}, amount(quantity) / 1000

    return metric


def _node_condition(history: History, at: float) -> Iterator[Sample]:
    for life in history.nodes(at):
        now = life.state(at)
        yield from (
            (_node(life) | {"condition": "Ready", "status": status}, float(status == now))
            for status in ("true", "false", "unknown")
        )


def _node_labels(history: History, at: float) -> Iterator[Sample]:
    for life in history.nodes(at):
        labels = life.object["metadata"].get("labels") or {}
        yield _node(life) | {f"label_{_clean(key)}": value for key, value in labels.items()}, 1


def _node_role(history: History, at: float) -> Iterator[Sample]:
    for life in history.nodes(at):
        roles = [
            key.partition("/")[2]
            for key in life.object["metadata"].get("labels") or {}
            if key.startswith("node-role.kubernetes.io/")
        ]
        yield from ((_node(life) | {"role": role}, 1) for role in roles)


def _unschedulable(history: History, at: float) -> Iterator[Sample]:
    return ((_node(life), float(bool(life.object["spec"].get("unschedulable")))) for life in history.nodes(at))


def _exporter(life: Life) -> Labels:
    return {"job": "node-exporter", "namespace": "openshift-monitoring", "instance": life.object["metadata"]["name"]}


def _capacity(life: Life, resource: str) -> float:
    return amount(((life.object.get("status") or {}).get("capacity") or {}).get(resource)) / 1000


def _used_on(history: History, at: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return CPU seconds since the start, and bytes at a time, that containers use, by node."""
    seconds: dict[str, float] = {}
    memory: dict[str, float] = {}
    for life, container, labels, start in containers(history, at):
        name, node = _name(life, container), labels["node"]
        seconds[node] = seconds.get(node, 0) + cpu_of(container) * waved(name, start, at)
        memory[node] = memory.get(node, 0) + memory_of(container) * wave(name, at)
    return seconds, memory


def _node_cpu(history: History, at: float) -> Iterator[Sample]:
    used, _ = _used_on(history, at)
    for life in history.nodes(at):
        cores = int(_capacity(life, "cpu"))
        up = at - life.begun
        busy = min(used.get(life.object["metadata"]["name"], 0) / max(cores, 1), up)
        for core in range(cores):
            labels = _exporter(life) | {"cpu": str(core)}
            system = _SYSTEM_CPU * up
            yield labels | {"mode": "user"}, min(busy, up - system)
            yield labels | {"mode": "system"}, system
            yield labels | {"mode": "idle"}, max(0.0, up - system - busy)


def _node_memory_total(history: History, at: float) -> Iterator[Sample]:
    return ((_exporter(life), _capacity(life, "memory")) for life in history.nodes(at))


def _node_memory_available(history: History, at: float) -> Iterator[Sample]:
    _, used = _used_on(history, at)
    for life in history.nodes(at):
        free = _capacity(life, "memory") - _SYSTEM_MEMORY - used.get(life.object["metadata"]["name"], 0)
        yield _exporter(life), max(0.0, round(free))


def _up(history: History, at: float) -> Iterator[Sample]:
    yield _KSM | {"namespace": "openshift-monitoring"}, 1
    for life in history.nodes(at):
        value = float(life.state(at) == "true")
        yield _exporter(life), value
        yield (
            {
                "job": "kubelet",
                "namespace": "kube-system",
                "instance": f"{life.object['metadata']['name']}:10250",
                "metrics_path": "/metrics",
            },
            value,
        )


METRICS: Final[dict[str, Metric]] = {
    "up": _up,
    "container_cpu_usage_seconds_total": _cpu_seconds, "container_memory_working_set_bytes": _memory, "container_memory_rss": _memory,
    "kube_pod_info": _pod_info, "kube_pod_status_phase": _pod_phase, "kube_pod_owner": _pod_owner, "kube_pod_labels": _pod_labels,
    "kube_pod_created": _pod_created, "kube_pod_start_time": _pod_started,
    "kube_pod_container_resource_requests": _of_containers("requests"), "kube_pod_container_resource_limits": _of_containers("limits"),
    "kube_pod_container_status_restarts_total": _restarts, "kube_pod_container_status_ready": _ready,
    "kube_node_info": _node_info, "kube_node_status_capacity": _node_resources("capacity"), "kube_node_labels": _node_labels,
    "kube_node_status_allocatable": _node_resources("allocatable"), "kube_node_status_condition": _node_condition,
    "kube_node_role": _node_role, "kube_node_spec_unschedulable": _unschedulable,
    "node_cpu_seconds_total": _node_cpu, "node_memory_MemTotal_bytes": _node_memory_total, "node_memory_MemAvailable_bytes": _node_memory_available,
}  # fmt: skip
