"""Nodes as they register, and what their kubelets say of them.

Used by `machines`, the shapes (for the nodes that are there from the start), and whoever asks a node for its address or its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.behaviours.instance_types import Size
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of

MACHINE_TYPE: Final = "node.kubernetes.io/instance-type"
"""The label that says of which machine type a node is."""
_LOCAL: Final = "127.0.0.1"


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


READY: Final = _condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")
NO_PRESSURES: Final = (
    _condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    _condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    _condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
NOT_READY: Final = _condition("Ready", "False", "KubeletNotReady", "container runtime network not ready")


@dataclass(frozen=True)
class NodeTraits:
    """What nodes of a platform have in common."""

    version: str
    os_image: str
    kernel: str
    runtime: str


OPENSHIFT: Final = NodeTraits(
    "v1.33.5", "Red Hat Enterprise Linux CoreOS 9.6.20251023-0 (Plow)", "5.14.0-570.62.1.el9_6.x86_64", "cri-o://1.33.5"
)
KUBERNETES: Final = NodeTraits("v1.35.4", "Debian GNU/Linux 12 (bookworm)", "6.12.48-cloud-amd64", "containerd://2.1.4")


def node_status(name: str, address: str, size: Size, traits: NodeTraits, now: str, *, ready: bool) -> Object:
    """Return the status that a kubelet reports."""
    capacity = {
        "cpu": str(size.cpu), "memory": f"{size.memory_gib * 1024 * 1024 - 524288}Ki", "pods": "250",
        "ephemeral-storage": "125238252Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
    }  # fmt: skip
    allocatable = capacity | {
        "cpu": f"{size.cpu * 1000 - 500}m",
        "memory": f"{size.memory_gib * 1024 * 1024 - 524288 - 1126400}Ki",
        "ephemeral-storage": "114345831029",
    }
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {
        "capacity": capacity,
        "allocatable": allocatable,
        "conditions": [each | times for each in (*NO_PRESSURES, READY if ready else NOT_READY)],
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64", "bootID": "", "containerRuntimeVersion": traits.runtime, "kernelVersion": traits.kernel,
            "kubeProxyVersion": "", "kubeletVersion": traits.version, "machineID": "", "operatingSystem": "linux",
            "osImage": traits.os_image, "systemUUID": "",
        },
    }  # fmt: skip


def machine_type(node: Object) -> str:
    """Return of which machine type a node is; empty when it does not say."""
    return str(labels_of(node).get(MACHINE_TYPE, ""))


def internal_ip(node: Object) -> str:
    """Return the address of a node in its cluster; that of this machine when it has none."""
    addresses = (node.get("status") or {}).get("addresses") or ()
    return next((str(each["address"]) for each in addresses if each["type"] == "InternalIP"), _LOCAL)


def node(name: str, labels: dict[str, str]) -> Object:
    """Return a node as it registers, without its status."""
    common = {
        "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
    }  # fmt: skip
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": common | labels}, "spec": {}}
