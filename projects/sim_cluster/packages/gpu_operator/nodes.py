"""What runs on a GPU node: the device plugin, which makes its GPUs allocatable, and GPU Feature Discovery, which labels it."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.hooks import LOST_GPUS, hook
from projects.sim_cluster.behaviours.instance_types import Size, size_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import annotations_of
from projects.sim_cluster.behaviours.node_objects import machine_type
from projects.sim_cluster.behaviours.resources import CONFIG_MAPS, NODES, PODS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World
from projects.sim_cluster.packages.daemon_sets import node_of, ready_pod
from projects.sim_cluster.packages.gpu_operator.components import DEVICE_PLUGIN, FEATURES
from projects.sim_cluster.packages.gpu_operator.kinds import CLUSTER_POLICY
from projects.sim_cluster.packages.gpu_operator.sharing import RESOURCE, Sharing, sharing_of

_READ: Final = "rehearsal.foresail.io/device-plugin-config"
_REGISTERED: Final = "rehearsal.foresail.io/device-plugin"
_DRIVER: Final = ("580", "95", "05")
_CUDA: Final = ("13", "0")


def _size(node: Object) -> Size:
    return size_of(machine_type(node))


async def offer(world: World, node: Object) -> None:
    """Make the GPUs of a node allocatable while its device plugin is ready; none is once that has gone.

    GPUs that a node had without a plugin ever seen here stay: a capture may show the node and not the plugin.
    """
    plugin = ready_pod(world, node["metadata"]["name"], DEVICE_PLUGIN)
    registered = _REGISTERED in annotations_of(node)
    if plugin is None:
        if registered:
            await _set_gpus(world, node, dict.fromkeys(_offered(node), (0, 0)))
        return
    if not registered:
        node = await world.patch(NODES, node, {"metadata": {"annotations": {_REGISTERED: DEVICE_PLUGIN}}})
    sharing = await _configured(world, node, plugin)
    count = _size(node).gpus
    healthy = max(0, count - int(hook(node, LOST_GPUS) or 0))
    wanted = dict.fromkeys(_offered(node), (0, 0))
    wanted[sharing.resource] = (count * sharing.replicas, healthy * sharing.replicas)
    await _set_gpus(world, node, wanted)


def _offered(node: Object) -> list[str]:
    return [name for name in (node.get("status") or {}).get("capacity") or {} if name.startswith(RESOURCE)]


async def _set_gpus(world: World, node: Object, wanted: dict[str, tuple[int, int]]) -> None:
    status = node.get("status") or {}
    wishes = {
        "capacity": {name: str(capacity) for name, (capacity, _) in wanted.items()},
        "allocatable": {name: str(healthy) for name, (_, healthy) in wanted.items()},
    }
    changed = {
        field: values
        for field, values in wishes.items()
        if any((status.get(field) or {}).get(name) != value for name, value in values.items())
    }
    if changed:
        await world.patch(NODES, node, {"status": changed}, "status")


async def _configured(world: World, node: Object, plugin: Object) -> Sharing:
    """Return what a plugin read when it started; its pod remembers it, for a ConfigMap may change under it."""
    known = annotations_of(plugin).get(_READ)
    if known:
        return Sharing.from_text(known)
    sharing = sharing_of(world, node, plugin["metadata"]["namespace"])
    await world.patch(PODS, plugin, {"metadata": {"annotations": {_READ: sharing.text}}})
    return sharing


async def describe(world: World, node: Object) -> None:
    """Label a node with what its GPUs are, once GPU Feature Discovery is ready on it."""
    size = _size(node)
    pods = [ready_pod(world, node["metadata"]["name"], app) for app in (FEATURES, DEVICE_PLUGIN)]
    if size.gpu is None or pods[0] is None or pods[1] is None:
        return
    read = annotations_of(pods[1]).get(_READ)
    if read is None:
        return  # the plugin's pod changes once it has read its configuration, and that wakes this
    known = node["metadata"]["labels"]
    wanted = labels_of(size, machine_type(node), Sharing.from_text(read))
    changed = {key: value for key, value in wanted.items() if known.get(key) != value}
    if changed:
        stamp = {"nvidia.com/gfd.timestamp": str(int(world.now))}
        await world.patch(NODES, node, {"metadata": {"labels": changed | stamp}})


def labels_of(size: Size, machine: str, sharing: Sharing) -> dict[str, str]:
    """Return the labels of GPU Feature Discovery, without its time stamp."""
    if size.gpu is None:
        return {}
    shared = "-SHARED" if sharing.strategy != "none" and not sharing.renamed else ""
    found = {
        "gpu.count": str(size.gpus), "gpu.product": size.gpu.product + shared, "gpu.memory": str(size.gpu.memory), "gpu.family": size.gpu.family,
        "gpu.machine": machine, "gpu.mode": "compute", "gpu.compute.major": str(size.gpu.compute[0]), "gpu.compute.minor": str(size.gpu.compute[1]),
        "gpu.replicas": str(sharing.replicas), "gpu.sharing-strategy": sharing.strategy, "mig.capable": str(size.gpu.mig_capable).lower(),
        "mig.strategy": "single", "mps.capable": str(sharing.strategy == "mps").lower(), "vgpu.present": "false",
        "cuda.driver.major": _DRIVER[0], "cuda.driver.minor": _DRIVER[1], "cuda.driver.rev": _DRIVER[2],
        "cuda.driver-version.major": _DRIVER[0], "cuda.driver-version.minor": _DRIVER[1], "cuda.driver-version.revision": _DRIVER[2],
        "cuda.driver-version.full": ".".join(_DRIVER), "cuda.runtime.major": _CUDA[0], "cuda.runtime.minor": _CUDA[1],
        "cuda.runtime-version.major": _CUDA[0], "cuda.runtime-version.minor": _CUDA[1], "cuda.runtime-version.full": ".".join(_CUDA),
    }  # fmt: skip
    return {f"nvidia.com/{key}": value for key, value in found.items()}


PLUGIN: Final = Behaviour(
    "device plugin",
    NODES,
    offer,
    manager="kubelet",
    woken_by=(Wake(PODS, node_of(DEVICE_PLUGIN)),),
    reads=(CONFIG_MAPS, CLUSTER_POLICY.resource),
)
DISCOVERY: Final = Behaviour(
    "gpu feature discovery",
    NODES,
    describe,
    manager="nfd-master",
    woken_by=(Wake(PODS, node_of(FEATURES, DEVICE_PLUGIN)),),
)
