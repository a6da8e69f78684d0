"""The operators that every simulated OpenShift offers."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.packages.example import EXAMPLE
from projects.sim_cluster.packages.gpu_operator.package import GPU_OPERATOR
from projects.sim_cluster.packages.nfd import NFD
from projects.sim_cluster.packages.package import OperatorPackage

SHIPPED: Final[tuple[OperatorPackage, ...]] = (GPU_OPERATOR, NFD, EXAMPLE)
