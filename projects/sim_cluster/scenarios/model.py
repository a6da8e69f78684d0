"""A scenario as data. Made by `reading` from a YAML file; the cluster is built by it and `rehearse` judges a run by it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import Field, PrivateAttr

from projects.sim_cluster.behaviours.programs import Program
from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.behaviours.timings import Timings
from projects.sim_cluster.options import DEFAULT_SPEED, MOST_NODES, OPENSHIFT_VERSION, Platform
from projects.sim_cluster.scenarios.api_faults import AnyApiFault
from projects.sim_cluster.scenarios.cluster_faults import AnyClusterFault
from projects.sim_cluster.scenarios.declared import made, section_of
from projects.sim_cluster.scenarios.fields import Section, Speed
from projects.sim_cluster.scenarios.names import HEALTHY

if TYPE_CHECKING:
    from projects.sim_cluster.packages.package import OperatorPackage

    TimingsSection: TypeAlias = Section
    ProgramSection: TypeAlias = Section
else:
    TimingsSection, ProgramSection = section_of(Timings), section_of(Program, without="faults")


class Machines(Section):
    """Worker nodes of one machine type."""

    type: str
    """The machine type, such as `g5.2xlarge`, which has one GPU, or `p5.48xlarge`, which has eight."""
    count: int = Field(default=1, ge=0, le=MOST_NODES)
    """How many."""


class Shape(Section):
    """What the cluster is made of."""

    platform: Platform = "openshift"
    """What it is."""
    nodes: int = Field(default=3, ge=0, le=MOST_NODES)
    """Worker nodes of the default type."""
    machines: tuple[Machines, ...] = ()
    """Further worker nodes, by type."""
    openshift: str = Field(default=OPENSHIFT_VERSION, pattern=r"^4\.\d+\.\d+$")
    """The version of OpenShift."""
    kubernetes: Literal["1.35"] = "1.35"
    """The version of Kubernetes: the one that the API was recorded from is the only one."""


class Offer(Section):
    """What the cluster's catalogs offer."""

    operators: tuple[str, ...] | None = None
    """The packages that are offered; all that there are by default."""
    packages: tuple[str, ...] = ()
    """Operators of one's own, each as `module:name` or `file.py:name` of the object that declares it; files are looked for where
    the scenario is."""


class ApiAndCluster(Section):
    """What goes wrong."""

    api: tuple[AnyApiFault, ...] = ()
    """Faults of the API."""
    cluster: tuple[AnyClusterFault, ...] = ()
    """Faults of what stands behind it."""


class Expectation(Section):
    """What an orchestration should do."""

    says: str = "It passes."
    """A sentence for people."""
    exit_codes: tuple[int, ...] = (0,)
    """The exit codes that a run may have when a fault struck."""
    untouched: tuple[int, ...] = (0,)
    """The exit codes that a run may have when no fault struck."""


class Scenario(Section):
    """What a cluster is and what it goes through."""

    description: str = ""
    """What happens, in a sentence."""
    expect: Expectation = Expectation()
    """What an orchestration should do."""
    shape: Shape = Shape()
    """What the cluster is made of."""
    speed: Speed = DEFAULT_SPEED
    """How much faster than real time its clock runs."""
    catalog: Offer = Offer()
    """What operators it offers."""
    timings: TimingsSection = TimingsSection()
    """How long things take."""
    programs: tuple[ProgramSection, ...] = ()
    """What runs in containers; a container gets the first that fits, and runs on and on without one."""
    stages: tuple[str, ...] = ()
    """Files with KWOK `Stage` documents that are played; their paths start where the scenario is."""
    faults: ApiAndCluster = ApiAndCluster()
    """What goes wrong."""
    _name: str = PrivateAttr(default=HEALTHY)
    _packages: tuple[OperatorPackage, ...] = PrivateAttr(default=())
    _directory: Path = PrivateAttr(default=Path())

    @property
    def name(self) -> str:
        """What it is called: the name of its file."""
        return self._name

    @property
    def stage_files(self) -> tuple[Path, ...]:
        """The files that `stages` names."""
        return tuple(self._directory / each for each in self.stages)

    def read_from(self, file: Path) -> Scenario:
        """Return it as what a file says."""
        copy = self.model_copy()
        copy._name, copy._directory = file.stem, file.absolute().parent  # noqa: SLF001 - of the same class
        return copy

    @property
    def packages(self) -> tuple[OperatorPackage, ...]:
        """The operators of one's own that `catalog` names."""
        return self._packages

    def offering(self, packages: tuple[OperatorPackage, ...]) -> Scenario:
        """Return it with the operators that its catalog names."""
        copy = self.model_copy()
        copy._packages = packages  # noqa: SLF001 - of the same class
        return copy

    def settings(self, seed: int) -> Settings:
        """Return what the behaviours are told."""
        programs = tuple(made(Program, each) for each in self.programs)
        return Settings(timings=made(Timings, self.timings), programs=programs, seed=seed)
