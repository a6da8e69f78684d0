"""The addresses and node ports of Services: given out in order, or as asked for when they are free. Called by `admission`."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from ipaddress import ip_address, ip_network
from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError, Cause, invalid_value
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown

NETWORK: Final = ip_network("10.96.0.0/16")
PORTS: Final = range(30000, 32768)


class Allocations:
    """Where the next free address and the next free port are looked for."""

    def __init__(self) -> None:
        self._addresses: Iterator[Any] = NETWORK.hosts()
        next(self._addresses)  # the API's own
        self._next = 0

    def give_address(self, service: Object, taken: AbstractSet[Any]) -> None:
        """Give a Service its cluster IP; refuse one that it cannot have."""
        spec = service["spec"]
        wanted = spec.get("clusterIP")
        if not wanted:
            spec["clusterIP"] = next(text for text in map(str, self._addresses) if text not in taken)
        elif wanted != "None":
            outside = ip_address(wanted) not in NETWORK
            range_of = f"the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {NETWORK}"
            if outside or wanted in taken:
                why = range_of if outside else "provided IP is already allocated"
                message = f"failed to allocate IP {wanted}: {why}"
                raise _refused(service, invalid_value("spec.clusterIPs", shown([wanted]), message))

    def give_ports(self, service: Object, taken: AbstractSet[Any]) -> None:
        """Give the ports of a Service their node ports; refuse one that it cannot have."""
        used = set(taken)
        spec = service["spec"]
        for index, port in enumerate(spec.get("ports") or ()):
            wanted, field = port.get("nodePort"), f"spec.ports[{index}].nodePort"
            if not wanted:
                wanted = port["nodePort"] = self._free(used)
            elif wanted not in PORTS:
                message = f"provided port is not in the valid range. The range of valid ports is {PORTS[0]}-{PORTS[-1]}"
                raise _refused(service, invalid_value(field, shown(wanted), message))
            elif wanted in used:
                raise _refused(service, invalid_value(field, shown(wanted), "provided port is already allocated"))
            used.add(wanted)
        if spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
            spec.setdefault("healthCheckNodePort", self._free(used))

    def _free(self, used: AbstractSet[Any]) -> int:
        for _ in PORTS:
            port = PORTS[self._next % len(PORTS)]
            self._next += 1
            if port not in used:
                return port
        raise ApiError(500, "InternalError", "failed to allocate a nodePort: range is full")


def _refused(service: Object, cause: Cause) -> ApiError:
    name = service["metadata"]["name"]
    details = {"name": name, "kind": "Service", "causes": [cause.as_dict()]}
    return ApiError(422, "Invalid", f'Service "{name}" is invalid: {cause.field}: {cause.message}', details)
