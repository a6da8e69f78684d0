"""An operator as one declared object: what its catalog shows, the kinds it brings, and the behaviours that play it.

OLM's behaviours install it as they would the real one. A user declares one in a file of their own, which `loading` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import CLUSTER_SERVICE_VERSIONS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every
from projects.sim_cluster.packages.custom_kind import CustomKind

ALL_MODES: Final = ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")


@dataclass(frozen=True)
class Channel:
    """A channel of a package and its versions, newest first."""

    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class OperatorPackage:
    """An operator.

    Args:
      name: The package's name in its catalog.
      display: Its name for people.
      channels: The first is the one that is taken when none is asked for.
      kinds: The custom kinds that it brings. They are served once its InstallPlan is carried out.
      behaviours: What its controllers do. They act while one of its versions is installed (its CSV ``Succeeded``), and only then.
      operands: What the pods that it deploys do, as the workers of an agent; they do it whether or not the operator is there.
      provider: Who makes it.
      catalog: The CatalogSource that offers it.
      csv: The name of its versions without ``.v`` and the version; by default the package's.
      deployment: The name of its Deployment.
      modes: The install modes that it supports.
      image: The image of its Deployment.
      namespace: Where it likes to be installed.
    """

    name: str
    display: str
    channels: tuple[Channel, ...]
    kinds: tuple[CustomKind, ...] = ()
    behaviours: tuple[Behaviour, ...] = ()
    operands: tuple[Behaviour, ...] = ()
    provider: str = "Foresail"
    catalog: str = "redhat-operators"
    csv: str = ""
    deployment: str = ""
    modes: frozenset[str] = frozenset(ALL_MODES)
    image: str = ""
    namespace: str = ""

    @property
    def csv_name(self) -> str:
        """What the names of its versions start with."""
        return self.csv or self.name

    @property
    def deployment_name(self) -> str:
        """The name of its Deployment."""
        return self.deployment or f"{self.name}-controller-manager"

    def all_behaviours(self) -> list[Behaviour]:
        """Return its behaviours, those of its controllers made to act only while the operator is installed."""
        return [_while_installed(self.csv_name, each) for each in self.behaviours] + list(self.operands)


def installed_in(world: World, csv_name: str) -> str:
    """Return the namespace in which an operator is installed, an empty text when it is not.

    Args:
      world: What a behaviour has at hand; it must read ClusterServiceVersions, as those of a package do.
      csv_name: The name of the operator's versions without ``.v`` and the version.
    """
    for csv in world.cache(CLUSTER_SERVICE_VERSIONS):
        if _is_version_of(csv_name, csv) and (csv.get("status") or {}).get("phase") == "Succeeded":
            return str(csv["metadata"]["namespace"])
    return ""


def _is_version_of(csv_name: str, csv: Object) -> bool:
    return str(csv["metadata"]["name"]).startswith(f"{csv_name}.v")


def _while_installed(csv_name: str, behaviour: Behaviour) -> Behaviour:
    async def act(world: World, obj: Object) -> float | None:
        return await behaviour.act(world, obj) if installed_in(world, csv_name) else None

    woken = Wake(CLUSTER_SERVICE_VERSIONS, _when_its_own(csv_name, every(behaviour.acts_on)))
    return replace(behaviour, act=act, woken_by=(*behaviour.woken_by, woken))


def _when_its_own(
    csv_name: str, keys: Callable[[World, Object], Iterable[Key]]
) -> Callable[[World, Object], Iterable[Key]]:
    """Wake nothing for the versions of other operators."""
    return lambda world, csv: keys(world, csv) if _is_version_of(csv_name, csv) else ()
