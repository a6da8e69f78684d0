"""The Node Feature Discovery Operator: an instance gets its master and its workers, and workers label their nodes."""

from __future__ import annotations

import re
from typing import Any, Final

from projects.sim_cluster.behaviours.conditions import is_true, with_conditions
from projects.sim_cluster.behaviours.instance_types import size_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.node_objects import machine_type
from projects.sim_cluster.behaviours.resources import DAEMON_SETS, DEPLOYMENTS, NODES, PODS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys
from projects.sim_cluster.packages.custom_kind import ANYTHING, CustomKind
from projects.sim_cluster.packages.daemon_sets import component, is_rolled_out, keep, node_of, ready_pod
from projects.sim_cluster.packages.package import Channel, OperatorPackage

MASTER: Final = "nfd-master"
WORKER: Final = "nfd-worker"
GARBAGE: Final = "nfd-gc"
_IMAGE: Final = "registry.redhat.io/openshift4/ose-node-feature-discovery-rhel9:v4.20"
_FEATURE: Final = "feature.node.kubernetes.io/"
_FLAGS: Final = (
    "ADX",
    "AESNI",
    "AVX",
    "AVX2",
    "AVX512BW",
    "AVX512CD",
    "AVX512DQ",
    "AVX512F",
    "AVX512VL",
    "FMA3",
    "HYPERVISOR",
    "SHA",
)
_TEXT: Final[Object] = {"type": "string"}
_SPEC: Final[Object] = {"type": "object", "properties": {
    "instance": _TEXT, "labelWhiteList": _TEXT, "enableTaints": {"type": "boolean"}, "prunerOnDelete": {"type": "boolean"},
    "topologyUpdater": {"type": "boolean"}, "extraLabelNs": {"type": "array", "items": _TEXT}, "resourceLabels": {"type": "array", "items": _TEXT},
    "operand": {"type": "object", "properties": {
        "image": _TEXT, "imagePullPolicy": _TEXT, "servicePort": {"type": "integer"}, "masterEnvs": {"type": "array", "items": ANYTHING},
        "workerEnvs": {"type": "array", "items": ANYTHING}, "masterTolerations": {"type": "array", "items": ANYTHING},
        "workerTolerations": {"type": "array", "items": ANYTHING},
    }},
    "workerConfig": {"type": "object", "required": ["configData"], "properties": {"configData": _TEXT}},
}}  # fmt: skip
INSTANCE: Final = CustomKind("nfd.openshift.io/v1", "NodeFeatureDiscovery", "nodefeaturediscoveries", namespaced=True,
    fields={"spec": _SPEC, "status": ANYTHING},
    example={
        "metadata": {"name": "nfd-instance", "namespace": "openshift-nfd"},
        "spec": {"operand": {"image": _IMAGE, "servicePort": 12000}, "workerConfig": {"configData": "core:\n  sleepInterval: 60s\n"}},
    },
)  # fmt: skip


async def deploy(world: World, instance: Object) -> None:
    """Keep the parts of an instance, and say whether they are there."""
    namespace, operand = instance["metadata"]["namespace"], (instance.get("spec") or {}).get("operand") or {}
    spec: Object = {"containers": [{"name": "nfd", "image": operand.get("image") or _IMAGE}]}
    for name in (MASTER, GARBAGE):
        await keep(world, DEPLOYMENTS, component("Deployment", instance, namespace, name, spec, {}))
    tolerations = [{"operator": "Exists", "effect": "NoSchedule"}, *(operand.get("workerTolerations") or ())]
    worker = component("DaemonSet", instance, namespace, WORKER, spec | {"tolerations": tolerations}, {})
    await keep(world, DAEMON_SETS, worker)
    await _report(world, instance, namespace)


async def _report(world: World, instance: Object, namespace: str) -> None:
    masters = [world.cache(DEPLOYMENTS).get(namespace, name) for name in (MASTER, GARBAGE)]
    workers = world.cache(DAEMON_SETS).get(namespace, WORKER)
    ready = all(each is not None and is_true(each, "Available") for each in masters)
    ready = ready and workers is not None and is_rolled_out(workers)
    states = {"Available": ready, "Upgradeable": ready, "Progressing": not ready, "Degraded": False}
    reason = "AllComponentsAreHealthy" if ready else "ComponentsNotReady"
    wanted = [{"type": kind, "status": str(value), "reason": reason, "message": ""} for kind, value in states.items()]
    await world.set_status(
        INSTANCE.resource, instance, {"conditions": with_conditions(instance, world.timestamp, *wanted)}
    )


def features(node: Object) -> dict[str, str]:
    """Return the labels that a worker finds for its node."""
    kind, info = machine_type(node), node["status"]["nodeInfo"]
    found = {f"cpu-cpuid.{flag}": "true" for flag in _FLAGS}
    found |= {"cpu-hardware_multithreading": "true", "cpu-model.vendor_id": _vendor(kind), "kernel-selinux.enabled": "true",
              "pci-1d0f.present": "true", "storage-nonrotationaldisk": "true"}  # fmt: skip
    kernel, os_version = re.findall(r"\d+", info["kernelVersion"]), re.search(r"(\d+)\.(\d+)", info["osImage"])
    found |= {"kernel-version.full": info["kernelVersion"]} | _numbered(
        "kernel-version", ("major", "minor", "revision"), kernel
    )
    found["system-os_release.ID"] = "rhel" if "CoreOS" in info["osImage"] else "debian"
    if os_version is not None:
        found["system-os_release.VERSION_ID"] = os_version[0]
        found |= _numbered("system-os_release.VERSION_ID", ("major", "minor"), os_version.groups())
    if size_of(kind).gpus:
        found["pci-10de.present"] = "true"
    return {_FEATURE + key: value for key, value in found.items()}


def _vendor(kind: str) -> str:
    return "AMD" if re.match(r"[a-z]+\d+a", kind) or kind.startswith(("g5.", "g6", "p5")) else "Intel"


def _numbered(prefix: str, parts: tuple[str, ...], numbers: Any) -> dict[str, str]:
    return {f"{prefix}.{part}": number for part, number in zip(parts, numbers, strict=False)}


async def label(world: World, node: Object) -> None:
    """Label a node on which a worker is ready."""
    if ready_pod(world, node["metadata"]["name"], WORKER) is None or not (node.get("status") or {}).get("nodeInfo"):
        return
    known, wanted = labels_of(node), features(node)
    if any(known.get(key) != value for key, value in wanted.items()):
        names = ",".join(sorted(key.removeprefix(_FEATURE) for key in wanted))
        annotations = {"nfd.node.kubernetes.io/feature-labels": names}
        await world.patch(NODES, node, {"metadata": {"labels": wanted, "annotations": annotations}})


NFD: Final = OperatorPackage(
    name="nfd",
    display="Node Feature Discovery Operator",
    provider="Red Hat",
    channels=(Channel("stable", ("4.20.0-202510211040", "4.20.0-202509230952")),),
    modes=frozenset({"OwnNamespace", "SingleNamespace", "AllNamespaces"}),
    kinds=(INSTANCE, CustomKind("nfd.openshift.io/v1alpha1", "NodeFeatureRule", "nodefeaturerules")),
    image="registry.redhat.io/openshift4/ose-cluster-nfd-rhel9-operator:v4.20",
    deployment="nfd-controller-manager",
    namespace="openshift-nfd",
    behaviours=(
        Behaviour(
            "nfd instances",
            INSTANCE.resource,
            deploy,
            manager="nfd-operator",
            woken_by=(Wake(DEPLOYMENTS, owner_keys), Wake(DAEMON_SETS, owner_keys)),
        ),
    ),
    operands=(Behaviour("nfd workers", NODES, label, manager="nfd-master", woken_by=(Wake(PODS, node_of(WORKER)),)),),
)
