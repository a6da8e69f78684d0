"""Removing what the skeleton leaves on the cluster. Called by its cleanup entrypoints and after its test."""

from __future__ import annotations

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition
from projects.core.cluster.waiting import wait_for

TIMEOUT_S = 120.0


def remove(name: str) -> bool:
    """Delete a namespace and wait until it is gone.

    Args:
      name: The namespace.

    Returns:
      Whether it was there.

    Raises:
      TimedOut: something in it keeps it from going; the message says what.
    """
    cluster = Cluster()
    target = Target("Namespace", "v1", name)
    if cluster.delete(target) is None:
        return False
    wait_for(cluster, target, Condition(until="absent"), TIMEOUT_S)
    return True
