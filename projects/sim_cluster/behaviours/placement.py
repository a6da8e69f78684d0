"""Which nodes a pod may run on: taints, node selectors, required affinity. Used by the scheduler and by DaemonSets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.interface import Object

_REPELS: Final = frozenset({"NoSchedule", "NoExecute"})
AFFINITY: Final = "node(s) didn't match Pod's node affinity/selector"


def tolerates(tolerations: list[Object], taint: Object) -> bool:
    """Return whether one of the tolerations covers a taint."""
    for toleration in tolerations:
        key, operator = toleration.get("key"), toleration.get("operator", "Equal")
        if toleration.get("effect") not in {None, "", taint["effect"]}:
            continue
        if not key and operator == "Exists":
            return True
        if key == taint["key"] and (operator == "Exists" or toleration.get("value", "") == taint.get("value", "")):
            return True
    return False


def untolerated(spec: Object, node: Object) -> Object | None:
    """Return the first taint of a node that keeps a pod away."""
    taints = list((node.get("spec") or {}).get("taints") or ())
    if (node.get("spec") or {}).get("unschedulable"):
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    if not is_true(node, "Ready"):
        taints.append({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
    tolerations = spec.get("tolerations") or []
    return next((taint for taint in taints if taint["effect"] in _REPELS and not tolerates(tolerations, taint)), None)


def matches_selector(spec: Object, node: Object) -> bool:
    """Return whether a node fits a pod's node selector and required node affinity."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not affinity:
        return True
    return any(
        _matches_term(term, labels, node["metadata"]["name"]) for term in affinity.get("nodeSelectorTerms") or ()
    )


def _matches_term(term: Object, labels: Mapping[str, str], name: str) -> bool:
    expressions = [(entry, labels.get(entry["key"])) for entry in term.get("matchExpressions") or ()]
    expressions += [(entry, name) for entry in term.get("matchFields") or ()]
    return bool(expressions) and all(_matches(entry, value) for entry, value in expressions)


def _matches(expression: Object, value: Any) -> bool:
    values = expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" if value is not None and value.isdigit():
            return int(value) > int(values[0]) if expression["operator"] == "Gt" else int(value) < int(values[0])
    return False


def why_not(spec: Object, node: Object) -> str:
    """Return why a pod cannot run on a node, in the scheduler's words; empty when it can."""
    if (node.get("spec") or {}).get("unschedulable") and untolerated(spec, node):
        return "node(s) were unschedulable"
    if (taint := untolerated(spec, node)) is not None:
        return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    return "" if matches_selector(spec, node) else AFFINITY
