"""A cluster's state, ready to be put into a fresh API. Made by `preparing`, carried by `ClusterOptions`, put by `restoring`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from projects.sim_cluster.options import Platform

Object = dict[str, Any]


def version_of(obj: Object) -> int:
    """Return the resourceVersion of a captured object, 0 when it has none."""
    version = str(obj["metadata"].get("resourceVersion", ""))
    return int(version) if version.isdecimal() else 0


@dataclass(frozen=True)
class State:
    """What a loaded cluster starts with.

    Args:
      platform: What kind of cluster it was.
      definitions: CustomResourceDefinitions: the captured ones, and made ones for kinds that had none.
      objects: All other objects, complete with uid and time, owners as they were.
      latest: The latest time that its objects tell of, in seconds since the epoch.
      owners: The uids that objects name as their owners, captured or not.
      complete: Whether nothing may be added that the capture did not have.
      notes: What a user has to know about the difference between the capture and the state.
    """

    platform: Platform
    definitions: list[Object]
    objects: list[Object]
    latest: float = 0.0
    owners: frozenset[str] = frozenset()
    complete: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return sum(1 for obj in self.objects if (obj["apiVersion"], obj["kind"]) == ("v1", "Node"))
