"""What a pod's spec must hold, in a Pod or in a template. Called by `validation`."""

from __future__ import annotations

import re
from typing import Final

from projects.sim_cluster.api.checks import Causes, address, between, choice, user_id
from projects.sim_cluster.api.container_validation import containers, init_containers, seccomp_profile
from projects.sim_cluster.api.errors import forbidden_change, invalid_value, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import dns_label, dns_subdomain, key_causes, shown
from projects.sim_cluster.api.scheduling_validation import placement
from projects.sim_cluster.api.volume_validation import volumes

RESTART: Final = ("Always", "OnFailure", "Never")
_DNS: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_LARGEST: Final = 2**31 - 1
_SYSCTL: Final = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"


def pod_spec(spec: Object, path: str) -> Causes:
    """Check a pod's spec."""
    yield from volumes(spec, path)
    yield from containers(spec, path)
    yield from init_containers(spec, path)
    yield from _masks(spec, path)
    yield from choice(spec.get("restartPolicy"), f"{path}.restartPolicy", RESTART)
    yield from _names(spec, path)
    yield from _network(spec, path)
    yield from _security(spec, path)
    yield from placement(spec, path)
    yield from _gates(spec, path)
    if (deadline := spec.get("activeDeadlineSeconds")) is not None:
        yield from between(deadline, f"{path}.activeDeadlineSeconds", 1, _LARGEST)
    if "os" in spec:
        yield from choice(spec["os"].get("name", ""), f"{path}.os", ("linux", "windows"))


def _names(spec: Object, path: str) -> Causes:
    for field in ("nodeName", "serviceAccountName", "runtimeClassName", "priorityClassName"):
        if spec.get(field):
            yield from dns_subdomain(spec[field], f"{path}.{field}")
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            yield from dns_label(spec[field], f"{path}.{field}")


def _network(spec: Object, path: str) -> Causes:
    policy = spec.get("dnsPolicy")
    yield from choice(policy, f"{path}.dnsPolicy", _DNS)
    servers = (spec.get("dnsConfig") or {}).get("nameservers") or ()
    if policy == "None" and not spec.get("dnsConfig"):
        yield required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    elif policy == "None" and not servers:
        message = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{path}.dnsConfig.nameservers", message)
    for index, server in enumerate(servers):
        yield from address(server, f"{path}.dnsConfig.nameservers[{index}]")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        yield from address(alias.get("ip", ""), f"{path}.hostAliases[{index}].ip")


def _security(spec: Object, path: str) -> Causes:
    context = spec.get("securityContext") or {}
    at = f"{path}.securityContext"
    for key in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from user_id(context.get(key), f"{at}.{key}")
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        yield from user_id(group, f"{at}.supplementalGroups[{index}]")
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        message = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid_value(f"{at}.shareProcessNamespace", "true", message)
    for index, setting in enumerate(context.get("sysctls") or ()):
        yield from _sysctl(setting.get("name", ""), f"{at}.sysctls[{index}].name")
    yield from seccomp_profile(context.get("seccompProfile"), f"{at}.seccompProfile")


def _masks(spec: Object, path: str) -> Causes:
    """Check that who sees all of ``/proc`` has users of their own."""
    for field in ("initContainers", "containers") if spec.get("hostUsers") is not False else ():
        for index, container in enumerate(spec.get(field) or ()):
            if (container.get("securityContext") or {}).get("procMount") == "Unmasked":
                at = f"{path}.{field}[{index}].securityContext.procMount"
                yield invalid_value(at, '"Unmasked"', "`hostUsers` must be false to use `Unmasked`")


def _sysctl(name: str, path: str) -> Causes:
    if not name:
        yield required(path)
    elif not re.fullmatch(_SYSCTL, name):
        yield invalid_value(path, shown(name), f"must have at most 253 characters and match regex ^{_SYSCTL}$")


def _gates(spec: Object, path: str) -> Causes:
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        yield from key_causes(gate.get("conditionType", ""), f"{path}.readinessGates[{index}].conditionType")
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        yield from key_causes(gate.get("name", ""), f"{path}.schedulingGates[{index}]")


def new_pod(spec: Object, path: str) -> Causes:
    """Check what a Pod may not have when it is made."""
    if spec.get("ephemeralContainers"):
        yield forbidden_change(f"{path}.ephemeralContainers", "cannot be set on create")
