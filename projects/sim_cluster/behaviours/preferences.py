"""Which of the nodes that it fits on a pod prefers, by the points that the real scheduler gives. Used by the scheduler.

Each plugin's points go from 0 to 100 and count with its weight: TaintToleration 3, NodeAffinity 2, InterPodAffinity 2,
NodeResourcesFit (LeastAllocated) 1, as in the default profile of kube-scheduler. What other pods prefer, and images that
a node has already, give no points here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from projects.sim_cluster.behaviours.affinity import Place
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of

_MOST: Final = 100.0
_TAINTS, _NODES, _PODS = 3, 2, 2
_RESOURCES: Final = 2
"""The resources whose shares are added up: processors and memory."""


def points(reluctance: Mapping[str, int], inclination: Mapping[str, int], draw: Mapping[str, int]) -> dict[str, float]:
    """Return the points of nodes for what a pod prefers, by their names.

    Args:
      reluctance: How many taints of each ask the pod to stay away.
      inclination: The weights of its preferred node affinity that each meets.
      draw: How much each draws it by the pods that are near.
    """
    kept = _scaled({name: -count for name, count in reluctance.items()}, highest=0)
    inclined, near = _scaled(inclination, lowest=0), _scaled(draw)
    return {name: _TAINTS * kept[name] + _NODES * inclined[name] + _PODS * near[name] for name in reluctance}


def draw(node: Object, drawn: Counter[Place]) -> int:
    """Return how much a node draws a pod that each place draws so much."""
    labels = labels_of(node)
    return sum(weight for (key, value), weight in drawn.items() if labels.get(key) == value)


def room(share: float) -> float:
    """Return the points of a node of whose resources such a share would be taken, as a sum over its resources."""
    return _MOST * (1 - share / _RESOURCES)


def _scaled(found: Mapping[str, int], lowest: int | None = None, highest: int | None = None) -> dict[str, float]:
    """Return numbers from 0 for the lowest to 100 for the highest; all zero where nothing tells them apart."""
    low = min(found.values()) if lowest is None else lowest
    high = max(found.values()) if highest is None else highest
    return {name: _MOST * (value - low) / (high - low) if high > low else 0.0 for name, value in found.items()}
