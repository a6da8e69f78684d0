"""What Services, Ingresses, NetworkPolicies and what they lead to must hold. Called by `validation` through `spec_checks`."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

from projects.sim_cluster.api.checks import (
    Causes,
    address,
    choice,
    duplicate,
    label_selector,
    needed,
    port,
    port_name,
    port_number,
)
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import dns_label, dns_label_1035, dns_subdomain, label_causes, shown

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_EXTERNAL: Final = ("NodePort", "LoadBalancer")
_LONGEST_AFFINITY: Final = 86400
_CIDR: Final = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_PREFIXED: Final = 'must be a domain-prefixed path (such as "acme.io/foo")'


def service(obj: Object) -> Causes:
    """Check a Service."""
    spec = obj.get("spec") or {}
    kind = spec.get("type", "ClusterIP")
    if not spec.get("ports") and spec.get("clusterIP") != "None" and kind != "ExternalName":
        yield required("spec.ports")
    if kind in _EXTERNAL and spec.get("clusterIP") == "None":
        yield invalid_value("spec.clusterIPs[0]", '"None"', f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        if name := spec.get("externalName"):
            yield from dns_subdomain(name.rstrip("."), "spec.externalName")
        else:
            yield required("spec.externalName")
    yield from _service_ports(spec, kind)
    yield from label_causes(spec.get("selector"), "spec.selector")
    yield from choice(spec.get("sessionAffinity"), "spec.sessionAffinity", ("ClientIP", "None"))
    yield from _affinity(spec)
    yield from _addresses(spec)
    yield from choice(kind, "spec.type", _TYPES)
    yield from _traffic(spec, kind)


def _service_ports(spec: Object, kind: str) -> Causes:
    ports = spec.get("ports") or ()
    names: set[str] = set()
    seen: list[tuple[Any, Any]] = []
    for index, entry in enumerate(ports):
        at, name = f"spec.ports[{index}]", entry.get("name", "")
        if not name and len(ports) > 1:
            yield required(f"{at}.name")
        elif name:
            yield from dns_label(name, f"{at}.name")
            if name in names:
                yield duplicate(name, f"{at}.name")
            names.add(name)
        yield from port_number(entry.get("port", 0), f"{at}.port")
        yield from choice(entry.get("protocol"), f"{at}.protocol", _PROTOCOLS)
        yield from port(entry.get("targetPort"), f"{at}.targetPort")
        if entry.get("nodePort") and kind not in _EXTERNAL:
            yield forbidden_change(f"{at}.nodePort", f"may not be used when `type` is '{kind}'")
    for index, entry in enumerate(ports):
        key = (entry.get("protocol"), entry.get("port"))
        if key in seen:
            said = {"Name": "", "Protocol": key[0], "AppProtocol": None, "Port": key[1], "TargetPort": 0, "NodePort": 0}
            yield duplicate(said, f"spec.ports[{index}]")
        seen.append(key)


def _affinity(spec: Object) -> Causes:
    seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if spec.get("sessionAffinity") == "ClientIP" and seconds is not None and not 0 < seconds <= _LONGEST_AFFINITY:
        message = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
        yield invalid_value("spec.sessionAffinityConfig.clientIP.timeoutSeconds", shown(seconds), message)


def _addresses(spec: Object) -> Causes:
    own = spec.get("clusterIP")
    if own and own != "None" and spec.get("type") != "ExternalName":
        yield from address(own, "spec.clusterIPs[0]")
    for index, given in enumerate(spec.get("externalIPs") or ()):
        yield from address(given, f"spec.externalIPs[{index}]")
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family == "IPv6" and own != "None":
            yield invalid_value(f"spec.ipFamilies[{index}]", shown(family), "not configured on this cluster")
    yield from choice(
        spec.get("ipFamilyPolicy"), "spec.ipFamilyPolicy", ("PreferDualStack", "RequireDualStack", "SingleStack")
    )


def _traffic(spec: Object, kind: str) -> Causes:
    ranges = spec.get("loadBalancerSourceRanges") or ()
    if ranges and kind != "LoadBalancer":
        yield forbidden_change("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'")
    for index, entry in enumerate(ranges):
        yield from cidr(entry, f"spec.LoadBalancerSourceRanges[{index}]")
    policy, health = spec.get("externalTrafficPolicy"), spec.get("healthCheckNodePort")
    if policy and kind not in _EXTERNAL and not spec.get("externalIPs"):
        message = "may only be set for externally-accessible services"
        yield invalid_value("spec.externalTrafficPolicy", shown(policy), message)
    else:
        yield from choice(policy, "spec.externalTrafficPolicy", ("Cluster", "Local"))
    if health and not (kind == "LoadBalancer" and policy == "Local"):
        message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid_value("spec.healthCheckNodePort", shown(health), message)
    yield from choice(spec.get("internalTrafficPolicy"), "spec.internalTrafficPolicy", ("Cluster", "Local"))


def cidr(value: str, field: str) -> Causes:
    """Check a network."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        yield invalid_value(field, shown(value), _CIDR)


def ingress(obj: Object) -> Causes:
    """Check an Ingress."""
    spec = obj.get("spec") or {}
    if not spec.get("rules") and "defaultBackend" not in spec:
        yield invalid_value("spec", "null", "either `defaultBackend` or `rules` must be specified")
    if "defaultBackend" in spec:
        yield from _backend(spec["defaultBackend"], "spec.defaultBackend")
    for index, rule in enumerate(spec.get("rules") or ()):
        yield from _ingress_rule(rule, f"spec.rules[{index}]")
    for index, entry in enumerate(spec.get("tls") or ()):
        for place, host in enumerate(entry.get("hosts") or ()):
            yield from _host(host, f"spec.tls[{index}].hosts[{place}]")
    if name := spec.get("ingressClassName"):
        yield from dns_subdomain(name, "spec.ingressClassName")


def _host(host: str, field: str) -> Causes:
    yield from dns_subdomain(host.removeprefix("*."), field)


def _ingress_rule(rule: Object, path: str) -> Causes:
    if host := rule.get("host"):
        if re.fullmatch(r"[\d.]+", host):
            yield invalid_value(f"{path}.host", shown(host), "must be a DNS name, not an IP address")
        else:
            yield from _host(host, f"{path}.host")
    if "http" in rule:
        found = rule["http"].get("paths")
        if not found:
            yield required(f"{path}.http.paths")
        for index, entry in enumerate(found or ()):
            yield from _ingress_path(entry, f"{path}.http.paths[{index}]")


def _ingress_path(entry: Object, path: str) -> Causes:
    kind, place = entry.get("pathType"), entry.get("path", "")
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
    elif kind in {"Exact", "Prefix"}:
        if not place.startswith("/"):
            yield invalid_value(f"{path}.path", shown(place), "must be an absolute path")
        for part in ("//", "/./", "/../", "%2f", "%2F"):
            if part in place:
                yield invalid_value(f"{path}.path", shown(place), f"must not contain '{part}'")
    elif kind == "ImplementationSpecific":
        if place and not place.startswith("/"):
            yield invalid_value(f"{path}.path", shown(place), "must be an absolute path")
    else:
        yield from choice(kind, f"{path}.pathType", ("Exact", "ImplementationSpecific", "Prefix"))
    yield from _backend(entry.get("backend") or {}, f"{path}.backend")


def _backend(backend: Object, path: str) -> Causes:
    target = backend.get("service")
    if "resource" in backend and target is not None:
        yield invalid_value(path, '""', "cannot set both resource and service backends")
    elif "resource" in backend:
        yield from needed(backend["resource"], f"{path}.resource", "kind", "name")
    elif target is None:
        yield invalid_value(path, '""', "resource or service backend is required")
    else:
        yield from _service_backend(target, path)


def _service_backend(target: Object, path: str) -> Causes:
    if not target.get("name"):
        yield required(f"{path}.service.name")
    else:
        yield from dns_label_1035(target["name"], f"{path}.service.name")
    given = target.get("port") or {}
    if given.get("name") and given.get("number"):
        yield invalid_value(path, '""', "cannot set both port name & port number")
    elif given.get("name"):
        yield from port_name(given["name"], f"{path}.service.port.name")
    elif given.get("number"):
        yield from port_number(given["number"], f"{path}.service.port.number")
    else:
        yield required(path, "port name or number is required")


def ingress_class(obj: Object) -> Causes:
    """Check an IngressClass."""
    controller = (obj.get("spec") or {}).get("controller", "")
    if not controller:
        yield required("spec.controller")
    elif not re.fullmatch(r"[^/]+\.[^/]+/.+", controller):
        yield invalid_value("spec.controller", shown(controller), _PREFIXED)


def network_policy(obj: Object) -> Causes:
    """Check a NetworkPolicy."""
    spec = obj.get("spec") or {}
    yield from label_selector(spec.get("podSelector"), "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            yield from _policy_rule(rule, f"spec.{direction}[{index}]", peers)
    for index, kind in enumerate(spec.get("policyTypes") or ()):
        yield from choice(kind, f"spec.policyTypes[{index}]", ("Ingress", "Egress"))


def _policy_rule(rule: Object, path: str, peers: str) -> Causes:
    for index, entry in enumerate(rule.get("ports") or ()):
        at = f"{path}.ports[{index}]"
        yield from choice(entry.get("protocol"), f"{at}.protocol", ("TCP", "UDP", "SCTP"))
        if "port" in entry:
            yield from port(entry["port"], f"{at}.port")
        end = entry.get("endPort")
        if end is not None and isinstance(entry.get("port"), int) and end < entry["port"]:
            yield invalid_value(f"{at}.endPort", shown(entry["port"]), "must be greater than or equal to `port`")
    for index, peer in enumerate(rule.get(peers) or ()):
        yield from _peer(peer, f"{path}.{peers}[{index}]")


def _peer(peer: Object, path: str) -> Causes:
    for key in ("podSelector", "namespaceSelector"):
        yield from label_selector(peer.get(key), f"{path}.{key}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _block(block, f"{path}.ipBlock")
        if len(peer) > 1:
            yield forbidden_change(path, "may not specify both ipBlock and another peer")
    elif not peer:
        yield required(path, "must specify a peer")


def _block(block: Object, path: str) -> Causes:
    whole = block.get("cidr", "")
    wrong: list[Cause] = [required(f"{path}.cidr")] if not whole else list(cidr(whole, f"{path}.cidr"))
    yield from wrong
    for index, part in enumerate(block.get("except") or ()):
        at = f"{path}.except[{index}]"
        found = list(cidr(part, at))
        yield from found
        if not found and not wrong:
            outer, inner = (ipaddress.ip_network(text, strict=False) for text in (whole, part))
            if outer.version != inner.version or outer == inner or not inner.subnet_of(outer):  # type: ignore[arg-type]
                yield invalid_value(at, shown(part), "must be a strict subset of `cidr`")


def endpoint_slice(obj: Object) -> Causes:
    """Check an EndpointSlice."""
    kind = obj.get("addressType")
    if not kind:
        yield required("addressType")
    else:
        yield from choice(kind, "addressType", ("FQDN", "IPv4", "IPv6"))
    for index, endpoint in enumerate(obj.get("endpoints") or ()):
        given = endpoint.get("addresses")
        if not given:
            yield required(f"endpoints[{index}].addresses", "must contain at least 1 address")
        for place, one in enumerate(given or ()):
            if kind in {"IPv4", "IPv6"}:
                yield from address(one, f"endpoints[{index}].addresses[{place}]")


def endpoints(obj: Object) -> Causes:
    """Check an Endpoints object."""
    for index, subset in enumerate(obj.get("subsets") or ()):
        at = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield required(at, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for place, entry in enumerate(subset.get(field) or ()):
                found = list(address(entry.get("ip", ""), f"{at}.{field}[{place}].ip"))
                yield from found
                for cause in found:
                    yield invalid_value(cause.field, shown(entry.get("ip", "")), "must be a valid IP address")
