"""What the part of an admission policy must hold that says which writes it is about, and what is filled into it. Used by `admission_validation`.

The rules are those of k8s.io/kubernetes pkg/apis/admissionregistration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from projects.sim_cluster.api.checks import Causes, choice, duplicate, label_selector
from projects.sim_cluster.api.errors import Cause, invalid_value, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown

_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


def set_constraint_defaults(constraints: Any) -> None:
    """Fill a ``matchConstraints`` or a ``matchResources``."""
    if isinstance(constraints, dict):
        for field, default in (("matchPolicy", "Equivalent"), ("namespaceSelector", {}), ("objectSelector", {})):
            constraints.setdefault(field, default)
        for rule in (*(constraints.get("resourceRules") or ()), *(constraints.get("excludeResourceRules") or ())):
            rule.setdefault("scope", "*")


def constraints(found: Object, path: str) -> Causes:
    """Check a ``matchConstraints`` or a ``matchResources``."""
    yield from choice(found.get("matchPolicy"), f"{path}.matchPolicy", ("Equivalent", "Exact"))
    for selector in ("namespaceSelector", "objectSelector"):
        yield from label_selector(found.get(selector), f"{path}.{selector}")
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(found.get(field) or ()):
            yield from resource_rule(rule, f"{path}.{field}[{index}]")


def resource_rule(rule: Object, path: str) -> Causes:
    """Check a rule about resources, of a policy or of a webhook."""
    yield from _operations(rule.get("operations") or [], f"{path}.operations")
    for field, called in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        listed = rule.get(field) or []
        if not listed:
            yield required(f"{path}.{field}")
        elif len(listed) > 1 and "*" in listed:
            yield _alone(f"{path}.{field}", listed, "*", called)
        if field == "apiVersions":
            yield from (required(f"{path}.{field}[{index}]") for index, each in enumerate(listed) if not each)
    yield from _resources(rule.get("resources") or [], f"{path}.resources")
    yield from choice(rule.get("scope"), f"{path}.scope", ("*", "Cluster", "Namespaced"))
    yield from doubles(rule.get("resourceNames") or (), f"{path}.resourceNames")


def _operations(listed: list[str], path: str) -> Causes:
    if not listed:
        yield required(path)
    if len(listed) > 1 and "*" in listed:
        yield _alone(path, listed, "*", "operations")
    yield from (cause for index, each in enumerate(listed) for cause in choice(each, f"{path}[{index}]", _OPERATIONS))


def _resources(listed: list[str], path: str) -> Causes:
    if not listed:
        yield required(path)
    whole = {each.removesuffix("/*") for each in listed if each.endswith("/*")}
    parts = {each.removeprefix("*/") for each in listed if each.startswith("*/")}
    for index, each in enumerate(listed):
        resource, _, subresource = each.partition("/")
        if not each:
            yield required(f"{path}[{index}]")
        elif subresource not in {"", "*"} and resource in whole:
            yield _alone(f"{path}[{index}]", each, f"{resource}/*", each, plural="")
        elif resource != "*" and subresource in parts - {"", "*"}:
            yield _alone(f"{path}[{index}]", each, f"*/{subresource}", each, plural="")
    if len(listed) > 1 and "*/*" in listed:
        yield _alone(path, listed, "*/*", "resources")
    if "*" in listed and any("/" not in each for each in listed if each != "*"):
        yield _alone(path, listed, "*", "resources without subresources")


def _alone(path: str, value: Any, present: str, others: str, *, plural: str = "other ") -> Cause:
    return invalid_value(path, shown(value), f"if '{present}' is present, must not specify {plural}{others}")


def doubles(listed: Sequence[str], path: str) -> Causes:
    """Yield what is listed more than once."""
    for index, each in enumerate(listed):
        if each in listed[:index]:
            yield duplicate(each, f"{path}[{index}]")
