"""One simulated cluster put together: clock, API, shape, behaviours. Run by `server`, in this process or in one of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.certificates import Authority
from projects.sim_cluster.api.http import HttpApi
from projects.sim_cluster.behaviours.console import Console
from projects.sim_cluster.behaviours.kubernetes import kubernetes_behaviours
from projects.sim_cluster.behaviours.namespaces import OPENSHIFT_ACCOUNTS
from projects.sim_cluster.behaviours.runtime import Runtime
from projects.sim_cluster.behaviours.timestamps import timestamp
from projects.sim_cluster.behaviours.unit import Behaviour
from projects.sim_cluster.besides import besides
from projects.sim_cluster.captures.restoring import restore
from projects.sim_cluster.captures.state import State
from projects.sim_cluster.clock import Clock, RunningClock
from projects.sim_cluster.faults.pods import PodFaults
from projects.sim_cluster.faults.skew import SkewedClock
from projects.sim_cluster.faults.strikes import Strikes
from projects.sim_cluster.in_process import InProcessCluster, namespaced_resources
from projects.sim_cluster.jumping import JumpingClock
from projects.sim_cluster.options import MAX_SPEED, ClusterOptions, Settled
from projects.sim_cluster.packages.package import OperatorPackage
from projects.sim_cluster.packages.playing import offered, playing
from projects.sim_cluster.parts import Parts
from projects.sim_cluster.seeding import seed
from projects.sim_cluster.shapes import kubernetes as plain
from projects.sim_cluster.shapes import openshift
from projects.sim_cluster.visitors import Visitors

_HEAD_START_SECONDS: Final = 86_400.0


def _epoch(speed: float, state: State | None) -> float:
    """Return when a cluster's time starts.

    One that runs faster than its clients' starts yesterday: they reckon ages by their own clocks, and kubectl calls the age
    of what lies ahead of it invalid.
    """
    if state is not None:
        return max(time.time(), state.latest)  # its time may have run faster, too
    return time.time() - (_HEAD_START_SECONDS if speed > 1 else 0.0)


class SimulatedCluster:
    """A cluster that has its shape and whose behaviours can be started."""

    def __init__(self, options: ClusterOptions, visitors: Visitors | None = None) -> None:
        settled = options.settled()
        epoch = _epoch(settled.speed, options.state)
        self.clock: Clock = RunningClock(settled.speed, epoch)
        if settled.speed == MAX_SPEED:
            self.clock = JumpingClock(visitors, self.changes, epoch=epoch)
        self.authority = Authority()
        on_openshift = settled.platform == "openshift"
        self.strikes = Strikes(options.scenario, options.seed)
        told = SkewedClock(self.clock, self.strikes)
        self.api = Api(told)
        packages = offered(options) if on_openshift else ()
        self._fill(options.state, settled, packages)
        self.http = HttpApi(self.api)
        self.api.containers = Console(settled.settings.programs)
        behaviours = self._controllers(packages, on_openshift=on_openshift)
        behaviours += besides(options, self.strikes, self.clock, on_openshift=on_openshift)
        connect = partial(InProcessCluster, self.api, told)
        self.connect = connect if on_openshift else None
        troubles = PodFaults(self.strikes, self.clock)
        self.runtime = Runtime(connect, behaviours, replace(settled.settings, pod_faults=troubles))

    def _fill(self, state: State | None, settled: Settled, packages: Sequence[OperatorPackage]) -> None:
        """Give the API what it holds at the start: a captured state, or the shape of the platform."""
        on_openshift = settled.platform == "openshift"
        if on_openshift:
            openshift.add_kinds(self.api)
        now = timestamp(self.clock.now())
        shape = openshift.objects(settled, packages, now) if on_openshift else plain.worker_nodes(settled, now)
        if state is not None:
            restore(self.api, state, shape, now)
        else:
            seed(self.api, plain.base_objects())
            seed(self.api, shape)

    def _controllers(self, packages: Sequence[OperatorPackage], *, on_openshift: bool) -> list[Behaviour]:
        """Return the behaviours that make it what it is."""
        accounts = ("default", *OPENSHIFT_ACCOUNTS) if on_openshift else ("default",)
        discover = partial(namespaced_resources, self.api)
        found = kubernetes_behaviours(discover, self.authority.certificate.decode(), accounts)
        return found + playing(packages) if on_openshift else found

    def changes(self) -> int:
        """Return a number that is another one after each change of the cluster."""
        return self.api.store.version


@asynccontextmanager
async def simulated_cluster(options: ClusterOptions, visitors: Visitors) -> AsyncIterator[Parts]:
    """Run a simulated cluster until the block ends."""
    cluster = SimulatedCluster(options, visitors)
    cluster.runtime.start()
    try:
        yield Parts(cluster.http, cluster.authority, cluster.strikes, cluster.clock, cluster.changes, cluster.connect)
    finally:
        await cluster.runtime.stop()
