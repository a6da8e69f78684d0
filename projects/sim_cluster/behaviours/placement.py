"""Which nodes a pod may run on, and which it prefers: taints, node selectors, affinity. Used by the scheduler and by DaemonSets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.label_selectors import meets
from projects.sim_cluster.behaviours.metadata import labels_of

_REPELS: Final = frozenset({"NoSchedule", "NoExecute"})
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
AFFINITY: Final = "node(s) didn't match Pod's node affinity/selector"
OTHER_NODE: Final = "node(s) didn't satisfy plugin(s) [NodeAffinity]"


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
        taints.append({"key": UNSCHEDULABLE, "effect": "NoSchedule"})
    if not is_true(node, "Ready"):
        taints.append({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
    tolerations = spec.get("tolerations") or []
    return next((taint for taint in taints if taint["effect"] in _REPELS and not tolerates(tolerations, taint)), None)


def reluctance(spec: Object, node: Object) -> int:
    """Return how many taints of a node a pod does not tolerate that only ask it to stay away."""
    taints = (node.get("spec") or {}).get("taints") or ()
    tolerations = spec.get("tolerations") or []
    return sum(1 for taint in taints if taint["effect"] == "PreferNoSchedule" and not tolerates(tolerations, taint))


def inclination(spec: Object, node: Object) -> int:
    """Return the weights of a pod's preferred node affinity that a node meets, together."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    labels, name = labels_of(node), node["metadata"]["name"]
    return sum(
        wish["weight"]
        for wish in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        if _matches_term(wish["preference"], labels, name)
    )


def matches_selector(spec: Object, node: Object) -> bool:
    """Return whether a node fits a pod's node selector and required node affinity."""
    labels = labels_of(node)
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    terms = _terms(spec)
    return terms is None or any(_matches_term(term, labels, node["metadata"]["name"]) for term in terms)


def _terms(spec: Object) -> list[Object] | None:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else list(required.get("nodeSelectorTerms") or ())


def named_nodes(spec: Object) -> set[str] | None:
    """Return the nodes that a pod is meant for by name, as a DaemonSet's are; None when it may go to others."""
    terms = _terms(spec)
    if not terms or not all(term.get("matchFields") for term in terms):
        return None
    return {
        name
        for term in terms
        for entry in term["matchFields"]
        if entry["operator"] == "In"
        for name in entry.get("values") or ()
    }


def _matches_term(term: Object, labels: Mapping[str, str], name: str) -> bool:
    expressions = [(entry, labels.get(entry["key"])) for entry in term.get("matchExpressions") or ()]
    expressions += [(entry, name) for entry in term.get("matchFields") or ()]
    return bool(expressions) and all(meets(entry, value) for entry, value in expressions)


def why_not(spec: Object, node: Object) -> str:
    """Return why a pod cannot run on a node whatever else runs there, in the scheduler's words; empty when it can."""
    taint = untolerated(spec, node)
    if taint is not None and taint["key"] == UNSCHEDULABLE:
        return "node(s) were unschedulable"
    if taint is not None:
        return "node(s) had untolerated taint(s)"
    return "" if matches_selector(spec, node) else AFFINITY
