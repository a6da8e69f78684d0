"""Evictions: a pod is deleted unless a PodDisruptionBudget would be violated. `subresources` calls `evict`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError, bad_request
from projects.sim_cluster.api.identity import component
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.requests import DeleteOptions, Outcome, WriteOptions
from projects.sim_cluster.api.resources import Resources
from projects.sim_cluster.api.selectors import selects
from projects.sim_cluster.api.timestamps import timestamp

_BUDGETS: Final = ("policy", "poddisruptionbudgets")
_DONE: Final = frozenset({"Succeeded", "Failed", "Pending"})
_VIOLATES: Final = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL: Final = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_OPTIONS: Final = WriteOptions("kube-apiserver", component("apiserver"), subresource="status", internal=True)


async def evict(resources: Resources, now: float, kind: Kind, pod: Object, body: Any, *, dry_run: bool) -> Outcome:
    """Delete a pod as ``kubectl drain`` does."""
    asked, namespace, name = body or {}, pod["metadata"]["namespace"], pod["metadata"]["name"]
    if (named := (asked.get("metadata") or {}).get("name")) and named != name:
        raise bad_request("name in URL does not match name in Eviction object")
    dry_run = dry_run or "All" in ((asked.get("deleteOptions") or {}).get("dryRun") or ())
    if (pod.get("status") or {}).get("phase") not in _DONE and not pod["metadata"].get("deletionTimestamp"):
        await _ask_budget(resources, pod, now, dry_run=dry_run)
        if not dry_run:
            await _mark(resources, kind, pod, now)
    grace = (asked.get("deleteOptions") or {}).get("gracePeriodSeconds")
    await resources.delete(kind, namespace, name, DeleteOptions(grace_seconds=grace, dry_run=dry_run))
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return Outcome(status, created=True)


def _budgets(resources: Resources, pod: Object) -> list[Object]:
    """Return the budgets that a pod counts for."""
    found = [stored.object for stored in resources.store.list(_BUDGETS, pod["metadata"]["namespace"])]
    return [
        budget
        for budget in found
        if (selector := budget["spec"].get("selector")) is not None
        and selects(selector, pod["metadata"].get("labels") or {})
    ]


async def _ask_budget(resources: Resources, pod: Object, now: float, *, dry_run: bool) -> None:
    """Take one disruption off the budget of a pod; raise when it has none left."""
    budgets = _budgets(resources, pod)
    if len(budgets) > 1:
        raise ApiError(500, "InternalError", _SEVERAL)
    for budget in budgets:
        status, name = budget.get("status") or {}, budget["metadata"]["name"]
        if not _is_ready(pod) and _lets_unready_go(budget):
            return
        if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
            raise _refused(f"The disruption budget {name} is still being processed by the server.")
        left = int(status.get("disruptionsAllowed") or 0)
        if left <= 0:
            needs = (
                f"{status.get('desiredHealthy', 0)} healthy pods and has {status.get('currentHealthy', 0)} currently"
            )
            raise _refused(f"The disruption budget {name} needs {needs}")
        if not dry_run:
            disrupted = (status.get("disruptedPods") or {}) | {pod["metadata"]["name"]: timestamp(now)}
            await _write(resources, budget, {"disruptionsAllowed": left - 1, "disruptedPods": disrupted})


def _is_ready(pod: Object) -> bool:
    found = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in found)


def _lets_unready_go(budget: Object) -> bool:
    status = budget.get("status") or {}
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    return 0 < int(status.get("desiredHealthy", 0)) <= int(status.get("currentHealthy", 0))


def _refused(why: str) -> ApiError:
    causes = [{"reason": "DisruptionBudget", "message": why}]
    return ApiError(429, "TooManyRequests", _VIOLATES, {"causes": causes})


async def _write(resources: Resources, budget: Object, status: Object) -> None:
    kind = resources.registry.find("policy", "v1", "poddisruptionbudgets")
    assert kind is not None
    metadata = budget["metadata"]
    await resources.patch(kind, metadata["namespace"], metadata["name"], "merge", {"status": status}, _OPTIONS)


async def _mark(resources: Resources, kind: Kind, pod: Object, now: float) -> None:
    """Say of a pod that it is being evicted."""
    marked = {
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
        "lastProbeTime": None, "lastTransitionTime": timestamp(now),
    }  # fmt: skip
    others = [each for each in pod["status"].get("conditions") or () if each["type"] != "DisruptionTarget"]
    patch = {"status": {"conditions": [*others, marked]}}
    await resources.patch(kind, pod["metadata"]["namespace"], pod["metadata"]["name"], "merge", patch, _OPTIONS)
