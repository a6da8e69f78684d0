"""Faults of pods: what goes wrong with the pulls and the starts of their containers. Asked by the kubelets that are simulated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.programs import FaultKind, PodFault
from projects.sim_cluster.clock import Clock
from projects.sim_cluster.faults.befalling import Befalling, fits, is_one_of
from projects.sim_cluster.faults.strikes import Strikes

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.pod_faults import AnyPodFault

KINDS: Final[dict[str, FaultKind]] = {
    "image-pull-failure": "image-pull",
    "crash-loop": "crash",
    "out-of-memory": "oom",
    "never-ready": "never-ready",
    "evicted": "evicted",
}


class PodFaults:
    """What goes wrong with pods, by the faults of a scenario.

    Args:
      strikes: What goes wrong, and where it is counted.
      clock: The cluster's clock; the cluster starts now.
    """

    def __init__(self, strikes: Strikes, clock: Clock) -> None:
        self._befalling = [Befalling(fault, strikes, clock) for fault in _of_pods(strikes)]
        self._played = [PodFault(KINDS[each.fault.do], **_details(each.fault)) for each in self._befalling]

    def faults(self, pod: Object, container: Object) -> Sequence[PodFault]:
        """Return what may go wrong with a container that is pulled or started now."""
        both = zip(self._befalling, self._played, strict=True)
        return [played for befalling, played in both if _is_meant(befalling, pod, container)]

    def struck(self, fault: PodFault, pod: Object) -> None:
        """Take note of what went wrong; one of a program is not among the faults of the scenario."""
        for befalling, played in zip(self._befalling, self._played, strict=True):
            if played is fault:
                befalling.strike(pod)


def _of_pods(strikes: Strikes) -> Iterable[AnyPodFault]:
    return [fault for fault in strikes.of_cluster if fault.do in KINDS]  # type: ignore[misc] # what `do` says


def _details(fault: AnyPodFault) -> dict[str, Any]:
    """Return what a fault says of how it goes wrong."""
    names = {"first": "first", "runs": "after", "exit_code": "exit_code", "message": "message"}
    given = {played: getattr(fault, name) for name, played in names.items() if hasattr(fault, name)}
    return {name: value for name, value in given.items() if value is not None}


def _is_meant(befalling: Befalling[AnyPodFault], pod: Object, container: Object) -> bool:
    fault = befalling.fault
    if befalling.left() > 0 or not is_one_of(pod, fault.pods):
        return False
    if not fits(container["name"], fault.containers) or not fits(container.get("image", ""), fault.images):
        return False
    return befalling.has_struck(pod) or (befalling.has_room(fault.count) and befalling.may_befall(pod))
