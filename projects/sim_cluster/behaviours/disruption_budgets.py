"""PodDisruptionBudgets: how many of a budget's pods may go now. The API takes an eviction off what this says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from projects.sim_cluster.behaviours.cache import Cache, Key, controller_of, key_of
from projects.sim_cluster.behaviours.conditions import with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.label_selectors import selects
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.pods import is_active, is_ready, share
from projects.sim_cluster.behaviours.resources import (
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
)
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, of_namespace

_FORGOTTEN: Final = 120.0
"""After so many seconds a pod that was evicted and is still there counts as one that stays."""


async def reckon(world: World, budget: Object) -> float | None:
    """Count the pods of a budget, and say how many may go."""
    metadata = budget["metadata"]
    if metadata.get("deletionTimestamp"):
        return None
    there = world.cache(PODS).in_namespace(metadata["namespace"])
    pods = [pod for pod in there if selects(budget["spec"].get("selector"), labels_of(pod)) and is_active(pod)]
    if not pods and not (budget.get("status") or {}).get("observedGeneration"):
        world.tell(budget, "NoPods", "No matching pods found")
    disrupted = _disrupted(world, budget, pods)
    expected, desired = _wanted(world, budget["spec"], pods)
    healthy = sum(1 for pod in pods if is_ready(pod) and pod["metadata"]["name"] not in disrupted)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    state = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    told = {"type": "DisruptionAllowed", "status": state[0], "reason": state[1], "message": ""}
    told["observedGeneration"] = metadata["generation"]
    await world.set_status(DISRUPTION_BUDGETS, budget, {
        "observedGeneration": metadata["generation"],
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "disruptedPods": _change(budget, disrupted) or None,
        "conditions": with_conditions(budget, world.timestamp, told),
    })  # fmt: skip
    return _FORGOTTEN if disrupted else None


def _disrupted(world: World, budget: Object, pods: list[Object]) -> dict[str, str]:
    """Return the pods that were evicted and are about to go, with the times."""
    names = {pod["metadata"]["name"] for pod in pods}
    known = (budget.get("status") or {}).get("disruptedPods") or {}
    return {name: at for name, at in known.items() if name in names and seconds_of(at) + _FORGOTTEN > world.now}


def _change(budget: Object, disrupted: dict[str, str]) -> dict[str, Any]:
    """Return what a merge patch has to say of the disrupted pods: those that are gone are taken out."""
    known = (budget.get("status") or {}).get("disruptedPods") or {}
    return {name: None for name in known if name not in disrupted} | disrupted


def _wanted(world: World, spec: Object, pods: list[Object]) -> tuple[int, int]:
    """Return how many pods a budget expects, and how many of them have to be healthy."""
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if most is not None:
        expected = _scale(world, pods)
        return expected, max(0, expected - share(most, expected, up=True))
    if isinstance(least, str):
        expected = _scale(world, pods)
        return expected, share(least, expected, up=True)
    return len(pods), int(least or 0)


def _scale(world: World, pods: list[Object]) -> int:
    """Return how many pods the controllers of some pods are to have."""
    owners: dict[str, int] = {}
    for pod in pods:
        owner = _root(world, pod)
        if owner is not None:
            owners[owner["metadata"]["uid"]] = int(owner["spec"].get("replicas", 1))
    return sum(owners.values())


def _root(world: World, pod: Object) -> Object | None:
    for resource in (REPLICA_SETS, STATEFUL_SETS):
        owner = _owner(world.cache(resource), pod)
        if owner is not None:
            return _owner(world.cache(DEPLOYMENTS), owner) or owner
    return None


def _owner(cache: Cache, obj: Object) -> Object | None:
    reference = controller_of(obj)
    found = cache.get(obj["metadata"].get("namespace", ""), reference["name"]) if reference else None
    return found if found is not None and reference and found["metadata"]["uid"] == reference["uid"] else None


def _budgets_of(world: World, pod: Object) -> Iterable[Key]:
    budgets = world.cache(DISRUPTION_BUDGETS)
    if not len(budgets):
        return []
    namespace = pod["metadata"]["namespace"]
    return [
        key_of(budget)
        for budget in budgets.in_namespace(namespace)
        if selects(budget["spec"].get("selector"), labels_of(pod))
    ]


DISRUPTION_BUDGET: Final = Behaviour(
    "disruption budgets",
    DISRUPTION_BUDGETS,
    reckon,
    woken_by=(
        Wake(PODS, _budgets_of),
        *(Wake(resource, of_namespace(DISRUPTION_BUDGETS)) for resource in (DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS)),
    ),
    component="controllermanager",
)
