"""The NVIDIA GPU Operator as a package."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.packages.gpu_operator.kinds import CLUSTER_POLICY, NVIDIA_DRIVER
from projects.sim_cluster.packages.gpu_operator.nodes import DISCOVERY, PLUGIN
from projects.sim_cluster.packages.gpu_operator.policy import CSV, POLICY
from projects.sim_cluster.packages.package import Channel, OperatorPackage

GPU_OPERATOR: Final = OperatorPackage(
    name="gpu-operator-certified",
    display="NVIDIA GPU Operator",
    provider="NVIDIA Corporation",
    catalog="certified-operators",
    csv=CSV,
    channels=(
        Channel("v25.10", ("25.10.0",)),
        Channel("v25.3", ("25.3.4", "25.3.2", "25.3.0")),
        Channel("stable", ("25.10.0", "25.3.4")),
    ),
    modes=frozenset({"OwnNamespace", "SingleNamespace"}),
    kinds=(CLUSTER_POLICY, NVIDIA_DRIVER),
    image="nvcr.io/nvidia/gpu-operator:v25.10.0",
    deployment="gpu-operator",
    namespace="nvidia-gpu-operator",
    behaviours=(POLICY,),
    operands=(PLUGIN, DISCOVERY),
)
