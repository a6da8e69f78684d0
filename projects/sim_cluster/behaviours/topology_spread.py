"""Which nodes a pod may run on so that its like are spread evenly: ``topologySpreadConstraints``. Used by the scheduler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.label_selectors import selects
from projects.sim_cluster.behaviours.metadata import Labels, labels_of
from projects.sim_cluster.behaviours.placement import matches_selector, untolerated

UNEVEN: Final = "node(s) didn't match pod topology spread constraints"
NOWHERE: Final = "node(s) didn't match pod topology spread constraints (missing required label)"
Pods = Callable[[str], Iterable[Object]]
"""Returns the pods of a node."""


@dataclass(frozen=True)
class _Constraint:
    """One constraint, and how many of the pods that it is about each domain has."""

    key: str
    most: int
    counts: Counter[str]
    fewest: int
    counts_itself: bool


def constraints(spec: Object) -> list[Object]:
    """Return the constraints of a pod that have to hold."""
    found = spec.get("topologySpreadConstraints") or ()
    return [each for each in found if each["whenUnsatisfiable"] == "DoNotSchedule"]


class Spread:
    """How the like of a pod are spread now.

    Args:
      pod: The pod that is to be placed.
      nodes: All nodes.
      pods_on: Returns the pods of a node.
    """

    def __init__(self, pod: Object, nodes: Iterable[Object], pods_on: Pods) -> None:
        wanted = constraints(pod["spec"])
        keys = {each["topologyKey"] for each in wanted}
        able = [node for node in nodes if keys <= labels_of(node).keys()]
        self._constraints = [_counted(pod, each, able, pods_on) for each in wanted]

    def refusal(self, node: Object) -> str:
        """Return why a pod may not join those of a node, in the scheduler's words; empty when it may."""
        for each in self._constraints:
            domain = labels_of(node).get(each.key)
            if domain is None:
                return NOWHERE
            if each.counts[domain] + each.counts_itself - each.fewest > each.most:
                return UNEVEN
        return ""


def _counted(pod: Object, constraint: Object, nodes: list[Object], pods_on: Pods) -> _Constraint:
    labels, key = labels_of(pod), constraint["topologyKey"]
    matches = _selector(constraint, labels)
    counts: Counter[str] = Counter()
    for node in nodes:
        if not _counts(pod["spec"], constraint, node):
            continue
        namespace = pod["metadata"]["namespace"]
        counts[labels_of(node)[key]] += sum(
            1
            for each in pods_on(node["metadata"]["name"])
            if each["metadata"]["namespace"] == namespace
            and not each["metadata"].get("deletionTimestamp")
            and matches(labels_of(each))
        )
    few_domains = len(counts) < constraint.get("minDomains", 1)
    fewest = 0 if few_domains else min(counts.values(), default=0)
    return _Constraint(key, constraint["maxSkew"], counts, fewest, matches(labels))


def _selector(constraint: Object, labels: Labels) -> Callable[[Labels], bool]:
    """Return whether a constraint is about pods with some labels; it may look at values that the pod itself has."""
    same = {key: labels[key] for key in constraint.get("matchLabelKeys") or () if key in labels}
    selector = constraint.get("labelSelector")
    return lambda found: selects(selector, found) and same.items() <= found.items()


def _counts(spec: Object, constraint: Object, node: Object) -> bool:
    """Return whether a node counts as a place where the pods might be."""
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not matches_selector(spec, node):
        return False
    return constraint.get("nodeTaintsPolicy", "Ignore") == "Ignore" or untolerated(spec, node) is None
