"""The metrics of GPUs, as the DCGM exporter tells them on each node where it runs. Played: a GPU that a pod has is busy."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from projects.sim_cluster.behaviours.instance_types import Gpu, size_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.node_objects import machine_type
from projects.sim_cluster.behaviours.quantities import amount
from projects.sim_cluster.monitoring.expressions import Labels
from projects.sim_cluster.monitoring.history import History, Life
from projects.sim_cluster.monitoring.series import Metric, Sample, node_name, wave
from projects.sim_cluster.packages.gpu_operator.components import EXPORTER

_RESOURCES: Final = ("nvidia.com/gpu", "nvidia.com/gpu.shared")
Figure = Callable[[Gpu, float], float]  # of a model, and of how busy it is: 0 to 1


def _asked(pod: Object) -> Iterator[tuple[str, int]]:
    """Yield the containers of a pod that have GPUs, and how many."""
    for container in pod["spec"]["containers"]:
        limits = (container.get("resources") or {}).get("limits") or {}
        if count := sum(amount(limits.get(name)) // 1000 for name in _RESOURCES):
            yield container["name"], count


def _holders(pods: list[Life], count: int) -> list[Labels | None]:
    """Return who has each GPU of a node: those who started first have the first ones."""
    found: list[Labels | None] = []
    for life in sorted(pods, key=lambda each: (each.begun, each.object["metadata"]["uid"])):
        for container, number in _asked(life.object):
            metadata = life.object["metadata"]
            found += [
                {
                    "exported_namespace": metadata["namespace"],
                    "exported_pod": metadata["name"],
                    "exported_container": container,
                }
            ] * number
    return [*found[:count], *([None] * (count - len(found)))]


def _is_exporter(life: Life) -> bool:
    return bool(labels_of(life.object).get("app") == EXPORTER)


def _gpus(history: History, at: float) -> Iterator[tuple[Gpu, Labels, float]]:
    """Yield each GPU that an exporter sees: its model, its labels, how busy it is."""
    running: dict[str, list[Life]] = defaultdict(list)
    for life in history.pods(at):
        if life.running_since(at) is not None:
            running[node_name(life)].append(life)
    for node in history.nodes(at):
        name = node.object["metadata"]["name"]
        size = size_of(machine_type(node.object))
        exporter = next(filter(_is_exporter, reversed(running[name])), None)
        if size.gpu is None or exporter is None:
            continue
        for index, holder in enumerate(_holders(running[name], size.gpus)):
            labels = _labels(name, index, size.gpu, exporter) | (holder or {})
            yield size.gpu, labels, min(1.0, 0.8 * wave(labels["UUID"], at)) if holder else 0.0


def _labels(node: str, index: int, gpu: Gpu, exporter: Life) -> Labels:
    metadata = exporter.object["metadata"]
    name = f"GPU-{uuid.uuid5(uuid.NAMESPACE_DNS, f'{node}/{index}')}"
    return {
        "gpu": str(index), "UUID": name, "device": f"nvidia{index}", "modelName": gpu.product.replace("-", " "), "Hostname": node,
        "namespace": metadata["namespace"], "pod": metadata["name"], "container": EXPORTER, "job": EXPORTER, "service": EXPORTER,
        "instance": f"{(exporter.object.get('status') or {}).get('podIP', '')}:9400", "DCGM_FI_DRIVER_VERSION": "580.95.05",
    }  # fmt: skip


def _metric(figure: Figure) -> Metric:
    def metric(history: History, at: float) -> Iterator[Sample]:
        return ((labels, figure(gpu, busy)) for gpu, labels, busy in _gpus(history, at))

    return metric


GPU_METRICS: Final[dict[str, Metric]] = {
    "DCGM_FI_DEV_GPU_UTIL": _metric(lambda _, busy: float(round(100 * busy))),
    "DCGM_FI_DEV_MEM_COPY_UTIL": _metric(lambda _, busy: float(round(60 * busy))),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": _metric(lambda _, busy: round(busy, 4)),
    "DCGM_FI_DEV_FB_USED": _metric(lambda gpu, busy: float(round(gpu.memory * 0.7)) if busy else 3.0),
    "DCGM_FI_DEV_FB_FREE": _metric(lambda gpu, busy: float(gpu.memory - (round(gpu.memory * 0.7) if busy else 3))),
    "DCGM_FI_DEV_GPU_TEMP": _metric(lambda _, busy: float(round(32 + 38 * busy))),
    "DCGM_FI_DEV_POWER_USAGE": _metric(lambda gpu, busy: round(30 + busy * (270 if gpu.memory < 40000 else 620), 1)),  # noqa: PLR2004 - small ones are cooler
    "DCGM_FI_DEV_SM_CLOCK": _metric(lambda _, busy: 1710.0 if busy else 210.0),
    "DCGM_FI_DEV_XID_ERRORS": _metric(lambda _gpu, _busy: 0.0),
}
