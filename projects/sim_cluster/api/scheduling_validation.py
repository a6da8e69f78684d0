"""What says where a pod may run: selectors, tolerations, affinity, spreading. Called by `pod_validation`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.checks import Causes, choice, label_selector
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import key_causes, label_causes, shown, value_causes

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_HEAVIEST: Final = 100


def placement(spec: Object, path: str) -> Causes:
    """Check everything that says where a pod may run."""
    yield from label_causes(spec.get("nodeSelector"), f"{path}.nodeSelector")
    affinity = spec.get("affinity") or {}
    if "nodeAffinity" in affinity:
        yield from _node_affinity(affinity["nodeAffinity"], f"{path}.affinity.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        if kind in affinity:
            yield from _pod_affinity(affinity[kind], f"{path}.affinity.{kind}")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration(toleration, f"{path}.tolerations[{index}]")
    yield from _spreading(spec, f"{path}.topologySpreadConstraints")


def _toleration(toleration: Object, path: str) -> Causes:
    key, operator, value = (toleration.get(name, "") for name in ("key", "operator", "value"))
    if key:
        yield from key_causes(key, f"{path}.key")
    elif operator != "Exists":
        message = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid_value(f"{path}.operator", shown(operator), message)
    effect = toleration.get("effect", "")
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        message = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid_value(f"{path}.effect", shown(effect), message)
    if operator in {"Equal", ""}:
        yield from value_causes(value, f"{path}.operator")
    elif operator != "Exists":
        yield not_supported(f"{path}.operator", shown(operator), ("Equal", "Exists"))
    elif value:
        yield invalid_value(f"{path}.operator", shown(value), "value must be empty when `operator` is 'Exists'")
    if effect:
        yield from choice(effect, f"{path}.effect", _EFFECTS)


def _node_affinity(affinity: Object, path: str) -> Causes:
    if _REQUIRED in affinity:
        terms = affinity[_REQUIRED].get("nodeSelectorTerms")
        if not terms:
            message = "must have at least one node selector term"
            yield required(f"{path}.{_REQUIRED}.nodeSelectorTerms", message)
        for index, term in enumerate(terms or ()):
            yield from _node_term(term, f"{path}.{_REQUIRED}.nodeSelectorTerms[{index}]")
    for index, entry in enumerate(affinity.get(_PREFERRED) or ()):
        at = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(entry, at)
        yield from _node_term(entry.get("preference") or {}, f"{at}.preference")


def _weight(entry: Object, path: str) -> Causes:
    if not 1 <= entry.get("weight", 0) <= _HEAVIEST:
        yield invalid_value(f"{path}.weight", shown(entry.get("weight", 0)), "must be in the range 1-100")


def _node_term(term: Object, path: str) -> Causes:
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        yield from _node_requirement(expression, f"{path}.matchExpressions[{index}]")


def _node_requirement(expression: Object, path: str) -> Causes:
    values, operator = expression.get("values") or (), expression.get("operator", "")
    if operator in {"In", "NotIn"} and not values:
        yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"} and values:
        yield forbidden_change(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in {"Gt", "Lt"} and len(values) != 1:
        yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    elif operator not in {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"}:
        yield invalid_value(f"{path}.operator", shown(operator), "not a valid selector operator")
    yield from key_causes(expression.get("key", ""), f"{path}.key")


def _pod_affinity(affinity: Object, path: str) -> Causes:
    for index, term in enumerate(affinity.get(_REQUIRED) or ()):
        yield from _pod_term(term, f"{path}.{_REQUIRED}[{index}]")
    for index, entry in enumerate(affinity.get(_PREFERRED) or ()):
        at = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(entry, at)
        yield from _pod_term(entry.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")


def _pod_term(term: Object, path: str) -> Causes:
    yield from label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from key_causes(key, f"{path}.topologyKey")


def _spreading(spec: Object, path: str) -> Causes:
    seen: list[Any] = []
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        at = f"{path}[{index}]"
        if constraint.get("maxSkew", 0) <= 0:
            yield invalid_value(f"{at}.maxSkew", shown(constraint.get("maxSkew", 0)), "must be greater than zero")
        key, otherwise = constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
        if not key:
            yield required(f"{at}.topologyKey", "can not be empty")
        yield from choice(otherwise, f"{at}.whenUnsatisfiable", ("DoNotSchedule", "ScheduleAnyway"))
        if (key, otherwise) in seen:
            first = seen.index((key, otherwise))
            pair = f"{path}[{first}].{{topologyKey, whenUnsatisfiable}}"
            yield Cause(pair, "FieldValueDuplicate", f"Duplicate value: {shown('{' + f'{key}, {otherwise}' + '}')}")
        seen.append((key, otherwise))
        yield from label_selector(constraint.get("labelSelector"), f"{at}.labelSelector")
