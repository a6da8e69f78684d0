"""What a cluster is started with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from projects.sim_cluster.behaviours.settings import Settings

if TYPE_CHECKING:
    from projects.sim_cluster.behaviours.unit import Behaviour
    from projects.sim_cluster.captures.state import State
    from projects.sim_cluster.packages.package import OperatorPackage
    from projects.sim_cluster.scenarios.model import Scenario

DEFAULT_NODES: Final = 3
MOST_NODES: Final = 5000
OPENSHIFT_VERSION: Final = "4.20.3"
Machines = tuple[tuple[str, int], ...]  # machine types, and how many nodes of each
MAX_SPEED: Final = math.inf  # the clock jumps
MOST_SPEED: Final = 1e6  # beyond that timers are all noise; the clock jumps instead
DEFAULT_SPEED: Final = 60.0  # a node joins in about a second, a pod gets Ready in a twentieth of one
Platform = Literal["openshift", "kubernetes"]
ApiKind = Literal["simulated", "real"]
PLATFORMS: Final[tuple[Platform, ...]] = ("openshift", "kubernetes")
APIS: Final[tuple[ApiKind, ...]] = ("simulated", "real")


@dataclass(frozen=True)
class Settled:
    """Options with nothing left open."""

    nodes: int
    machines: Machines
    platform: Platform
    version: str
    speed: float
    settings: Settings

    @property
    def all_nodes(self) -> int:
        """How many nodes the cluster starts with."""
        return self.nodes + sum(count for _, count in self.machines)


@dataclass(frozen=True)
class ClusterOptions:
    """Shape and speed of a cluster, and what it goes through; what is not given is as the scenario says.

    Attributes:
      nodes: How many workers of the default type it has.
      platform: What it is.
      speed: How much faster than real time its clock runs.
      settings: What its behaviours are told; those that the scenario makes by default.
      scenario: What it goes through; healthy by default.
      seed: What is left to chance follows from it.
      packages: Operators that its catalogs offer besides those of the scenario.
      api: Which API serves it.
      karpenter: Whether pods without a node bring one, by Karpenter; only on the real API.
      state: What it starts with instead of a shape: a captured cluster, whose platform and nodes are its own.
      stages: Files with KWOK ``Stage`` documents that it plays besides those of the scenario.
      behaviours: Behaviours that it plays besides its own.
    """

    nodes: int | None = None
    platform: Platform | None = None
    speed: float | None = None
    settings: Settings | None = None
    scenario: Scenario | None = None
    seed: int = 0
    packages: tuple[OperatorPackage, ...] = ()
    api: ApiKind = "simulated"
    karpenter: bool = False
    state: State | None = None
    stages: tuple[Path, ...] = ()
    behaviours: tuple[Behaviour, ...] = ()

    @property
    def all_stages(self) -> tuple[Path, ...]:
        """The files of its stages, with those of its scenario."""
        return (*(self.scenario.stage_files if self.scenario else ()), *self.stages)

    def settled(self) -> Settled:
        """Return them with what was not given taken from the scenario."""
        scenario = self.scenario
        nodes, platform, speed, settings = (
            (DEFAULT_NODES, PLATFORMS[0], DEFAULT_SPEED, Settings(seed=self.seed))
            if scenario is None
            else (scenario.shape.nodes, scenario.shape.platform, scenario.speed, scenario.settings(self.seed))
        )
        shape = None if scenario is None else scenario.shape
        return Settled(
            nodes=self.state.nodes if self.state else nodes if self.nodes is None else self.nodes,
            machines=tuple((each.type, each.count) for each in shape.machines) if shape and not self.state else (),
            platform=self.state.platform if self.state else self.platform or platform,
            version=OPENSHIFT_VERSION if shape is None else shape.openshift,
            speed=self.speed or speed,
            settings=self.settings or settings,
        )
