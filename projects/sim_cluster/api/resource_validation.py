"""What a container may ask for, and the bounds it may have. Called by `container_validation` and `pod_validation`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.checks import Causes
from projects.sim_cluster.api.errors import forbidden_change, invalid_value, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import key_causes, shown
from projects.sim_cluster.api.quantities import amount

_STANDARD: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_HUGE: Final = "hugepages-"


def resources(entry: Object, path: str) -> Causes:
    """Check the requests and the limits of a container."""
    limits, requests = entry.get("limits") or {}, entry.get("requests") or {}
    for name, value in limits.items():
        yield from _amount(name, value, f"{path}.limits[{name}]")
    for name, value in requests.items():
        yield from _within(name, value, limits, path)
        yield from _amount(name, value, f"{path}.requests[{name}]")
    named = limits.keys() | requests.keys()
    if any(name.startswith(_HUGE) for name in named) and not named & {"cpu", "memory"}:
        yield forbidden_change(path, "HugePages require cpu or memory")


def _amount(name: str, value: Any, path: str) -> Causes:
    yield from key_causes(name, path)
    if "/" not in name and name not in _STANDARD and not name.startswith(_HUGE):
        yield invalid_value(path, shown(name), "must be a standard resource type or fully qualified")
        yield invalid_value(path, shown(name), "must be a standard resource for containers")
    given = amount(value).value
    if given < 0:
        yield invalid_value(path, shown(value), "must be greater than or equal to 0")
    elif not overcommitable(name) and given != int(given):
        yield invalid_value(path, shown(value), "must be an integer")
    if name.startswith(_HUGE) and (size := amount(name.removeprefix(_HUGE)).value) and given % size:
        yield invalid_value(path, shown(value), f"{value} is not positive integer multiple of {name}")


def _within(name: str, value: Any, limits: Object, path: str) -> Causes:
    limit = limits.get(name)
    if limit is None:
        if not overcommitable(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        return
    asked, most = amount(value).value, amount(limit).value
    if not overcommitable(name) and asked != most:
        yield invalid_value(f"{path}.requests", shown(value), f"must be equal to {name} limit of {limit}")
    elif overcommitable(name) and asked > most:
        yield invalid_value(f"{path}.requests", shown(value), f"must be less than or equal to {name} limit of {limit}")


def overcommitable(name: str) -> bool:
    """Return whether more of a resource may be promised than there is: not so for devices and huge pages."""
    return ("/" not in name or "kubernetes.io/" in name) and not name.startswith(_HUGE)
