"""What an object counts for in a ResourceQuota, and which pods a quota's scopes mean. Used by `quotas`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.limit_ranges import Amounts, pod_amounts
from projects.sim_cluster.api.quantities import Quantity, amount
from projects.sim_cluster.api.store import Storage

PODS: Final = ("", "pods")
_ONE: Final = Quantity(Decimal(1))
#: Resources that a quota also counts by their plain name.
_PLAIN: Final = frozenset({"pods", "services", "persistentvolumeclaims", "configmaps", "secrets", "replicationcontrollers",
                           "resourcequotas"})  # fmt: skip
_NATIVE: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_STATED: Final = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def counted_as(storage: Storage) -> str:
    """Return the name under which a quota counts the objects of a storage."""
    group, resource = storage
    return f"count/{resource}.{group}" if group else f"count/{resource}"


def usage_of(storage: Storage, obj: Object) -> Amounts:
    """Return everything that an object counts for."""
    used: Amounts = {counted_as(storage): _ONE}
    if storage == PODS and (obj.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
        return used
    if not storage[0] and storage[1] in _PLAIN:
        used[storage[1]] = _ONE
    if storage == PODS:
        return used | _pod(obj["spec"])
    if storage == ("", "services"):
        return used | _service(obj.get("spec") or {})
    return used | dict(_claim(obj)) if storage == ("", "persistentvolumeclaims") else used


def _pod(spec: Object) -> Amounts:
    used: Amounts = {}
    for name, value in pod_amounts(spec, "requests").items():
        used[f"requests.{name}"] = value
        if name in _NATIVE or name.startswith("hugepages-"):
            used[name] = value
    return used | {f"limits.{name}": value for name, value in pod_amounts(spec, "limits").items() if name in _NATIVE}


def _service(spec: Object) -> Amounts:
    ports, kind = Quantity(Decimal(len(spec.get("ports") or ()))), spec.get("type")
    if kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False):
        return {"services.nodeports": ports} | ({"services.loadbalancers": _ONE} if kind == "LoadBalancer" else {})
    return {"services.loadbalancers": _ONE} if kind == "LoadBalancer" else {}


def _claim(obj: Object) -> Iterator[tuple[str, Quantity]]:
    spec = obj.get("spec") or {}
    storage = amount(((spec.get("resources") or {}).get("requests") or {}).get("storage", 0))
    yield "requests.storage", storage
    if name := spec.get("storageClassName"):
        yield f"{name}.storageclass.storage.k8s.io/requests.storage", storage
        yield f"{name}.storageclass.storage.k8s.io/persistentvolumeclaims", _ONE


def unstated(spec: Object, required: list[str]) -> str:
    """Return which containers do not state what a quota needs to know of them; empty when all do."""
    missing: dict[str, list[str]] = {}
    for name in sorted(set(required) & set(_STATED)):
        field, _, resource = name.rpartition(".")
        for container in [*spec["containers"], *(spec.get("initContainers") or ())]:
            if resource not in ((container.get("resources") or {}).get(field or "requests") or {}):
                missing.setdefault(name, []).append(container["name"])
    return "; ".join(f"{name} for: {','.join(sorted(names))}" for name, names in missing.items())


def in_scope(quota: Object, storage: Storage, obj: Object) -> bool:
    """Return whether the scopes of a quota mean an object; without any, all are meant."""
    spec = quota.get("spec") or {}
    wanted = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    wanted += (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    return not wanted or (storage == PODS and all(_is_meant(scope, obj["spec"]) for scope in wanted))


def _is_meant(scope: dict[str, Any], spec: Object) -> bool:
    ends = int(spec.get("activeDeadlineSeconds") or -1) >= 0
    best_effort = not pod_amounts(spec, "requests") and not pod_amounts(spec, "limits")
    match scope["scopeName"]:
        case "Terminating" | "NotTerminating" as name:
            return ends is (name == "Terminating")
        case "BestEffort" | "NotBestEffort" as name:
            return best_effort is (name == "BestEffort")
        case "PriorityClass":
            return _selects(scope, spec.get("priorityClassName", ""))
    affinity = spec.get("affinity") or {}
    return any(
        term.get("namespaces") or "namespaceSelector" in term
        for kind in ("podAffinity", "podAntiAffinity")
        for term in _terms(affinity.get(kind) or {})
    )


def _terms(affinity: Object) -> Iterator[Object]:
    yield from affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    for weighted in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
        yield weighted.get("podAffinityTerm") or {}


def _selects(scope: dict[str, Any], name: str) -> bool:
    values = scope.get("values") or ()
    return {"In": name in values, "NotIn": name not in values, "Exists": bool(name)}.get(scope["operator"], not name)
