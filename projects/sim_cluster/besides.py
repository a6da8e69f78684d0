"""What a cluster is asked to play besides what it is: faults, Stage documents, behaviours of one's own. Called by `cluster` and `real_api`."""

from __future__ import annotations

from projects.sim_cluster.behaviours.stages.documents import load_stages
from projects.sim_cluster.behaviours.stages.playing import stage_behaviours
from projects.sim_cluster.behaviours.unit import Behaviour
from projects.sim_cluster.clock import Clock
from projects.sim_cluster.faults.behaviours import fault_behaviours
from projects.sim_cluster.faults.strikes import Strikes
from projects.sim_cluster.options import ClusterOptions


def besides(options: ClusterOptions, strikes: Strikes, clock: Clock, *, on_openshift: bool) -> list[Behaviour]:
    """Return the behaviours that options ask for.

    Args:
      options: The options.
      strikes: Where it is counted what has struck.
      clock: The cluster's clock.
      on_openshift: Whether what faults play with is there.
    """
    return [
        *fault_behaviours(strikes, clock, on_openshift=on_openshift),
        *stage_behaviours(load_stages(options.all_stages)),
        *options.behaviours,
    ]
