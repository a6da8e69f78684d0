"""LimitRange: what a pod's containers get when they say nothing, and between which bounds they must stay.

`admission` calls `fill` and `check` for every new pod, `check` for every new claim too; messages are the LimitRanger's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.quantities import Quantity, amount

_NOTE: Final = "kubernetes.io/limit-ranger"
Amounts = dict[str, Quantity]
Limit = dict[str, Any]


def limits_of(ranges: list[Object], *types: str) -> Iterator[Limit]:
    """Yield what the LimitRanges of a namespace say of some types."""
    for entry in ranges:
        yield from (limit for limit in (entry.get("spec") or {}).get("limits") or () if limit.get("type") in types)


def fill(pod: Object, ranges: list[Object]) -> None:
    """Give the containers of a new pod the requests and limits that they do not state, and note which."""
    said: list[str] = []
    for limit in limits_of(ranges, "Container"):
        for field, what in (("containers", "container"), ("initContainers", "init container")):
            for container in pod["spec"].get(field) or ():
                said += _filled(container, limit, what)
    if said:
        notes = pod["metadata"].get("annotations") or {}
        pod["metadata"]["annotations"] = notes | {_NOTE: "LimitRanger plugin set: " + "; ".join(said)}


def _filled(container: Object, limit: Limit, what: str) -> Iterator[str]:
    resources = container.setdefault("resources", {})
    for field, defaults, word in (("requests", "defaultRequest", "request"), ("limits", "default", "limit")):
        stated = resources.get(field) or {}
        missing = {name: value for name, value in (limit.get(defaults) or {}).items() if name not in stated}
        if missing:
            resources[field] = stated | missing
            yield f"{', '.join(sorted(missing))} {word} for {what} {container['name']}"


def check_pod(pod: Object, ranges: list[Object]) -> list[str]:
    """Return where a pod leaves the bounds."""
    spec = pod["spec"]
    found: list[str] = []
    for limit in limits_of(ranges, "Container", "Pod"):
        if limit["type"] == "Pod":
            found += _outside(limit, *(pod_amounts(spec, field) for field in ("requests", "limits")))
            continue
        for container in [*spec["containers"], *(spec.get("initContainers") or ())]:
            found += _outside(limit, *(_amounts(container, field) for field in ("requests", "limits")))
    return found


def check_claim(claim: Object, ranges: list[Object]) -> list[str]:
    """Return where a PersistentVolumeClaim leaves the bounds."""
    requests = _amounts(claim.get("spec") or {}, "requests")
    return [
        text for limit in limits_of(ranges, "PersistentVolumeClaim") for text in _outside(limit, requests, requests)
    ]


def _amounts(holder: Object, field: str) -> Amounts:
    stated = (holder.get("resources") or {}).get(field) or {}
    return {name: amount(value) for name, value in stated.items()}


def pod_amounts(spec: Object, field: str) -> Amounts:
    """Return what a whole pod requests (or is limited to): its containers together, or its greatest init container."""
    total: Amounts = {}
    for container in spec.get("containers") or ():
        total = added(total, _amounts(container, field))
    beside: Amounts = {}  # init containers that go on running beside all that come after them
    for container in spec.get("initContainers") or ():
        own = _amounts(container, field)
        if container.get("restartPolicy") == "Always":
            beside, total, own = added(beside, own), added(total, own), {}
        total = _greatest(total, added(beside, own))
    return added(total, {name: amount(value) for name, value in (spec.get("overhead") or {}).items() if name in total})


def added(one: Amounts, other: Amounts) -> Amounts:
    """Return the sums of two lists of amounts."""
    return one | {name: one[name] + value if name in one else value for name, value in other.items()}


def _greatest(one: Amounts, other: Amounts) -> Amounts:
    return one | {name: value for name, value in other.items() if name not in one or value.value > one[name].value}


def _outside(limit: Limit, requests: Amounts, limits: Amounts) -> Iterator[str]:
    kind = limit["type"]
    checks: tuple[tuple[str, Callable[[str, str, Quantity, Amounts, Amounts], str]], ...] = (
        ("min", _below),
        ("max", _above_request if kind == "PersistentVolumeClaim" else _above),
        ("maxLimitRequestRatio", _ratio),
    )
    for field, judge in checks:
        for name, bound in sorted((limit.get(field) or {}).items()):
            if why := judge(name, kind, amount(bound), requests, limits):
                yield why


def _below(name: str, kind: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    text = f"minimum {name} usage per {kind} is {bound}"
    if name not in requests:
        return f"{text}. No request is specified"
    for word, stated in (("request", requests), ("limit", limits)):
        if name in stated and stated[name].value < bound.value:
            return f"{text}, but {word} is {stated[name]}"
    return ""


def _above(name: str, kind: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    text = f"maximum {name} usage per {kind} is {bound}"
    if name not in limits:
        return f"{text}. No limit is specified"
    for word, stated in (("limit", limits), ("request", requests)):
        if name in stated and stated[name].value > bound.value:
            return f"{text}, but {word} is {stated[name]}"
    return ""


def _above_request(name: str, kind: str, bound: Quantity, requests: Amounts, _limits: Amounts) -> str:
    text = f"maximum {name} usage per {kind} is {bound}"
    if name not in requests:
        return f"{text}. No request is specified"
    return f"{text}, but request is {requests[name]}" if requests[name].value > bound.value else ""


def _ratio(name: str, kind: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    text = f"{name} max limit to request ratio per {kind} is {bound}, but"
    for word, stated in (("request", requests), ("limit", limits)):
        if name not in stated or not stated[name].value:
            return f"{text} no {word} is specified or {word} is 0"
    ratio = limits[name].value / requests[name].value
    return f"{text} provided ratio is {ratio:.6f}" if ratio > bound.value else ""


def set_defaults(limit_range: Object) -> None:
    """Fill what a LimitRange itself leaves out of its limits of containers."""
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        if limit.get("type") == "Container":
            default = limit.setdefault("default", {})
            default |= {name: value for name, value in (limit.get("max") or {}).items() if name not in default}
            request = limit.setdefault("defaultRequest", {})
            for source in (default, limit.get("min") or {}):
                request |= {name: value for name, value in source.items() if name not in request}
