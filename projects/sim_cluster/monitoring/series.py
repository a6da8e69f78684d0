"""The metrics of pods at a time. Figures are played: usage follows what is requested, in slow waves.

Each metric is a function from the history and a time to samples; `POD_METRICS` names them. Nothing is stored.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
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
KUBE_STATE_METRICS: Final[Labels] = {"job": "kube-state-metrics", "instance": "kube-state-metrics:8443"}
UNITS: Final = {"cpu": "core", "memory": "byte", "ephemeral_storage": "byte"}


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
        if (start := life.running_since(at)) is None:
            continue
        for container in life.object["spec"]["containers"]:
            labels = identity(life) | {"container": container["name"], "image": container.get("image", ""), "node": node_name(life),
                                       "job": "kubelet", "metrics_path": "/metrics/cadvisor", "instance": f"{node_name(life)}:10250"}  # fmt: skip
            yield life, container, labels, start


def name_of(life: Life, container: Object) -> str:
    """Return what a container's wave goes by."""
    return f"{life.object['metadata']['uid']}/{container['name']}"


def _cpu_seconds(history: History, at: float) -> Iterator[Sample]:
    for life, container, labels, start in containers(history, at):
        yield labels | {"cpu": "total"}, cpu_of(container) * waved(name_of(life, container), start, at)


def _memory(history: History, at: float) -> Iterator[Sample]:
    for life, container, labels, _ in containers(history, at):
        yield labels, round(memory_of(container) * wave(name_of(life, container), at))


def _pod_info(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        status, (kind, name) = life.object.get("status") or {}, owner_of(life.object)
        yield KUBE_STATE_METRICS | identity(life) | {
            "uid": life.object["metadata"]["uid"], "node": node_name(life), "host_ip": status.get("hostIP", ""), "pod_ip": status.get("podIP", ""),
            "created_by_kind": kind, "created_by_name": name,
        }, 1  # fmt: skip


def _pod_phase(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        now = life.state(at)
        yield from (
            (
                KUBE_STATE_METRICS | identity(life) | {"uid": life.object["metadata"]["uid"], "phase": phase},
                float(phase == now),
            )
            for phase in _PHASES
        )


def _pod_owner(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        kind, name = owner_of(life.object)
        yield (
            KUBE_STATE_METRICS
            | identity(life)
            | {"owner_kind": kind, "owner_name": name, "owner_is_controller": "true" if kind != "<none>" else "<none>"},
            1,
        )


def _pod_labels(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        labels = labels_of(life.object)
        yield KUBE_STATE_METRICS | identity(life) | {f"label_{cleaned(key)}": value for key, value in labels.items()}, 1


def cleaned(name: str) -> str:
    """Return the name of a label or a resource as metrics have it."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _pod_created(history: History, at: float) -> Iterator[Sample]:
    return (
        (KUBE_STATE_METRICS | identity(life), seconds_of(life.object["metadata"]["creationTimestamp"]))
        for life in history.pods(at)
    )


def _pod_started(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        if start := (life.object.get("status") or {}).get("startTime"):
            yield KUBE_STATE_METRICS | identity(life), seconds_of(start)


def _of_containers(field: str) -> Metric:
    def metric(history: History, at: float) -> Iterator[Sample]:
        for life in history.pods(at):
            for container in life.object["spec"]["containers"]:
                for resource, quantity in ((container.get("resources") or {}).get(field) or {}).items():
                    name = cleaned(resource)
                    labels = {
                        "container": container["name"],
                        "node": node_name(life),
                        "resource": name,
                        "unit": UNITS.get(name, "integer"),
                    }
                    yield KUBE_STATE_METRICS | identity(life) | labels, amount(quantity) / 1000

    return metric


def _restarts(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        for status in (life.object.get("status") or {}).get("containerStatuses") or ():
            yield KUBE_STATE_METRICS | identity(life) | {"container": status["name"]}, status.get("restartCount", 0)


def _ready(history: History, at: float) -> Iterator[Sample]:
    for life in history.pods(at):
        for status in (life.object.get("status") or {}).get("containerStatuses") or ():
            yield (
                KUBE_STATE_METRICS | identity(life) | {"container": status["name"]},
                float(bool(status.get("ready")) and life.state(at) == "Running"),
            )


POD_METRICS: Final[dict[str, Metric]] = {
    "container_cpu_usage_seconds_total": _cpu_seconds,
    "container_memory_working_set_bytes": _memory,
    "container_memory_rss": _memory,
    "kube_pod_info": _pod_info,
    "kube_pod_status_phase": _pod_phase,
    "kube_pod_owner": _pod_owner,
    "kube_pod_labels": _pod_labels,
    "kube_pod_created": _pod_created,
    "kube_pod_start_time": _pod_started,
    "kube_pod_container_resource_requests": _of_containers("requests"),
    "kube_pod_container_resource_limits": _of_containers("limits"),
    "kube_pod_container_status_restarts_total": _restarts,
    "kube_pod_container_status_ready": _ready,
}
