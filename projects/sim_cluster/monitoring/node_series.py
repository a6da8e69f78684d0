"""The metrics of nodes at a time: what they are and have, and what the containers on them use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.quantities import amount
from projects.sim_cluster.monitoring.expressions import Labels
from projects.sim_cluster.monitoring.history import History, Life
from projects.sim_cluster.monitoring.series import (
    KUBE_STATE_METRICS,
    UNITS,
    Metric,
    Sample,
    cleaned,
    containers,
    cpu_of,
    memory_of,
    name_of,
    wave,
    waved,
)  # fmt: skip

_SYSTEM_CPU: Final = 0.12
_SYSTEM_MEMORY: Final = 1.5 * 1024**3


def _node(life: Life) -> Labels:
    return KUBE_STATE_METRICS | {"node": life.object["metadata"]["name"]}


def _node_info(history: History, at: float) -> Iterator[Sample]:
    for life in history.nodes(at):
        info = (life.object.get("status") or {}).get("nodeInfo") or {}
        yield _node(life) | {"kernel_version": info.get("kernelVersion", ""), "os_image": info.get("osImage", ""), "kubelet_version": info.get("kubeletVersion", ""),
                             "container_runtime_version": info.get("containerRuntimeVersion", ""), "provider_id": life.object["spec"].get("providerID", "")}, 1  # fmt: skip


def _node_resources(field: str) -> Metric:
    def metric(history: History, at: float) -> Iterator[Sample]:
        for life in history.nodes(at):
            for resource, quantity in ((life.object.get("status") or {}).get(field) or {}).items():
                name = cleaned(resource)
                yield _node(life) | {"resource": name, "unit": UNITS.get(name, "integer")}, amount(quantity) / 1000

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
        labels = labels_of(life.object)
        yield _node(life) | {f"label_{cleaned(key)}": value for key, value in labels.items()}, 1


def _node_role(history: History, at: float) -> Iterator[Sample]:
    for life in history.nodes(at):
        roles = [key.partition("/")[2] for key in labels_of(life.object) if key.startswith("node-role.kubernetes.io/")]
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
        name, node = name_of(life, container), labels["node"]
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
    yield KUBE_STATE_METRICS | {"namespace": "openshift-monitoring"}, 1
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


NODE_METRICS: Final[dict[str, Metric]] = {
    "up": _up,
    "kube_node_info": _node_info,
    "kube_node_status_capacity": _node_resources("capacity"),
    "kube_node_labels": _node_labels,
    "kube_node_status_allocatable": _node_resources("allocatable"),
    "kube_node_status_condition": _node_condition,
    "kube_node_role": _node_role,
    "kube_node_spec_unschedulable": _unschedulable,
    "node_cpu_seconds_total": _node_cpu,
    "node_memory_MemTotal_bytes": _node_memory_total,
    "node_memory_MemAvailable_bytes": _node_memory_available,
}
