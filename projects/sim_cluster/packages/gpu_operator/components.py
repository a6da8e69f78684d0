"""What a ClusterPolicy deploys: one DaemonSet for each component, each with its own switch and its own nodes. Data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEVICE_PLUGIN: Final = "nvidia-device-plugin-daemonset"
FEATURES: Final = "gpu-feature-discovery"
EXPORTER: Final = "nvidia-dcgm-exporter"


@dataclass(frozen=True)
class Component:
    """One component.

    Args:
      state: Its name in the conditions of the policy.
      daemon_set: Its name; also that of its ``app`` label.
      field: Its field in the policy.
      deploy: What the node label that selects its nodes ends in.
      image: Its image.
    """

    state: str
    daemon_set: str
    field: str
    deploy: str
    image: str


COMPONENTS: Final = (
    Component("state-driver", "nvidia-driver-daemonset", "driver", "driver", "nvcr.io/nvidia/driver:580.95.05"),
    Component("state-container-toolkit", "nvidia-container-toolkit-daemonset", "toolkit", "container-toolkit", "nvcr.io/nvidia/k8s/container-toolkit:v1.18.0"),
    Component("state-operator-validation", "nvidia-operator-validator", "validator", "operator-validator", "nvcr.io/nvidia/gpu-operator:v25.10.0"),
    Component("state-device-plugin", DEVICE_PLUGIN, "devicePlugin", "device-plugin", "nvcr.io/nvidia/k8s-device-plugin:v0.18.0"),
    Component("state-dcgm", "nvidia-dcgm", "dcgm", "dcgm", "nvcr.io/nvidia/cloud-native/dcgm:4.4.1-2-ubuntu22.04"),
    Component("state-dcgm-exporter", EXPORTER, "dcgmExporter", "dcgm-exporter", "nvcr.io/nvidia/k8s/dcgm-exporter:4.4.1-4.6.0-distroless"),
    Component("gpu-feature-discovery", FEATURES, "gfd", "gpu-feature-discovery", "nvcr.io/nvidia/k8s-device-plugin:v0.18.0"),
    Component("state-mig-manager", "nvidia-mig-manager", "migManager", "mig-manager", "nvcr.io/nvidia/cloud-native/k8s-mig-manager:v0.13.0"),
    Component("state-node-status-exporter", "nvidia-node-status-exporter", "nodeStatusExporter", "node-status-exporter", "nvcr.io/nvidia/gpu-operator:v25.10.0"),
)  # fmt: skip

#: Fields of the policy that it must have, as the real definition asks for them.
REQUIRED: Final = (
    "daemonsets",
    "dcgm",
    "dcgmExporter",
    "devicePlugin",
    "driver",
    "gfd",
    "nodeStatusExporter",
    "operator",
    "toolkit",
)
