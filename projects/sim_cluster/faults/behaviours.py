"""The behaviours that a scenario's faults of the cluster are. Called by whoever puts a cluster together, on either API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from projects.sim_cluster.behaviours.unit import Behaviour
from projects.sim_cluster.clock import Clock
from projects.sim_cluster.faults.befalling import Befalling
from projects.sim_cluster.faults.machines import no_capacity
from projects.sim_cluster.faults.namespaces import namespace_stuck, quota_reached
from projects.sim_cluster.faults.nodes import gpu_lost, node_lost
from projects.sim_cluster.faults.operators import install_plan_failed, operator_stuck
from projects.sim_cluster.faults.strikes import Strikes

_MADE: Final[dict[str, Callable[[Befalling[Any]], Behaviour]]] = {
    "node-lost": node_lost,
    "gpu-lost": gpu_lost,
    "operator-stuck": operator_stuck,
    "install-plan-failed": install_plan_failed,
    "namespace-stuck": namespace_stuck,
    "quota-reached": quota_reached,
    "no-capacity": no_capacity,
}


_OF_OPENSHIFT: Final = frozenset({"operator-stuck", "install-plan-failed", "no-capacity"})
"""What can only befall OpenShift: Kubernetes has no machines and no OLM."""


def fault_behaviours(strikes: Strikes, clock: Clock, *, on_openshift: bool) -> list[Behaviour]:
    """Return what goes wrong behind the API of a cluster, but for pods and clocks: those are played elsewhere.

    Args:
      strikes: What goes wrong, and where it is counted.
      clock: The cluster's clock; the cluster starts now.
      on_openshift: Whether it is OpenShift.
    """
    possible = [fault for fault in strikes.of_cluster if on_openshift or fault.do not in _OF_OPENSHIFT]
    return [_MADE[fault.do](Befalling(fault, strikes, clock)) for fault in possible if fault.do in _MADE]
