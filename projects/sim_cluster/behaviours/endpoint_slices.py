"""EndpointSlices: which pods stand behind a Service, at which ports; a hundred to a slice, as the real controller cuts them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, Final

from projects.sim_cluster.behaviours.cache import Key, key_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.pods import is_ready
from projects.sim_cluster.behaviours.resources import ENDPOINT_SLICES, NODES, PODS, SERVICES
from projects.sim_cluster.behaviours.service_pods import (
    Ports,
    hostname_of,
    labels_for,
    pods_of,
    ports_of,
    reference_to,
    shown_ports,
)
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys, owner_reference

_MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
_MANAGER: Final = "endpointslice-controller.k8s.io"
_SERVICE: Final = "kubernetes.io/service-name"
_ZONE: Final = "topology.kubernetes.io/zone"
_MOST: Final = 100
_TURNS: Final = 4


async def publish(world: World, service: Object) -> None:
    """Bring the slices of a Service in line with its pods.

    The more slices there are the more others get their turn first: what thousands of pods do meanwhile is then one change.
    """
    for _ in range(_TURNS * (len(_slices(world, service)) - 1)):
        await world.cluster.sleep(0)
    now = world.cache(SERVICES).get(*key_of(service))
    if now is None or now["metadata"].get("deletionTimestamp") or not now["spec"].get("selector"):
        return
    await _reconcile(world, now)


def _slices(world: World, service: Object) -> list[Object]:
    owned = world.cache(ENDPOINT_SLICES).owned_by(service)
    return [each for each in owned if labels_of(each).get(_MANAGED_BY) == _MANAGER]


async def _reconcile(world: World, service: Object) -> None:
    known = _slices(world, service)
    found = _wanted(world, service)
    if len(found) == len(known) and _ends(found) and _ends(found) == _ends(known):
        return  # in which order they stand, and in which slice, is all the same
    for wanted, old in zip_longest(found, known):
        if wanted is None:
            await world.delete(ENDPOINT_SLICES, old)
        elif old is None:
            await world.create(ENDPOINT_SLICES, wanted)
        elif any((old.get(key) or []) != wanted[key] for key in ("endpoints", "ports")):
            await world.patch(ENDPOINT_SLICES, old, {key: wanted[key] for key in ("endpoints", "ports")})


def _ends(slices: list[Object]) -> dict[str, tuple[Object, list[Object]]]:
    """Return what stands in some slices by the pods of it."""
    return {
        (endpoint.get("targetRef") or {}).get("uid", ""): (endpoint, each.get("ports") or [])
        for each in slices
        for endpoint in each.get("endpoints") or ()
    }


def _wanted(world: World, service: Object) -> list[Object]:
    """Return the slices that a Service should have: those of pods with the same ports together, at least one."""
    groups: dict[Ports, list[Object]] = {}
    for pod in pods_of(world, service):
        groups.setdefault(ports_of(service, pod), []).append(_endpoint(world, service, pod))
    return [
        _slice(service, ports, found[first : first + _MOST])
        for ports, found in sorted(groups.items(), key=str)
        for first in range(0, len(found), _MOST)
    ] or [_slice(service, (), [])]


def _endpoint(world: World, service: Object, pod: Object) -> Object:
    node = pod["spec"]["nodeName"]
    serving, leaving = is_ready(pod), bool(pod["metadata"].get("deletionTimestamp"))
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not leaving)
    endpoint: dict[str, Any] = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": leaving},
        "nodeName": node,
        "targetRef": reference_to(pod),
        **hostname_of(service, pod),
    }
    if zone := labels_of(world.cache(NODES).get("", node) or {"metadata": {}}).get(_ZONE):
        endpoint["zone"] = zone
    return endpoint


def _slice(service: Object, ports: Ports, endpoints: list[Object]) -> Object:
    metadata = service["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": labels_for(service) | {_MANAGED_BY: _MANAGER, _SERVICE: metadata["name"]},
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": (service["spec"].get("ipFamilies") or ["IPv4"])[0],
        "endpoints": endpoints,
        "ports": shown_ports(ports),
    }


def services_of(world: World, pod: Object) -> Iterable[Key]:
    """Wake the Services that select a pod, and those whose slices still hold it."""
    namespace, name = key_of(pod)
    labels = labels_of(pod).items()
    for service in world.cache(SERVICES).in_namespace(namespace):
        selector = service["spec"].get("selector")
        if selector and (selector.items() <= labels or _holds(world, service, name)):
            yield key_of(service)


def _holds(world: World, service: Object, pod: str) -> bool:
    return any(
        endpoint["targetRef"]["name"] == pod
        for each in world.cache(ENDPOINT_SLICES).owned_by(service)
        for endpoint in each.get("endpoints") or ()
        if "targetRef" in endpoint
    )


ENDPOINT_SLICE: Final = Behaviour(
    "endpoint slices",
    SERVICES,
    publish,
    woken_by=(Wake(PODS, services_of), Wake(ENDPOINT_SLICES, owner_keys)),
    reads=(NODES,),
    component="endpoint-slice-controller",
)
