"""What a runtime is told about its cluster: how long things take, what runs in containers, the seed of what is left to chance."""

from __future__ import annotations

from dataclasses import dataclass, field

from projects.sim_cluster.behaviours.programs import PodFaults, Programs
from projects.sim_cluster.behaviours.timings import Timings


@dataclass(frozen=True)
class Settings:
    """Data that behaviours read; a scenario replaces it."""

    timings: Timings = field(default_factory=Timings)
    programs: Programs = ()
    pod_faults: PodFaults | None = None
    seed: int = 0
