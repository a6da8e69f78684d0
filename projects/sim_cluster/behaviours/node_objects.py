"""Nodes as they register. Used by `machines`; the shapes use it for the nodes that are there from the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.behaviours.instance_types import Size
from projects.sim_cluster.behaviours.interface import Object

_CONDITIONS: Final = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


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


def _conditions(now: str, *, ready: bool) -> list[Object]:
    state = ("Ready", "True", "KubeletReady", "kubelet is posting ready status") if ready else (
        "Ready", "False", "KubeletNotReady", "container runtime network not ready"
    )  # fmt: skip
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        for kind, status, reason, message in (*_CONDITIONS, state)
    ]


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
    return {
        "capacity": capacity,
        "allocatable": allocatable,
        "conditions": _conditions(now, ready=ready),
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64", "bootID": "", "containerRuntimeVersion": traits.runtime, "kernelVersion": traits.kernel,
            "kubeProxyVersion": "", "kubeletVersion": traits.version, "machineID": "", "operatingSystem": "linux",
            "osImage": traits.os_image, "systemUUID": "",
        },
    }  # fmt: skip


def node(name: str, labels: dict[str, str]) -> Object:
    """Return a node as it registers, without its status."""
    common = {
        "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
    }  # fmt: skip
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": common | labels}, "spec": {}}
