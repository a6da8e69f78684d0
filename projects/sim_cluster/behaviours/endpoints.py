"""Endpoints (``v1``), which EndpointSlices have replaced and old clients still read: one object for each Service that selects pods."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.cache import key_of
from projects.sim_cluster.behaviours.endpoint_slices import services_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.pods import is_ready
from projects.sim_cluster.behaviours.resources import ENDPOINTS, PODS, SERVICES
from projects.sim_cluster.behaviours.service_pods import (
    Ports,
    hostname_of,
    labels_for,
    pods_of,
    ports_of,
    reference_to,
    shown_ports,
)
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World

_MANAGED_BY: Final = "endpoints.kubernetes.io/managed-by"


async def publish(world: World, service: Object) -> None:
    """Bring the Endpoints of a Service in line with its pods; they go with it, by its name."""
    if not service["spec"].get("selector") or service["metadata"].get("deletionTimestamp"):
        return
    known = world.cache(ENDPOINTS).get(*key_of(service))
    subsets = _subsets(world, service)
    if known is None:
        await world.ensure(ENDPOINTS, _endpoints(service, subsets))
    elif (known.get("subsets") or []) != subsets:
        await world.patch(ENDPOINTS, known, {"subsets": subsets or None})


def _endpoints(service: Object, subsets: list[Object]) -> Object:
    metadata = service["metadata"]
    labels = labels_for(service) | {_MANAGED_BY: "endpoint-controller"}
    named = {"name": metadata["name"], "namespace": metadata["namespace"], "labels": labels}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": named, "subsets": subsets}


def _subsets(world: World, service: Object) -> list[Object]:
    groups: dict[Ports, dict[str, list[Object]]] = {}
    for pod in pods_of(world, service):
        if pod["metadata"].get("deletionTimestamp"):
            continue
        ready = is_ready(pod) or service["spec"].get("publishNotReadyAddresses")
        group = groups.setdefault(ports_of(service, pod), {})
        group.setdefault("addresses" if ready else "notReadyAddresses", []).append(_address(service, pod))
    return [
        {key: sorted(found, key=lambda each: str(each["ip"])) for key, found in group.items()}
        | {"ports": _named(ports)}
        for ports, group in sorted(groups.items(), key=str)
    ]


def _named(ports: Ports) -> list[Object]:
    return [{key: value for key, value in each.items() if value != ""} for each in shown_ports(ports)]


def _address(service: Object, pod: Object) -> Object:
    found = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": reference_to(pod)}
    return found | hostname_of(service, pod)


async def let_go(world: World, endpoints: Object) -> None:
    """Delete Endpoints whose Service is gone."""
    managed = labels_of(endpoints).get(_MANAGED_BY)
    if managed and world.cache(SERVICES).get(*key_of(endpoints)) is None:
        await world.delete(ENDPOINTS, endpoints)


ENDPOINT: Final = Behaviour(
    "endpoints",
    SERVICES,
    publish,
    woken_by=(Wake(PODS, services_of),),
    reads=(ENDPOINTS,),
    component="endpoint-controller",
)
STRAY_ENDPOINT: Final = Behaviour(
    "stray endpoints", ENDPOINTS, let_go, woken_by=(Wake(SERVICES, lambda _world, service: [key_of(service)]),)
)
