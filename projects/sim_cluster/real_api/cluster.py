"""A cluster on a real API put together: control plane, shape, behaviours, the proxy before it. Run by `server`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final

import yaml

from projects.sim_cluster.api.certificates import Authority
from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.interface import Cluster, Object
from projects.sim_cluster.behaviours.kubelet.behaviour import Kubelet
from projects.sim_cluster.behaviours.namespaces import OPENSHIFT_ACCOUNTS, namespace_content
from projects.sim_cluster.behaviours.node_life import TAINT_EVICTION
from projects.sim_cluster.behaviours.provisioner import PROVISIONER, RECLAIMER
from projects.sim_cluster.behaviours.resources import NODES
from projects.sim_cluster.behaviours.runtime import Runtime
from projects.sim_cluster.behaviours.timestamps import timestamp
from projects.sim_cluster.besides import besides
from projects.sim_cluster.clock import Clock, RunningClock
from projects.sim_cluster.faults.pods import PodFaults
from projects.sim_cluster.faults.strikes import Strikes
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.over_http.cluster import HttpCluster
from projects.sim_cluster.over_http.connection import Connection
from projects.sim_cluster.over_http.discovery import Discovery
from projects.sim_cluster.over_http.seeding import INSTALLER, seed_over_http
from projects.sim_cluster.over_http.stamps import Stamps
from projects.sim_cluster.packages.playing import offered, playing
from projects.sim_cluster.parts import Parts
from projects.sim_cluster.real_api.binaries import Binaries, find_binaries
from projects.sim_cluster.real_api.containers import Kubelets, PodCopies
from projects.sim_cluster.real_api.control_plane import KARPENTER_NAMESPACE, ControlPlane
from projects.sim_cluster.real_api.proxy import Proxy
from projects.sim_cluster.shapes import kubernetes as plain
from projects.sim_cluster.shapes import openshift
from projects.sim_cluster.shapes.definitions import AGGREGATED, documents

_AT_ONCE: Final = 16
"""On how many objects a behaviour acts while others wait for the API's answer."""


@asynccontextmanager
async def real_cluster(options: ClusterOptions, directory: Path) -> AsyncIterator[Parts]:
    """Run a control plane that keeps its files in a directory, and what plays on it, until the block ends."""
    authority = Authority()
    binaries = find_binaries(karpenter=options.karpenter)
    control_plane = ControlPlane(binaries, directory, authority)
    try:
        await control_plane.start_api()
        async with (
            Connection(control_plane.administrator) as api,
            Proxy(control_plane.administrator, control_plane.anyone) as proxy,
        ):
            played = _Played(api, proxy, options, authority)
            await played.start(control_plane, karpenter_objects(binaries) if options.karpenter else ())
            if options.karpenter:
                control_plane.start_karpenter()
            try:
                yield Parts(played.kubelets, authority, played.strikes, played.clock, played.changes, played.connect)
            finally:
                await played.stop()
    finally:
        control_plane.stop()


class _Played:
    """What plays on a control plane."""

    def __init__(self, api: Connection, proxy: Proxy, options: ClusterOptions, authority: Authority) -> None:
        self._api, self._proxy, self._options = api, proxy, options.settled()
        on_openshift = self._options.platform == "openshift"
        self._packages = offered(options) if on_openshift else ()
        self.clock: Clock = RunningClock(self._options.speed)
        self._stamps = Stamps(self.clock)
        self._copies = PodCopies(self.clock, self._options.settings.programs)
        self.kubelets = Kubelets(proxy, api, self._copies, self._stamps)
        # What Kubernetes consists of is real, but for its nodes and its storage.
        # Tolerations are counted on the cluster's clock: the real controller would evict as well, but in its own time.
        behaviours = [Kubelet().behaviour(), TAINT_EVICTION, PROVISIONER, RECLAIMER]
        if on_openshift:
            behaviours += [
                namespace_content(OPENSHIFT_ACCOUNTS, authority.certificate.decode()),
                *playing(self._packages),
            ]
        self.strikes = Strikes(options.scenario, options.seed)
        behaviours += besides(options, self.strikes, self.clock, on_openshift=on_openshift)
        self.connect = self._as if on_openshift else None
        troubles = PodFaults(self.strikes, self.clock)
        self._runtime = Runtime(self._as, behaviours, replace(self._options.settings, pod_faults=troubles), _AT_ONCE)
        self._following: asyncio.Task[None] | None = None

    def _as(self, manager: str) -> HttpCluster:
        return HttpCluster(self._api, self.clock, self._stamps, manager)

    async def stop(self) -> None:
        """Stop playing."""
        await self._runtime.stop()
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait({self._following})

    def changes(self) -> int:
        """Return a number that is another one after each change that has been seen."""
        return self._stamps.changes + self._proxy.changes

    async def start(self, control_plane: ControlPlane, besides: Iterable[Object]) -> None:
        """Give the cluster its shape and some more objects, have its controllers start, and then the behaviours."""
        installer = self._as(INSTALLER)
        await seed_over_http(installer, Discovery(self._api), chain(besides, self._shape()))
        await control_plane.start_controllers()
        await _nodes_are_ready(installer, self._options.all_nodes)
        self._runtime.start()
        self._following = asyncio.create_task(self._copies.follow(installer))

    def _shape(self) -> Iterable[Object]:
        """Return what the cluster starts with beside what its control plane makes."""
        now = timestamp(self.clock.now())
        if self._options.platform == "kubernetes":
            return plain.worker_nodes(self._options, now)
        return chain(documents(AGGREGATED), openshift.objects(self._options, self._packages, now))


def karpenter_objects(binaries: Binaries) -> Iterator[Object]:
    """Yield what Karpenter needs to be there before it starts."""
    for path in sorted(binaries.karpenter_kinds.glob("*.yaml")):
        yield from filter(None, yaml.safe_load_all(path.read_text(encoding="utf-8")))
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KARPENTER_NAMESPACE}}


async def _nodes_are_ready(cluster: Cluster, count: int) -> None:
    ready: set[str] = set()
    if not count:
        return
    async for batch in cluster.watch(NODES):
        ready |= {each.object["metadata"]["name"] for each in batch if is_true(each.object, "Ready")}
        if len(ready) >= count:
            return
