"""What the level ``baseline`` of the Pod Security Standards forbids. The table of it all is `pod_security_checks`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.pod_security_pods import (
    LATEST,
    Found,
    Pod,
    Violation,
    named_containers,
    plural,
    quoted,
    unconfined,
    use,
    values_of,
)
from projects.sim_cluster.api.security_notes import APPARMOR, SECCOMP, SECCOMP_OF_CONTAINER

_DEFAULT_CAPABILITIES: Final = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
    "SETUID", "SYS_CHROOT",
})  # fmt: skip
#: The sysctls that are safe, and the SELinux types, with the version since which they are.
_SYSCTLS: Final[dict[str, int]] = {
    "kernel.shm_rmid_forced": 0, "net.ipv4.ip_local_port_range": 0, "net.ipv4.tcp_syncookies": 0, "net.ipv4.ping_group_range": 0,
    "net.ipv4.ip_unprivileged_port_start": 0, "net.ipv4.ip_local_reserved_ports": 27, "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_fin_timeout": 29, "net.ipv4.tcp_keepalive_intvl": 29, "net.ipv4.tcp_keepalive_probes": 29, "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
}  # fmt: skip
_SELINUX_TYPES: Final[dict[str, int]] = {
    "": 0, "container_t": 0, "container_init_t": 0, "container_kvm_t": 0, "container_engine_t": 31,
}  # fmt: skip


def app_armor(pod: Pod) -> Found:
    """Forbid AppArmor profiles that do not confine, by field and by annotation."""
    bad = unconfined("appArmorProfile")
    setters = pod.setters(lambda context: bad(context) is not None)
    noted = sorted(
        f"{key}={shown(value)}"
        for key, value in pod.notes.items()
        if key.startswith(APPARMOR) and value not in {"", "runtime/default"} and not value.startswith("localhost/")
    )
    setters += [plural("annotation", noted)] if noted else []
    if not setters:
        return None
    values = values_of(pod, bad) + noted
    detail = f"{' and '.join(setters)} must not set AppArmor profile type to {quoted(values)}"
    return Violation(plural("forbidden AppArmor profile", values), detail)


def _added(context: Object, allowed: Collection[str]) -> list[str]:
    return [name for name in (context.get("capabilities") or {}).get("add") or () if name not in allowed]


def too_capable(pod: Pod, allowed: Collection[str]) -> str:
    """Return which containers add capabilities that are not allowed; empty when none does."""
    names = pod.where(lambda context: _added(context, allowed))
    added = sorted({name for _, context in pod.containers() for name in _added(context, allowed)})
    say = f"{named_containers(names)} must not include {quoted(added)} in securityContext.capabilities.add"
    return say if names else ""


def capabilities(pod: Pod) -> Found:
    """Forbid capabilities beyond those that a container has by default."""
    detail = too_capable(pod, _DEFAULT_CAPABILITIES)
    return Violation("non-default capabilities", detail) if detail else None


def host_namespaces(pod: Pod) -> Found:
    """Forbid to share namespaces with the host."""
    shared = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(field)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def host_paths(pod: Pod) -> Found:
    """Forbid volumes that are directories of the host."""
    names = [volume["name"] for volume in pod.spec.get("volumes") or () if "hostPath" in volume]
    return Violation("hostPath volumes", f"{plural('volume', names)} {quoted(names)}") if names else None


def host_ports(pod: Pod) -> Found:
    """Forbid ports of the host."""
    names, ports = [], set()
    for container, _ in pod.containers():
        if own := {str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")}:
            names.append(container["name"])
            ports |= own
    if not names:
        return None
    what = f"{plural('hostPort', ports)} {', '.join(sorted(ports))}"
    return Violation("hostPort", f"{named_containers(names)} {use(names)} {what}")


def _hosts(container: Object) -> set[str]:
    """Return the hosts that the probes and the hooks of a container name."""
    probes = [container.get(field) for field in ("livenessProbe", "readinessProbe", "startupProbe")]
    hooks = [(container.get("lifecycle") or {}).get(field) for field in ("postStart", "preStop")]
    ends = [(handler or {}).get(way) for handler in (*probes, *hooks) for way in ("httpGet", "tcpSocket")]
    return {end["host"] for end in ends if end and end.get("host")}


def probed_hosts(pod: Pod) -> Found:
    """Forbid probes and hooks that reach elsewhere than into the pod."""
    by_name = {container["name"]: hosts for container, _ in pod.containers() if (hosts := _hosts(container))}
    if not by_name:
        return None
    hosts = set().union(*by_name.values())
    what = f"{plural('probe or lifecycle host', hosts)} {quoted(sorted(hosts))}"
    return Violation("probe or lifecycle host", f"{named_containers(sorted(by_name))} {use(by_name)} {what}")


def privileged(pod: Pod) -> Found:
    """Forbid privileged containers."""
    names = pod.where(lambda context: context.get("privileged"))
    return (
        Violation("privileged", f"{named_containers(names)} must not set securityContext.privileged=true")
        if names
        else None
    )


def proc_mount(pod: Pod) -> Found:
    """Forbid to see all of ``/proc``."""
    names = pod.where(_unmasked)
    values = values_of(pod, _unmasked)
    detail = f"{named_containers(names)} must not set securityContext.procMount to {quoted(values)}"
    return Violation("procMount", detail) if names else None


def _unmasked(context: Object) -> str | None:
    return context["procMount"] if context.get("procMount", "Default") != "Default" else None


def proc_mount_of_the_host(pod: Pod) -> Found:
    """Forbid it unless the users are not those of the host."""
    return None if pod.has_own_users else proc_mount(pod)


def selinux(pod: Pod) -> Found:
    """Forbid SELinux users, roles, and types that are not those of containers."""

    def bad_type(context: Object) -> str | None:
        kind = str((context.get("seLinuxOptions") or {}).get("type", ""))
        return kind if pod.version < _SELINUX_TYPES.get(kind, LATEST + 1) else None

    def sets(context: Object, field: str) -> bool:
        return bool((context.get("seLinuxOptions") or {}).get(field))

    setters = pod.setters(
        lambda context: bad_type(context) is not None or sets(context, "user") or sets(context, "role")
    )
    if not setters:
        return None
    types = values_of(pod, bad_type)
    said = [f"{plural('type', types)} {quoted(types)}"] if types else []
    contexts = [pod.context, *(context for _, context in pod.containers())]
    said += [f"{field} may not be set" for field in ("user", "role") if any(sets(each, field) for each in contexts)]
    detail = f"{' and '.join(setters)} set forbidden securityContext.seLinuxOptions: {'; '.join(said)}"
    return Violation("seLinuxOptions", detail)


def noted_seccomp(pod: Pod) -> Found:
    """Forbid annotations with seccomp profiles that do not confine."""
    keys = {SECCOMP, *(f"{SECCOMP_OF_CONTAINER}{container['name']}" for container, _ in pod.containers())}
    noted = [
        f"{key}={shown(value)}"
        for key in sorted(keys & pod.notes.keys())
        if (value := pod.notes[key]) not in {"runtime/default", "docker/default"} and not value.startswith("localhost/")
    ]
    return Violation("seccompProfile", f"forbidden {plural('annotation', noted)} {', '.join(noted)}") if noted else None


def seccomp(pod: Pod) -> Found:
    """Forbid seccomp profiles that do not confine."""
    bad = unconfined("seccompProfile")
    setters = pod.setters(lambda context: bad(context) is not None)
    detail = (
        f"{' and '.join(setters)} must not set securityContext.seccompProfile.type to {quoted(values_of(pod, bad))}"
    )
    return Violation("seccompProfile", detail) if setters else None


def sysctls(pod: Pod) -> Found:
    """Forbid sysctls that are not safe."""
    given = [sysctl["name"] for sysctl in pod.context.get("sysctls") or ()]
    names = [name for name in given if pod.version < _SYSCTLS.get(name, LATEST + 1)]
    return Violation("forbidden sysctls", ", ".join(names)) if names else None


def host_process(pod: Pod) -> Found:
    """Forbid Windows containers that are processes of the host."""
    setters = pod.setters(lambda context: (context.get("windowsOptions") or {}).get("hostProcess"))
    detail = f"{' and '.join(setters)} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", detail) if setters else None
