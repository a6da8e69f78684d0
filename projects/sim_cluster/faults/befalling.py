"""What all faults of the cluster have in common: when they begin, what they befall, what they have struck. Used by their modules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from projects.sim_cluster.behaviours.cache import key_of
from projects.sim_cluster.behaviours.interface import Object, Resource
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World
from projects.sim_cluster.clock import Clock
from projects.sim_cluster.faults.chance import chance
from projects.sim_cluster.faults.strikes import Strikes

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.fields import ClusterFault, Pods

F = TypeVar("F", bound="ClusterFault")
_OWN: Final = ("default", "kube-*", "openshift*")
MANAGER: Final = "fault"
"""The name under which faults own the fields that they write."""


class Befalling(Generic[F]):
    """One fault at work.

    Args:
      fault: The fault.
      strikes: Where it is counted what it has struck.
      clock: The cluster's clock; the cluster starts now.
    """

    def __init__(self, fault: F, strikes: Strikes, clock: Clock) -> None:
        self.fault = fault
        self._clock, self._start = clock, clock.now()
        self.name = strikes.name(fault)
        self._strikes, self._struck = strikes, set[str]()

    def left(self) -> float:
        """Return the seconds until it begins; not above 0 once it has."""
        return self._start + self.fault.after - self._clock.now()

    def may_befall(self, obj: Object) -> bool:
        """Return whether chance lets it befall an object: the same each time for a seed."""
        return chance(self._strikes.seed, self.name, *key_of(obj)) < self.fault.probability

    def rank(self, obj: Object) -> float:
        """Return where an object stands when some of several are chosen by chance."""
        return chance(self._strikes.seed, self.name, "rank", *key_of(obj))

    def has_struck(self, obj: Object) -> bool:
        """Return whether it has struck an object."""
        return obj["metadata"]["uid"] in self._struck

    def strike(self, obj: Object) -> None:
        """Count that it has struck an object; once for each."""
        if not self.has_struck(obj):
            self._struck.add(obj["metadata"]["uid"])
            self._strikes.strike(self.fault)

    def has_room(self, count: int | None) -> bool:
        """Return whether it may strike one more object, when there are so many at most."""
        return count is None or len(self._struck) < count

    def is_next(self, world: World, acts_on: Resource, obj: Object, fits: Callable[[Object], bool], count: int) -> bool:
        """Return whether an object is one of those that chance chooses, `count` of which in all are struck."""
        fitting = [each for each in world.cache(acts_on) if fits(each) and self.may_befall(each)]
        fitting = sorted((each for each in fitting if not self.has_struck(each)), key=self.rank)
        left = max(0, count - len(self._struck))
        return any(each["metadata"]["uid"] == obj["metadata"]["uid"] for each in fitting[:left])

    def behaviour(
        self,
        acts_on: Resource,
        act: Callable[[World, Object], Awaitable[float | None]],
        woken_by: Iterable[Wake] = (),
    ) -> Behaviour:
        """Return the behaviour that acts on each object once the fault has begun."""

        async def once_begun(world: World, obj: Object) -> float | None:
            left = self.left()
            return left if left > 0 else await act(world, obj)

        return Behaviour(f"fault {self.name}", acts_on, once_begun, manager=MANAGER, woken_by=tuple(woken_by))


def is_meant(namespace: str, patterns: Iterable[str]) -> bool:
    """Return whether a fault is for a namespace: one that fits, by default any but the cluster's own."""
    given = tuple(patterns)
    return fits(namespace, given) if given else not fits(namespace, _OWN)


def is_one_of(pod: Object, pods: Pods) -> bool:
    """Return whether a pod is one of those that are chosen."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    return (
        is_meant(metadata["namespace"], pods.namespaces)
        and fits(metadata["name"], pods.names)
        and all(labels.get(key) == value for key, value in pods.labels.items())
    )


def fits(text: str, patterns: Iterable[str]) -> bool:
    """Return whether one of the patterns fits; none at all fits everything."""
    given = tuple(patterns)
    return not given or any(fnmatchcase(text, pattern) for pattern in given)
