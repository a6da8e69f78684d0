"""Ports of its node that a pod takes; two pods cannot have the same. Used by the scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from projects.sim_cluster.behaviours.interface import Object

Port = tuple[str, str, int]
_ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - what a hostPort without an address takes


def host_ports(spec: Object) -> Iterator[Port]:
    """Yield the ports of its node that a pod takes."""
    for container in spec["containers"]:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port.get("protocol", "TCP"), port.get("hostIP") or _ANY_ADDRESS, port["hostPort"]


def clash(wanted: Iterable[Port], taken: frozenset[Port]) -> bool:
    """Return whether one of the ports is taken."""
    return any(
        (protocol, number) == (other, used) and (address == there or _ANY_ADDRESS in {address, there})
        for protocol, address, number in wanted
        for other, there, used in taken
    )
