"""Operators that do not get installed: OLM's behaviours are held, or made to fail, by what `hooks` declares. Made by `behaviours`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from projects.sim_cluster.behaviours.hooks import FAIL, HOLD, hook
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.openshift.package_labels import package_name
from projects.sim_cluster.behaviours.resources import CLUSTER_SERVICE_VERSIONS, INSTALL_PLANS
from projects.sim_cluster.behaviours.unit import Behaviour, World
from projects.sim_cluster.faults.befalling import Befalling, fits

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.cluster_faults import InstallPlanFailed, OperatorStuck

_STUCK: Final = "its deployment does not get ready"
_FAILED: Final = "error validating existing CRs against new CRD's schema: the fault {name} makes this plan fail"


def operator_stuck(befalling: Befalling[OperatorStuck]) -> Behaviour:
    """Return the behaviour that holds ClusterServiceVersions while they wait for their deployment."""

    async def hold(world: World, csv: Object) -> None:
        is_installing = (csv.get("status") or {}).get("phase") == "Installing"
        if is_installing and not hook(csv, HOLD) and _is_meant(befalling, csv):
            await world.patch(CLUSTER_SERVICE_VERSIONS, csv, {"metadata": {"annotations": {HOLD: _STUCK}}})
            befalling.strike(csv)

    return befalling.behaviour(CLUSTER_SERVICE_VERSIONS, hold)


def install_plan_failed(befalling: Befalling[InstallPlanFailed]) -> Behaviour:
    """Return the behaviour that makes InstallPlans fail."""

    async def fail(world: World, plan: Object) -> None:
        is_over = (plan.get("status") or {}).get("phase") in {"Complete", "Failed"}
        if not is_over and not hook(plan, FAIL) and _is_meant(befalling, plan):
            message = _FAILED.format(name=befalling.name)
            await world.patch(INSTALL_PLANS, plan, {"metadata": {"annotations": {FAIL: message}}})
            befalling.strike(plan)

    return befalling.behaviour(INSTALL_PLANS, fail)


def _is_meant(befalling: Befalling[OperatorStuck] | Befalling[InstallPlanFailed], obj: Object) -> bool:
    """Return whether an object is of an operator that the fault is for: OLM labels it with its package."""
    return fits(package_name(obj), befalling.fault.operators) and befalling.may_befall(obj)
