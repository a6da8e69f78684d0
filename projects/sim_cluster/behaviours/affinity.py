"""Which nodes a pod may run on because of the pods that are there, and which it prefers: affinity and anti-affinity.

Used by the scheduler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.label_selectors import selects
from projects.sim_cluster.behaviours.metadata import labels_of

AWAY_FROM_WANTED: Final = "node(s) didn't match pod affinity rules"
NEAR_UNWANTED: Final = "node(s) didn't match pod anti-affinity rules"
UNWANTED: Final = "node(s) didn't satisfy existing pods anti-affinity rules"
Place = tuple[str, str]


def terms(spec: Object, kind: str) -> list[Object]:
    """Return the required terms of ``podAffinity`` or ``podAntiAffinity``."""
    return _declared(spec, kind, "required")


def _declared(spec: Object, kind: str, sort: str) -> list[Object]:
    affinity = (spec.get("affinity") or {}).get(kind) or {}
    return list(affinity.get(f"{sort}DuringSchedulingIgnoredDuringExecution") or ())


def wishes(spec: Object) -> list[tuple[int, Object]]:
    """Return the preferred terms of a pod with their weights; those of others to stay away from have negative ones."""
    near, apart = (_declared(spec, kind, "preferred") for kind in ("podAffinity", "podAntiAffinity"))
    wanted = [(wish["weight"], wish["podAffinityTerm"]) for wish in near]
    return wanted + [(-wish["weight"], wish["podAffinityTerm"]) for wish in apart]


def _means(term: Object, holder: Object, pod: Object, spaces: Collection[Object]) -> bool:
    """Return whether a term of a pod is about another one."""
    names = set(term.get("namespaces") or ())
    if (chosen := term.get("namespaceSelector")) is not None:
        names |= {space["metadata"]["name"] for space in spaces if selects(chosen, labels_of(space))}
    elif not names:
        names = {holder["metadata"]["namespace"]}
    return pod["metadata"]["namespace"] in names and selects(term.get("labelSelector"), labels_of(pod))


def _place(term: Object, node: Object) -> Place | None:
    """Return what a term takes for one place, such as a zone; None where a node is in none."""
    value = labels_of(node).get(term["topologyKey"])
    return None if value is None else (term["topologyKey"], value)


@dataclass(frozen=True)
class Company:
    """What the pods of a cluster mean for one that is to be placed.

    Attributes:
      wanted: For each affinity term the places that have a pod that it is about; None when any place will do.
      unwanted: The places that have a pod that an anti-affinity term is about.
      guarded: The places that have a pod that does not want this one.
    """

    wanted: tuple[tuple[str, frozenset[Place] | None], ...]
    unwanted: frozenset[Place]
    guarded: frozenset[Place]

    def refusal(self, node: Object) -> str:
        """Return why a pod cannot join those of a node, in the scheduler's words; empty when it can."""
        labels = labels_of(node)
        for key, places in self.wanted:
            if key not in labels or (places is not None and (key, labels[key]) not in places):
                return AWAY_FROM_WANTED
        if any(labels.get(key) == value for key, value in self.unwanted):
            return NEAR_UNWANTED
        return UNWANTED if any(labels.get(key) == value for key, value in self.guarded) else ""


NOBODY: Final = Company((), frozenset(), frozenset())
Placed = Iterable[tuple[Object, Object]]


def attraction(pod: Object, placed: Placed, spaces: Collection[Object]) -> Counter[Place]:
    """Return how much each place draws a pod by its wishes: each pod there that one is about adds the weight of it."""
    found: Counter[Place] = Counter()
    wanted = wishes(pod["spec"])
    for other, node in placed:
        for weight, term in wanted:
            if _means(term, pod, other, spaces) and (place := _place(term, node)):
                found[place] += weight
    return found


def company(pod: Object, placed: Placed, guards: Placed, spaces: Collection[Object]) -> Company:
    """Look at pods with their nodes: all (asked only when the pod has terms), and those that have anti-affinity."""
    near, apart = terms(pod["spec"], "podAffinity"), terms(pod["spec"], "podAntiAffinity")
    guarded = frozenset(_guarded(pod, guards, spaces))
    if not near and not apart:
        return Company((), frozenset(), guarded) if guarded else NOBODY
    everyone = list(placed)

    def places(term: Object) -> frozenset[Place]:
        found = (_place(term, node) for other, node in everyone if _means(term, pod, other, spaces))
        return frozenset(place for place in found if place)

    wanted = [(term["topologyKey"], places(term)) for term in near]
    alone = not any(found for _, found in wanted) and all(_means(term, pod, pod, spaces) for term in near)
    return Company(
        tuple((key, None if alone else found) for key, found in wanted),
        frozenset(place for term in apart for place in places(term)),
        guarded,
    )


def _guarded(pod: Object, guards: Placed, spaces: Collection[Object]) -> Iterator[Place]:
    for guard, node in guards:
        for term in terms(guard["spec"], "podAntiAffinity"):
            if _means(term, guard, pod, spaces) and (place := _place(term, node)):
                yield place
