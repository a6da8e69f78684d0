"""What budgets, autoscalers, roles, classes, leases and nodes must hold. Called by `validation` through `spec_checks`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.checks import (
    Causes,
    choice,
    label_selector,
    needed,
    not_negative,
    number_or_share,
    within_all,
)
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import dns_label, key_causes, shown, value_causes

_RBAC: Final = "rbac.authorization.k8s.io"
_HIGHEST: Final = 1_000_000_000
SYSTEM_CLASSES: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_METRICS: Final = {
    "ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods", "Resource": "resource",
}  # fmt: skip
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def budget(obj: Object) -> Causes:
    """Check a PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        said = {"MinAvailable": least, "Selector": spec.get("selector"), "MaxUnavailable": most,
                "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy")}  # fmt: skip
        yield invalid_value("spec", shown(said), "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        yield from number_or_share(spec.get(field), f"spec.{field}")
        yield from within_all(spec.get(field), f"spec.{field}")
    yield from label_selector(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    yield from choice(policy, "spec.unhealthyPodEvictionPolicy", ("AlwaysAllow", "IfHealthyBudget"))


def autoscaler(obj: Object) -> Causes:
    """Check a HorizontalPodAutoscaler."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield invalid_value("spec.minReplicas", shown(least), "must be greater than or equal to 1")
    if most < 1:
        yield invalid_value("spec.maxReplicas", shown(most), "must be greater than 0")
    if most < least:
        yield invalid_value("spec.maxReplicas", shown(most), "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    yield from needed(target, "spec.scaleTargetRef", "kind", "name")
    if "/" not in target.get("apiVersion", ""):
        message = "apiVersion must specify API group"
        yield invalid_value("spec.scaleTargetRef.apiVersion", shown(target.get("apiVersion", "")), message)
    for index, metric in enumerate(spec.get("metrics") or ()):
        yield from _metric(metric, f"spec.metrics[{index}]")
    if least == 0 and not any(metric.get("type") in {"Object", "External"} for metric in spec.get("metrics") or ()):
        message = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden_change("spec.metrics", message)
    for direction in ("scaleUp", "scaleDown"):
        yield from _scaling((spec.get("behavior") or {}).get(direction), f"spec.behavior.{direction}")


def _metric(metric: Object, path: str) -> Causes:
    kind = metric.get("type", "")
    field = _METRICS.get(kind)
    if field is None:
        yield not_supported(f"{path}.type", shown(kind), list(_METRICS))
    elif field not in metric:
        yield required(f"{path}.{field}", "must populate information for the given metric source")
    elif field == "resource":
        source = metric[field]
        if not source.get("name"):
            yield required(f"{path}.resource.name", "must specify a resource name")
        yield from _target(source.get("target") or {}, f"{path}.resource.target")


def _target(target: Object, path: str) -> Causes:
    yield from choice(target.get("type"), f"{path}.type", ("Utilization", "Value", "AverageValue"))
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        yield invalid_value(f"{path}.averageUtilization", shown(share), "must be greater than 0")
    elif share is None and "averageValue" not in target:
        yield required(f"{path}.averageUtilization", "must set either a target raw value or a target utilization")


def _scaling(rules: Any, path: str) -> Causes:
    if rules is None:
        return
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        yield invalid_value(
            f"{path}.stabilizationWindowSeconds", shown(window), "must be greater than or equal to zero"
        )
    if not rules.get("policies"):
        yield required(f"{path}.policies", "must specify at least one Policy")


def role(obj: Object) -> Causes:
    """Check a Role or a ClusterRole."""
    for index, rule in enumerate(obj.get("rules") or ()):
        yield from _rule(rule, f"rules[{index}]", namespaced=obj.get("kind") == "Role")
    if "aggregationRule" in obj and not obj["aggregationRule"].get("clusterRoleSelectors"):
        message = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        yield required("aggregationRule.clusterRoleSelectors", message)


def _rule(rule: Object, path: str, *, namespaced: bool) -> Causes:
    if not rule.get("verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    if urls := rule.get("nonResourceURLs"):
        mixed = any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames"))
        if namespaced:
            message = "namespaced rules cannot apply to non-resource URLs"
            yield invalid_value(f"{path}.nonResourceURLs", shown(urls), message)
        if mixed:
            message = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid_value(f"{path}.nonResourceURLs", shown(urls), message)
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def binding(obj: Object) -> Causes:
    """Check a RoleBinding or a ClusterRoleBinding."""
    reference = obj.get("roleRef") or {}
    kinds = ("Role", "ClusterRole") if obj.get("kind") == "RoleBinding" else ("ClusterRole",)
    if reference.get("apiGroup") != _RBAC:
        yield not_supported("roleRef.apiGroup", shown(reference.get("apiGroup", "")), [_RBAC])
    yield from choice(reference.get("kind", ""), "roleRef.kind", kinds)
    if not reference.get("name"):
        yield required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects") or ()):
        at, kind = f"subjects[{index}]", subject.get("kind", "")
        if not subject.get("name"):
            yield required(f"{at}.name")
        yield from choice(kind, f"{at}.kind", ("ServiceAccount", "User", "Group"))
        if kind == "ServiceAccount" and not subject.get("namespace") and obj.get("kind") == "ClusterRoleBinding":
            yield required(f"{at}.namespace")


def lease(obj: Object) -> Causes:
    """Check a Lease."""
    spec = obj.get("spec") or {}
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        yield invalid_value("spec.leaseDurationSeconds", shown(seconds), "must be greater than 0")
    yield from not_negative(transitions, "spec.leaseTransitions")


def priority_class(obj: Object) -> Causes:
    """Check a PriorityClass."""
    name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
    if name.startswith("system-"):
        if SYSTEM_CLASSES.get(name) != value:
            message = (
                "priority class names with 'system-' prefix are reserved for system use only. error: "
                f"{name} is not a known system priority class"
            )
            yield forbidden_change("metadata.name", message)
    elif value > _HIGHEST:
        yield forbidden_change("value", f"maximum allowed value of a user defined priority is {_HIGHEST}")
    yield from choice(obj.get("preemptionPolicy"), "preemptionPolicy", ("PreemptLowerPriority", "Never"))


def runtime_class(obj: Object) -> Causes:
    """Check a RuntimeClass."""
    return dns_label(obj.get("handler", ""), "handler")


def node(obj: Object) -> Causes:
    """Check a Node."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        at, key, effect = f"metadata.taints[{index}]", taint.get("key", ""), taint.get("effect", "")
        yield from key_causes(key, f"{at}.key")
        yield from value_causes(taint.get("value", ""), f"{at}.value")
        if not effect:
            yield required(f"{at}.effect")
        else:
            yield from choice(effect, f"{at}.effect", _EFFECTS)
        if (key, effect) in seen:
            said = {"Key": key, "Value": taint.get("value", ""), "Effect": effect, "TimeAdded": None}
            message = f"Duplicate value: {shown(said)}: taints must be unique by key and effect pair"
            yield Cause(at, "FieldValueDuplicate", message)
        seen.add((key, effect))
