"""From a path to what it names: a kind, a namespace, a name, a subresource. Called by `http`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.api.errors import ApiError, no_such_resource, not_simulated
from projects.sim_cluster.api.kinds import Kind, Registry
from projects.sim_cluster.api.paths import in_group_version, parts_of

#: Subresources that discovery lists, as the real API's does, and that need something that runs: they answer 501.
NOT_SIMULATED: Final = frozenset({"portforward", "proxy"})
_NOT_SIMULATED_RESOURCES: Final = frozenset({"componentstatuses"})


@dataclass(frozen=True)
class Target:
    """What a path names."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class PageNotFoundError(Exception):
    """A path outside of every group."""


def target_of(path: str, registry: Registry) -> Target:
    """Return what a path that names a resource names."""
    found = in_group_version(parts_of(path))
    if found is None:
        raise PageNotFoundError
    group, version, rest = found
    if rest[0] == "watch":
        raise not_simulated("the deprecated /watch/ paths; use ?watch=true")
    namespace = ""
    match rest:
        case ["namespaces", _, "status" | "finalize"] if not group:
            pass  # a subresource of the namespace itself
        case ["namespaces", namespace, _, *_]:
            rest = rest[2:]
    kind = registry.find(group, version, rest[0])
    if kind is None:
        raise _missing(registry, group, version)
    if namespace and not kind.namespaced:
        raise no_such_resource()
    target = Target(kind, namespace, rest[1] if len(rest) > 1 else "", "/".join(rest[2:]))
    _check_subresource(target)
    return target


def _missing(registry: Registry, group: str, version: str) -> Exception:
    if registry.has_group_version(group, version) or not group:
        return no_such_resource()
    return PageNotFoundError()


def _check_subresource(target: Target) -> None:
    name, _, deeper = target.subresource.partition("/")
    if name and (name not in target.kind.subresources or (deeper and name != "proxy")):
        raise no_such_resource()
    if name in NOT_SIMULATED and not target.kind.custom:
        raise not_simulated(f"{target.kind.resource}/{name}")
    if target.kind.resource in _NOT_SIMULATED_RESOURCES and not target.kind.group:
        raise not_simulated(f"{target.kind.version} {target.kind.resource}")


def flag(query: Mapping[str, str], name: str) -> bool:
    """Return a boolean query parameter: to the server all is true that does not say that it is false."""
    return query.get(name, "false").lower() not in {"0", "false"}


def integer(query: Mapping[str, str], name: str) -> int:
    """Return a numeric query parameter, 0 when it is missing."""
    text = query.get(name, "")
    try:
        return int(text) if text else 0
    except ValueError:
        raise ApiError(400, "BadRequest", f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
