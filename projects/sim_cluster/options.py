"""What a cluster is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from projects.sim_cluster.behaviours.settings import Settings

DEFAULT_SPEED: Final = 60.0  # a node joins in about a second, a pod gets Ready in a twentieth of one
Platform = Literal["openshift", "kubernetes"]
PLATFORMS: Final[tuple[Platform, ...]] = ("openshift", "kubernetes")


@dataclass(frozen=True)
class ClusterOptions:
    """Shape and speed of a simulated cluster."""

    nodes: int = 3
    platform: Platform = "openshift"
    speed: float = DEFAULT_SPEED
    settings: Settings = field(default_factory=Settings)
