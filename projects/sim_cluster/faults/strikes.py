"""How often each fault of a cluster has struck. Told by the layer and by behaviours, read at ``/sim/faults``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from projects.sim_cluster.scenarios.names import HEALTHY

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.api_faults import AnyApiFault
    from projects.sim_cluster.scenarios.cluster_faults import AnyClusterFault
    from projects.sim_cluster.scenarios.fields import Section
    from projects.sim_cluster.scenarios.model import Scenario

    AnyFault = AnyApiFault | AnyClusterFault


class Strikes:
    """The faults of a scenario, and how often each has struck."""

    def __init__(self, scenario: Scenario | None, seed: int) -> None:
        self.seed = seed
        self.of_api, self.of_cluster = ((), ()) if scenario is None else (scenario.faults.api, scenario.faults.cluster)
        self._scenario = HEALTHY if scenario is None else scenario.name
        self._faults: list[AnyFault] = [*self.of_api, *self.of_cluster]
        self._names = dict(zip(map(id, self._faults), _named(self._faults), strict=True))
        self._struck = Counter[str]()

    def name(self, fault: Section) -> str:
        """Return what a fault is called: its name, or what it does; a number tells those of one name apart."""
        return self._names[id(fault)]

    def strike(self, fault: Section) -> None:
        """Count that a fault has struck."""
        self._struck[self.name(fault)] += 1

    def begin(self, fault: Section) -> None:
        """Count that a fault that strikes everything from now on has begun; once."""
        self._struck[self.name(fault)] = 1

    def as_document(self) -> dict[str, Any]:
        """Return what there is to know as JSON."""
        faults = [
            {"name": name, "do": fault.do, "struck": self._struck[name]}
            for fault, name in ((fault, self.name(fault)) for fault in self._faults)
        ]
        return {"scenario": self._scenario, "seed": self.seed, "struck": self._struck.total(), "faults": faults}


def _named(faults: Iterable[AnyFault]) -> list[str]:
    names: list[str] = []
    for fault in faults:
        wanted = fault.name or fault.do
        number = sum(name == wanted or name.startswith(f"{wanted}#") for name in names)
        names.append(f"{wanted}#{number + 1}" if number else wanted)
    return names
