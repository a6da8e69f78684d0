"""The pods behind a Service, and what Endpoints and EndpointSlices say alike of them. Used by `endpoints` and `endpoint_slices`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.pods import has_ended
from projects.sim_cluster.behaviours.resources import PODS
from projects.sim_cluster.behaviours.unit import World

_HEADLESS: Final = "service.kubernetes.io/headless"
Ports = tuple[tuple[str, str, int, str | None], ...]


def pods_of(world: World, service: Object) -> Iterator[Object]:
    """Yield the pods behind a Service that have an address."""
    selector = service["spec"]["selector"].items()
    for pod in world.cache(PODS).in_namespace(service["metadata"]["namespace"]):
        status = pod.get("status") or {}
        if status.get("podIP") and not has_ended(pod) and selector <= labels_of(pod).items():
            yield pod


def ports_of(service: Object, pod: Object) -> Ports:
    """Return name, protocol, number and application of a Service's ports as a pod has them; it may lack some."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = port.get("targetPort") or port["port"]
        if isinstance(number, str):
            number = _named_port(pod, number, port["protocol"])
        if number is not None:
            found.append((port.get("name", ""), port["protocol"], number, port.get("appProtocol")))
    return tuple(found)


def _named_port(pod: Object, name: str, protocol: str) -> int | None:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None


def shown_ports(ports: Ports) -> list[Object]:
    """Return ports as EndpointSlices and Endpoints show them."""
    return [
        {"name": name, "protocol": protocol, "port": number} | ({"appProtocol": known} if known else {})
        for name, protocol, number, known in ports
    ]


def labels_for(service: Object) -> dict[str, str]:
    """Return the labels that what is made for a Service takes over from it."""
    headless = {_HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {}
    return {**labels_of(service), **headless}


def reference_to(pod: Object) -> Object:
    """Return what says which pod an address is of."""
    return {"kind": "Pod", **{key: pod["metadata"][key] for key in ("name", "namespace", "uid")}}


def hostname_of(service: Object, pod: Object) -> dict[str, str]:
    """Return under which name a Service's domain knows a pod, as a field; empty when it knows it under none."""
    spec = pod["spec"]
    is_named = spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]
    return {"hostname": spec["hostname"]} if is_named else {}
