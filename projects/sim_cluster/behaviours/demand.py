"""What pods ask of the node that they run on. Used by the scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.quantities import amount

Amounts = dict[str, int]
PODS: Final = "pods"


def amounts(quantities: Mapping[str, Any] | None) -> Amounts:
    """Return quantities of resources as numbers, in thousandths."""
    return {name: amount(value) for name, value in (quantities or {}).items()}


def _add(total: Amounts, more: Amounts) -> None:
    for name, value in more.items():
        total[name] = total.get(name, 0) + value


def _raise(total: Amounts, least: Amounts) -> None:
    for name, value in least.items():
        total[name] = max(total.get(name, 0), value)


def _asked(part: Object) -> Amounts:
    return amounts((part.get("resources") or {}).get("requests"))


def demand(spec: Object) -> Amounts:
    """Return what a pod asks for: its containers together, or the one init container that asks for more.

    An init container that restarts (a sidecar) stays, so it counts beside all that starts after it.
    """
    total: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            _add(total, _asked(container))
        else:
            beside = dict(total)
            _add(beside, _asked(container))
            _raise(peak, beside)
    for container in spec["containers"]:
        _add(total, _asked(container))
    _raise(total, peak)
    total |= _asked(spec)
    _add(total, amounts(spec.get("overhead")))
    return total


def total(demands: Iterable[tuple[Object, Amounts]]) -> Amounts:
    """Return what pods take together of their node."""
    taken: Amounts = {PODS: 0}
    for _, asked in demands:
        _add(taken, asked)
        taken[PODS] += 1000
    return taken
