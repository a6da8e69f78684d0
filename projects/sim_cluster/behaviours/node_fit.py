"""What a node has left, and how well a pod fits on it: the scheduler's filters that look at one node alone. Called by `scheduler`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from projects.sim_cluster.behaviours.affinity import terms
from projects.sim_cluster.behaviours.cache import Cache
from projects.sim_cluster.behaviours.demand import PODS as POD_COUNT
from projects.sim_cluster.behaviours.demand import Amounts, amounts, demand, total
from projects.sim_cluster.behaviours.host_ports import Port, clash, host_ports
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.placement import inclination, reluctance, why_not
from projects.sim_cluster.behaviours.pods import has_ended

_NO_PORTS: Final = "node(s) didn't have free ports for the requested pod ports"


@dataclass(frozen=True)
class Load:
    """What a node offers, what each of its pods asks of it and all together take, and those that do not want all others beside them."""

    node: Object
    changes: int
    offered: Amounts
    asked: dict[str, tuple[Object, Amounts]]
    taken: Amounts
    guards: tuple[Object, ...]
    ports: frozenset[Port]


@dataclass(frozen=True)
class Refusal:
    """Why a node does not do; `final` when no pod that went would change it."""

    reasons: tuple[str, ...]
    final: bool


class Fit(NamedTuple):
    """How well a node does: the share of it that would be taken, its pods, and what the pod thinks of it."""

    share: float
    pods: int
    name: str
    reluctance: int
    inclination: int


def load_of(pods: Cache, node: Object, changes: int, known: dict[str, tuple[Object, Amounts]]) -> Load:
    """Return what there is to know of a node; `known` is what its pods asked for when it was looked at last."""
    there = [pod for pod in pods.on_node(node["metadata"]["name"]) if not has_ended(pod)]
    asked = _asked(there, known)
    guards = tuple(pod for pod in there if terms(pod["spec"], "podAntiAffinity"))
    ports = frozenset(port for pod in there for port in host_ports(pod["spec"]))
    offered = amounts((node.get("status") or {}).get("allocatable"))
    return Load(node, changes, offered, asked, total(asked.values()), guards, ports)


def _asked(there: Iterable[Object], known: dict[str, tuple[Object, Amounts]]) -> dict[str, tuple[Object, Amounts]]:
    """Return what pods ask for, by their uids; a pod whose spec is known is not asked again."""
    found = {}
    for pod in there:
        spec, uid = pod["spec"], pod["metadata"]["uid"]
        before = known.get(uid)
        found[uid] = before if before is not None and before[0] is spec else (spec, demand(spec))
    return found


def judge(spec: Object, asked: Amounts, load: Load) -> Fit | Refusal:
    """Return how well a pod fits on a node, or why it does not: what the first of the scheduler's filters finds is what it says."""
    if reason := why_not(spec, load.node):
        return Refusal((reason,), final=True)
    if load.ports and clash(host_ports(spec), load.ports):
        return Refusal((_NO_PORTS,), final=False)
    if refusal := _too_small(load.offered, asked, load.taken):
        return refusal
    node = load.node
    wishes_of_node = reluctance(spec, node), inclination(spec, node)
    return Fit(_share(asked, load), load.taken[POD_COUNT], node["metadata"]["name"], *wishes_of_node)


def _too_small(offered: Amounts, asked: Amounts, taken: Amounts) -> Refusal | None:
    reasons, final = [], False
    if taken[POD_COUNT] + 1000 > offered.get(POD_COUNT, 0):
        reasons.append("Too many pods")
    for name, wanted in asked.items():
        there = offered.get(name, 0)
        if wanted and wanted > there - taken.get(name, 0):
            reasons.append(f"Insufficient {name}")
            final = final or wanted > there
    return Refusal(tuple(reasons), final) if reasons else None


def _share(asked: Amounts, load: Load) -> float:
    """Return how much of a node's processors and memory would be taken, as a sum of shares."""
    return sum(
        (load.taken.get(name, 0) + asked.get(name, 0)) / load.offered[name]
        for name in ("cpu", "memory")
        if load.offered.get(name)
    )
