"""What stands around the objects of a failure: the nodes and the operators, their conditions alone. Called by `evidence`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from projects.core.cluster.api import Cluster, Object, Target
from projects.core.cluster.readiness import conditions, is_ready

_MOST = 500
_OPERATOR = ("ClusterOperator", "config.openshift.io/v1")
_CSV = ("ClusterServiceVersion", "operators.coreos.com/v1alpha1")


def first_page(cluster: Cluster, target: Target, size: int) -> list[Object]:
    """Return the first objects of a target, as many as a page has; none when the kind is not served."""
    resource = cluster.session.discovery.find(target.kind, target.api_version)
    query = {"labelSelector": target.labels, "fieldSelector": target.fields, "limit": size}
    page = cluster.session.json("GET", cluster.path(target), query)
    named = {"apiVersion": resource.group_version, "kind": resource.kind}
    return [{**named, **item} for item in page.get("items") or []]


def nodes(cluster: Cluster) -> list[Object]:
    """Return how each node stands, those that take no pods first."""
    found = first_page(cluster, Target("Node", "v1"), _MOST)
    return [_node(each) for each in sorted(found, key=lambda each: is_ready(each) and not _closed(each))]


def operators(cluster: Cluster, namespaces: Sequence[str]) -> Mapping[str, Callable[[], list[Object]]]:
    """Return the questions after the operators that this cluster may have, by kind.

    Args:
      cluster: The cluster.
      namespaces: Those in which a failure's objects are; operators of others are not asked for.
    """
    return {
        "ClusterOperators": partial(_cluster_operators, cluster),
        "ClusterServiceVersions": partial(_service_versions, cluster, namespaces),
    }


def _cluster_operators(cluster: Cluster) -> list[Object]:
    if not cluster.session.discovery.serves(*_OPERATOR):
        return []
    found = first_page(cluster, Target(*_OPERATOR), _MOST)
    return [{"name": each["metadata"]["name"], "conditions": _conditions(each)} for each in sorted(found, key=_is_well)]


def _is_well(operator: Object) -> bool:
    states = {each["type"]: each.get("status") for each in conditions(operator)}
    return states.get("Available") == "True" and states.get("Degraded") != "True"


def _service_versions(cluster: Cluster, namespaces: Sequence[str]) -> list[Object]:
    if not cluster.session.discovery.serves(*_CSV):
        return []
    # OLM copies those of all namespaces into each one.
    own = [Target(*_CSV, namespace=each, labels="!olm.copiedFrom") for each in namespaces]
    return [_service_version(thing) for target in own for thing in first_page(cluster, target, _MOST)]


def _service_version(thing: Object) -> Object:
    status = thing.get("status") or {}
    metadata = thing["metadata"]
    said: dict[str, Any] = {key: status.get(key) for key in ("phase", "reason", "message", "lastTransitionTime")}
    return {"name": metadata["name"], "namespace": metadata.get("namespace"), **said}


def _node(thing: Object) -> Object:
    spec, status = thing.get("spec") or {}, thing.get("status") or {}
    return {
        "name": thing["metadata"]["name"],
        "ready": is_ready(thing),
        "unschedulable": bool(spec.get("unschedulable")),
        "taints": spec.get("taints") or [],
        "conditions": _conditions(thing),
        "allocatable": status.get("allocatable") or {},
    }


def _closed(node: Object) -> bool:
    spec = node.get("spec") or {}
    return bool(spec.get("unschedulable") or spec.get("taints"))


def _conditions(thing: Object) -> list[Object]:
    kept = ("type", "status", "reason", "message", "lastTransitionTime")
    return [{key: each[key] for key in kept if each.get(key)} for each in conditions(thing)]
