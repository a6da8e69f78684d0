"""What `server` serves of a cluster, whichever API stands behind it. Made by `cluster` and by `real_api.cluster`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp

from projects.sim_cluster.api.certificates import Authority
from projects.sim_cluster.behaviours.interface import Cluster
from projects.sim_cluster.clock import Clock
from projects.sim_cluster.faults.strikes import Strikes


@dataclass(frozen=True)
class Parts:
    """A running cluster.

    Attributes:
      http: The application that answers for it.
      authority: Who signs its certificates.
      strikes: What goes wrong on it.
      clock: Its time.
      changes: Returns a number that is another one after each change of the cluster.
      connect: Gives a component, by its name, the cluster as behaviours see it; None where no OpenShift is played.
    """

    http: ASGIApp
    authority: Authority
    strikes: Strikes
    clock: Clock
    changes: Callable[[], int]
    connect: Callable[[str], Cluster] | None = None
