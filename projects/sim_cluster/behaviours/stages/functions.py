"""The functions that the templates of Stage documents may call: Go's own, and KWOK's. Used by `playing`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import yaml

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.node_objects import KUBERNETES, NO_PRESSURES, READY, internal_ip
from projects.sim_cluster.behaviours.resources import NODES
from projects.sim_cluster.behaviours.stages.expressions import Functions
from projects.sim_cluster.behaviours.stages.mistakes import ConstructError
from projects.sim_cluster.behaviours.stages.templates import shown
from projects.sim_cluster.behaviours.unit import World

_KUBELET_PORT: Final = 10250
_ROUTED: Final = {
    "type": "NetworkUnavailable",
    "status": "False",
    "reason": "RouteCreated",
    "message": "RouteController created a route",
}


def _or(*values: Any) -> Any:
    return next((value for value in values if value), values[-1])


def _and(*values: Any) -> Any:
    return next((value for value in values if not value), values[-1])


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and -1 < key < len(value):
            value = value[key]
        else:
            return None
    return value


def _yaml(value: Any, indent: int = 0) -> str:
    space = "  " * indent
    lines = yaml.safe_dump(value, default_flow_style=False, sort_keys=True).rstrip("\n").split("\n")
    return "\n".join(space + line for line in lines)


def _printf(form: str, *values: Any) -> str:
    pieces = form.replace("%v", "%s").replace("%d", "%s").split("%q")
    quoted = iter(values)
    return "".join(
        piece % tuple(shown(next(quoted)) for _ in range(piece.count("%s")))
        + (json.dumps(shown(next(quoted))) if more else "")
        for piece, more in zip(pieces, [True] * (len(pieces) - 1) + [False], strict=True)
    )


_PURE: Final[dict[str, Callable[..., Any]]] = {
    "or": _or,
    "and": _and,
    "not": lambda value: not value,
    "eq": lambda first, *others: first in others,
    "ne": lambda first, second: first != second,
    "lt": lambda first, second: first < second,
    "le": lambda first, second: first <= second,
    "gt": lambda first, second: first > second,
    "ge": lambda first, second: first >= second,
    "len": lambda value: len(value or ()),
    "index": _index,
    "printf": _printf,
    "print": lambda *values: "".join(map(shown, values)),
    "Quote": lambda value: json.dumps(shown(value)),
    "YAML": _yaml,
    "add": lambda *numbers: sum(numbers),
    "sub": lambda first, second: first - second,
    "default": lambda other, value=None: value or other,
    "dict": lambda *pairs: dict(zip(pairs[::2], pairs[1::2], strict=True)),
    "list": lambda *values: list(values),
}
NAMES: Final = frozenset({
    *_PURE, "Now", "StartTime", "Version", "NodeIP", "NodeIPWith", "NodeName", "NodePort", "NodeConditions", "PodIP",
    "PodIPWith",
})  # fmt: skip


def functions_for(world: World, obj: Object, address: Callable[[str], str]) -> Functions:
    """Return the functions for the templates of one object; `address` gives pods theirs, by uid."""

    def node_ip(name: str = "") -> str:
        return internal_ip(world.cache(NODES).get("", name or obj["metadata"]["name"]) or {})

    def pod_ip(node: str = "", on_host: bool = False, uid: str = "", *_names: str) -> str:
        return node_ip(node) if on_host else address(uid or obj["metadata"]["uid"])

    return _PURE | {
        "Now": lambda: world.timestamp,
        "StartTime": lambda: world.timestamp,
        "Version": lambda: KUBERNETES.version,
        "NodeIP": node_ip,
        "NodeIPWith": node_ip,
        "NodeName": lambda: obj["metadata"]["name"],
        "NodePort": lambda: _KUBELET_PORT,
        "NodeConditions": lambda: [READY, *NO_PRESSURES, _ROUTED],
        "PodIP": pod_ip,
        "PodIPWith": pod_ip,
    }


def rendered(text: str, where: str) -> Any:
    """Return the YAML that a template has made."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConstructError(f"{where} made no YAML: {error}") from error
