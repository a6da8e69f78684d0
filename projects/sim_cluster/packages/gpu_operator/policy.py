"""A ClusterPolicy: GPU nodes are labelled, each component gets its DaemonSet, and the state says whether all are ready."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.conditions import with_conditions
from projects.sim_cluster.behaviours.instance_types import size_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.node_objects import machine_type
from projects.sim_cluster.behaviours.resources import DAEMON_SETS, NODES, SERVICES
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, cluster_owner_keys, every, owner_reference
from projects.sim_cluster.packages.daemon_sets import APP, component, is_rolled_out, keep
from projects.sim_cluster.packages.gpu_operator.components import COMPONENTS, DEVICE_PLUGIN, EXPORTER, Component
from projects.sim_cluster.packages.gpu_operator.kinds import CLUSTER_POLICY
from projects.sim_cluster.packages.package import installed_in

CSV: Final = "gpu-operator-certified"
PRESENT: Final = "nvidia.com/gpu.present"
_DEPLOY: Final = "nvidia.com/gpu.deploy."
_FOUND: Final = ("pci-10de.present", "pci-0302_10de.present", "pci-0300_10de.present")
_TOLERATION: Final[Object] = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


async def reconcile(world: World, policy: Object) -> None:
    """Take a policy one step further; only the oldest one counts."""
    if policy["metadata"].get("deletionTimestamp"):
        return
    namespace = installed_in(world, CSV)
    if _is_ignored(world, policy):
        await world.set_status(CLUSTER_POLICY.resource, policy, {"state": "ignored", "namespace": namespace})
        return
    await _label_nodes(world)
    missing = [each for each in COMPONENTS if not await _is_ready(world, policy, namespace, each)]
    await _report(world, policy, namespace, missing)


def _is_ignored(world: World, policy: Object) -> bool:
    def age(entry: Object) -> tuple[str, str]:
        return entry["metadata"]["creationTimestamp"], entry["metadata"]["uid"]

    return any(age(other) < age(policy) for other in world.cache(CLUSTER_POLICY.resource))


async def _label_nodes(world: World) -> None:
    for node in world.cache(NODES):
        known = labels_of(node)
        wanted = (
            _deploy_labels(node) if _has_gpu(node) else dict.fromkeys(key for key in known if key.startswith(_DEPLOY))
        )
        # What is there already stays: people switch components of a node off by setting a label to false.
        changed = {key: value for key, value in wanted.items() if value is None or key not in known}
        if changed:
            await world.patch(NODES, node, {"metadata": {"labels": changed}})


def _has_gpu(node: Object) -> bool:
    labels = labels_of(node)
    return any(labels.get(f"feature.node.kubernetes.io/{name}") == "true" for name in _FOUND)


def _deploy_labels(node: Object) -> dict[str, str]:
    gpu = size_of(machine_type(node)).gpu
    named = [
        each.deploy for each in COMPONENTS if each.deploy != "mig-manager" or (gpu is not None and gpu.mig_capable)
    ]
    return {PRESENT: "true"} | {_DEPLOY + name: "true" for name in named}


async def _is_ready(world: World, policy: Object, namespace: str, wanted: Component) -> bool:
    """Keep the DaemonSet of a component, or remove it when it is switched off; return whether it is as it should be."""
    found = world.cache(DAEMON_SETS).get(namespace, wanted.daemon_set)
    if (policy["spec"].get(wanted.field) or {}).get("enabled") is False:
        if found is not None:
            await world.delete(DAEMON_SETS, found)
        return True
    await keep(world, DAEMON_SETS, _daemon_set(policy, namespace, wanted))
    if wanted.daemon_set == EXPORTER:
        await world.ensure(SERVICES, _service(policy, namespace))
    found = world.cache(DAEMON_SETS).get(namespace, wanted.daemon_set)
    return found is not None and is_rolled_out(found)


def _daemon_set(policy: Object, namespace: str, wanted: Component) -> Object:
    settings, shared = policy["spec"].get(wanted.field) or {}, policy["spec"].get("daemonsets") or {}
    container: Object = {"name": wanted.daemon_set.removesuffix("-daemonset"), "image": _image(settings, wanted)}
    env = [*(settings.get("env") or ())]
    if wanted.daemon_set == DEVICE_PLUGIN and (config := settings.get("config") or {}).get("name"):
        # A change of the configuration changes the template, so that the plugin starts anew and reads it.
        env += [
            {"name": "CONFIG_MAP", "value": config["name"]},
            {"name": "DEFAULT_CONFIG", "value": config.get("default", "")},
        ]
    if env:
        container["env"] = env
    spec: Object = {
        "containers": [container],
        "nodeSelector": {_DEPLOY + wanted.deploy: "true"},
        "tolerations": [_TOLERATION, *(shared.get("tolerations") or ())],
        "priorityClassName": shared.get("priorityClassName") or "system-node-critical",
    }
    labels = {"app.kubernetes.io/part-of": "nvidia-gpu"} | (shared.get("labels") or {})
    return component("DaemonSet", policy, namespace, wanted.daemon_set, spec, labels)


def _image(settings: Object, wanted: Component) -> str:
    if not settings.get("image"):
        return wanted.image
    version = settings.get("version") or "latest"
    mark = "@" if version.startswith("sha256:") else ":"
    return (
        f"{settings['repository']}/{settings['image']}{mark}{version}"
        if settings.get("repository")
        else settings["image"]
    )


def _service(policy: Object, namespace: str) -> Object:
    return {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": EXPORTER, "namespace": namespace, "labels": {APP: EXPORTER}, "ownerReferences": [owner_reference(policy)]},
        "spec": {"selector": {APP: EXPORTER}, "ports": [{"name": "gpu-metrics", "port": 9400, "targetPort": 9400, "protocol": "TCP"}]},
    }  # fmt: skip


async def _report(world: World, policy: Object, namespace: str, missing: list[Component]) -> None:
    if missing:
        names = " ".join(each.state for each in missing)
        message = f"ClusterPolicy is not ready, states not ready: [{names}]"
        ready = {"type": "Ready", "status": "False", "reason": "Error", "message": ""}
        error = {"type": "Error", "status": "True", "reason": "OperandNotReady", "message": message}
    else:
        reason, message = _why_ready(world)
        ready = {"type": "Ready", "status": "True", "reason": reason, "message": message}
        error = {"type": "Error", "status": "False", "reason": "Ready", "message": ""}
    await world.set_status(CLUSTER_POLICY.resource, policy, {
        "state": "notReady" if missing else "ready", "namespace": namespace,
        "conditions": with_conditions(policy, world.timestamp, ready, error),
    })  # fmt: skip


def _why_ready(world: World) -> tuple[str, str]:
    nodes = list(world.cache(NODES))
    if any(map(_has_gpu, nodes)):
        return "Reconciled", "ClusterPolicy is ready as all resources have been successfully reconciled"
    if any("feature.node.kubernetes.io/kernel-version.full" in labels_of(node) for node in nodes):
        return "NoGPUNodes", "No GPU node found, watching for new nodes to join the cluster."
    return "NFDLabelsMissing", "No NFD labels found"


POLICY: Final = Behaviour(
    "cluster policies",
    CLUSTER_POLICY.resource,
    reconcile,
    manager="gpu-operator",
    woken_by=(Wake(DAEMON_SETS, cluster_owner_keys), Wake(NODES, every(CLUSTER_POLICY.resource))),
    reads=(SERVICES,),
)
