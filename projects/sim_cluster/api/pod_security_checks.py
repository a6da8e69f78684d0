"""The checks of the Pod Security Standards: what a pod must not ask for at a level, in the words of the real server.

`pod_security` calls `violations` for each pod, and each template of one, that a labelled namespace gets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.security_notes import APPARMOR, SECCOMP, SECCOMP_OF_CONTAINER

#: The minor version whose checks are the latest.
LATEST: Final = 35
_ALWAYS: Final = range(LATEST + 1)
_NEVER: Final = range(0)
_KNOWS_WINDOWS: Final = 25  # the first version that asks of Windows pods only what there is on Windows
_KNOWS_USER_NAMESPACES: Final = 35  # the first that trusts pods whose users are not those of the host
_DEFAULT_CAPABILITIES: Final = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
    "SETUID", "SYS_CHROOT",
})  # fmt: skip
_VOLUMES: Final = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
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
_CONFINED: Final = frozenset({"RuntimeDefault", "Localhost"})


class Violation(NamedTuple):
    """What a pod must not do: in a word, and with where it does so."""

    reason: str
    detail: str


@dataclass(frozen=True)
class _Pod:
    """A pod that is looked at by the rules of one version."""

    notes: dict[str, str]
    spec: Object
    version: int

    @property
    def context(self) -> Object:
        return self.spec.get("securityContext") or {}

    def containers(self) -> Iterator[tuple[Object, Object]]:
        """Yield each container with its security context."""
        for field in ("initContainers", "containers", "ephemeralContainers"):
            for container in self.spec.get(field) or ():
                yield container, container.get("securityContext") or {}

    def where(self, wrong: Callable[[Object], Any]) -> list[str]:
        """Return the names of the containers whose security context is wrong."""
        return [container["name"] for container, context in self.containers() if wrong(context)]

    def setters(self, wrong: Callable[[Object], Any]) -> list[str]:
        """Return who has a wrong security context: the pod as a whole, some of its containers."""
        found = ["pod"] if wrong(self.context) else []
        return found + ([_containers(names)] if (names := self.where(wrong)) else [])

    @property
    def on_windows(self) -> bool:
        return self.version >= _KNOWS_WINDOWS and (self.spec.get("os") or {}).get("name") == "windows"

    @property
    def has_own_users(self) -> bool:
        return self.version >= _KNOWS_USER_NAMESPACES and self.spec.get("hostUsers") is False


Found = Violation | None


def violations(notes: dict[str, str], spec: Object, level: str, version: int) -> list[Violation]:
    """Return how a pod with these annotations and this spec breaks a level, ``baseline`` or ``restricted``, of a version."""
    version = min(version, LATEST)
    pod = _Pod(notes, spec, version)
    checks = [rule.check for rule in _RULES if version in (rule.baseline if level == "baseline" else rule.restricted)]
    return [found for check in checks if (found := check(pod)) is not None]


def _quoted(items: Iterable[str]) -> str:
    return ", ".join(f'"{item}"' for item in items)


def _plural(word: str, items: Collection[Any]) -> str:
    return word if len(items) == 1 else f"{word}s"


def _use(items: Collection[Any]) -> str:
    return "uses" if len(items) == 1 else "use"


def _containers(names: list[str]) -> str:
    return f"{_plural('container', names)} {_quoted(names)}"


def _values(pod: _Pod, value: Callable[[Object], str | None]) -> list[str]:
    """Return what the pod and its containers set, each once."""
    contexts = [pod.context, *(context for _, context in pod.containers())]
    return sorted({found for context in contexts if (found := value(context)) is not None})


def _unconfined(field: str) -> Callable[[Object], str | None]:
    """Return what tells the type of a profile that does not confine."""

    def bad(context: Object) -> str | None:
        profile = context.get(field)
        return None if profile is None or profile.get("type") in _CONFINED else str(profile.get("type", ""))

    return bad


def _app_armor(pod: _Pod) -> Found:
    bad = _unconfined("appArmorProfile")
    setters = pod.setters(lambda context: bad(context) is not None)
    noted = sorted(
        f"{key}={shown(value)}"
        for key, value in pod.notes.items()
        if key.startswith(APPARMOR) and value not in {"", "runtime/default"} and not value.startswith("localhost/")
    )
    setters += [_plural("annotation", noted)] if noted else []
    if not setters:
        return None
    values = _values(pod, bad) + noted
    detail = f"{' and '.join(setters)} must not set AppArmor profile type to {_quoted(values)}"
    return Violation(_plural("forbidden AppArmor profile", values), detail)


def _added(context: Object, allowed: Collection[str]) -> list[str]:
    return [name for name in (context.get("capabilities") or {}).get("add") or () if name not in allowed]


def _too_capable(pod: _Pod, allowed: Collection[str]) -> str:
    names = pod.where(lambda context: _added(context, allowed))
    added = sorted({name for _, context in pod.containers() for name in _added(context, allowed)})
    say = f"{_containers(names)} must not include {_quoted(added)} in securityContext.capabilities.add"
    return say if names else ""


def _baseline_capabilities(pod: _Pod) -> Found:
    detail = _too_capable(pod, _DEFAULT_CAPABILITIES)
    return Violation("non-default capabilities", detail) if detail else None


def _restricted_capabilities(pod: _Pod) -> Found:
    if pod.on_windows:
        return None
    keeping = pod.where(lambda context: "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()))
    details = [f'{_containers(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    details += [added] if (added := _too_capable(pod, {"NET_BIND_SERVICE"})) else []
    return Violation("unrestricted capabilities", "; ".join(details)) if details else None


def _host_namespaces(pod: _Pod) -> Found:
    shared = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(field)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def _host_paths(pod: _Pod) -> Found:
    names = [volume["name"] for volume in pod.spec.get("volumes") or () if "hostPath" in volume]
    return Violation("hostPath volumes", f"{_plural('volume', names)} {_quoted(names)}") if names else None


def _volumes(pod: _Pod) -> Found:
    names, types = [], set()
    for volume in pod.spec.get("volumes") or ():
        if _VOLUMES.isdisjoint(volume):
            names.append(volume["name"])
            types.add(next((key for key in volume if key != "name"), "unknown"))
    if not names:
        return None
    what = f"{_plural('restricted volume type', types)} {_quoted(sorted(types))}"
    return Violation("restricted volume types", f"{_plural('volume', names)} {_quoted(names)} {_use(names)} {what}")


def _host_ports(pod: _Pod) -> Found:
    names, ports = [], set()
    for container, _ in pod.containers():
        if own := {str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")}:
            names.append(container["name"])
            ports |= own
    if not names:
        return None
    what = f"{_plural('hostPort', ports)} {', '.join(sorted(ports))}"
    return Violation("hostPort", f"{_containers(names)} {_use(names)} {what}")


def _hosts(container: Object) -> set[str]:
    """Return the hosts that the probes and the hooks of a container name."""
    probes = [container.get(field) for field in ("livenessProbe", "readinessProbe", "startupProbe")]
    hooks = [(container.get("lifecycle") or {}).get(field) for field in ("postStart", "preStop")]
    ends = [(handler or {}).get(way) for handler in (*probes, *hooks) for way in ("httpGet", "tcpSocket")]
    return {end["host"] for end in ends if end and end.get("host")}


def _probed_hosts(pod: _Pod) -> Found:
    by_name = {container["name"]: hosts for container, _ in pod.containers() if (hosts := _hosts(container))}
    if not by_name:
        return None
    hosts = set().union(*by_name.values())
    what = f"{_plural('probe or lifecycle host', hosts)} {_quoted(sorted(hosts))}"
    return Violation("probe or lifecycle host", f"{_containers(sorted(by_name))} {_use(by_name)} {what}")


def _privileged(pod: _Pod) -> Found:
    names = pod.where(lambda context: context.get("privileged"))
    return (
        Violation("privileged", f"{_containers(names)} must not set securityContext.privileged=true") if names else None
    )


def _proc_mount(pod: _Pod) -> Found:
    names = pod.where(_unmasked)
    values = _values(pod, _unmasked)
    detail = f"{_containers(names)} must not set securityContext.procMount to {_quoted(values)}"
    return Violation("procMount", detail) if names else None


def _unmasked(context: Object) -> str | None:
    return context["procMount"] if context.get("procMount", "Default") != "Default" else None


def _baseline_proc_mount(pod: _Pod) -> Found:
    return None if pod.has_own_users else _proc_mount(pod)


def _selinux(pod: _Pod) -> Found:
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
    types = _values(pod, bad_type)
    said = [f"{_plural('type', types)} {_quoted(types)}"] if types else []
    contexts = [pod.context, *(context for _, context in pod.containers())]
    said += [f"{field} may not be set" for field in ("user", "role") if any(sets(each, field) for each in contexts)]
    detail = f"{' and '.join(setters)} set forbidden securityContext.seLinuxOptions: {'; '.join(said)}"
    return Violation("seLinuxOptions", detail)


def _noted_seccomp(pod: _Pod) -> Found:
    keys = {SECCOMP, *(f"{SECCOMP_OF_CONTAINER}{container['name']}" for container, _ in pod.containers())}
    noted = [
        f"{key}={shown(value)}"
        for key in sorted(keys & pod.notes.keys())
        if (value := pod.notes[key]) not in {"runtime/default", "docker/default"} and not value.startswith("localhost/")
    ]
    return (
        Violation("seccompProfile", f"forbidden {_plural('annotation', noted)} {', '.join(noted)}") if noted else None
    )


def _seccomp(pod: _Pod) -> Found:
    bad = _unconfined("seccompProfile")
    setters = pod.setters(lambda context: bad(context) is not None)
    detail = f"{' and '.join(setters)} must not set securityContext.seccompProfile.type to {_quoted(_values(pod, bad))}"
    return Violation("seccompProfile", detail) if setters else None


def _restricted_seccomp(pod: _Pod) -> Found:
    if pod.on_windows:
        return None
    found = _seccomp(pod)
    if found is not None or pod.context.get("seccompProfile") is not None:
        return found
    names = pod.where(lambda context: context.get("seccompProfile") is None)
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {_containers(names)} {must}") if names else None


def _sysctls(pod: _Pod) -> Found:
    given = [sysctl["name"] for sysctl in pod.context.get("sysctls") or ()]
    names = [name for name in given if pod.version < _SYSCTLS.get(name, LATEST + 1)]
    return Violation("forbidden sysctls", ", ".join(names)) if names else None


def _host_process(pod: _Pod) -> Found:
    setters = pod.setters(lambda context: (context.get("windowsOptions") or {}).get("hostProcess"))
    detail = f"{' and '.join(setters)} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", detail) if setters else None


def _escalation(pod: _Pod) -> Found:
    names = [] if pod.on_windows else pod.where(lambda context: context.get("allowPrivilegeEscalation") is not False)
    detail = f"{_containers(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail) if names else None


def _root_allowed(pod: _Pod) -> Found:
    if pod.has_own_users:
        return None
    reason = "runAsNonRoot != true"
    if setters := pod.setters(lambda context: context.get("runAsNonRoot") is False):
        return Violation(reason, f"{' and '.join(setters)} must not set securityContext.runAsNonRoot=false")
    names = [] if pod.context.get("runAsNonRoot") else pod.where(lambda context: context.get("runAsNonRoot") is None)
    detail = f"pod or {_containers(names)} must set securityContext.runAsNonRoot=true"
    return Violation(reason, detail) if names else None


def _root(pod: _Pod) -> Found:
    setters = [] if pod.has_own_users else pod.setters(lambda context: context.get("runAsUser") == 0)
    return Violation("runAsUser=0", f"{' and '.join(setters)} must not set runAsUser=0") if setters else None


class _Rule(NamedTuple):
    """A check, and the versions in which each level holds it."""

    check: Callable[[_Pod], Found]
    baseline: range = _ALWAYS
    restricted: range = _ALWAYS


def _since(version: int) -> range:
    return range(version, LATEST + 1)


#: In the order in which the real server lists them. What `restricted` checks more strictly it does not check twice.
_RULES: Final = (
    _Rule(_app_armor),
    _Rule(_baseline_capabilities, restricted=range(22)),
    _Rule(_host_namespaces),
    _Rule(_host_paths, restricted=_NEVER),
    _Rule(_host_ports),
    _Rule(_probed_hosts, _since(34), _since(34)),
    _Rule(_privileged),
    _Rule(_baseline_proc_mount, restricted=range(_KNOWS_USER_NAMESPACES)),
    _Rule(_selinux),
    _Rule(_noted_seccomp, range(19), range(19)),
    _Rule(_seccomp, _since(19), _NEVER),
    _Rule(_sysctls),
    _Rule(_host_process),
    _Rule(_escalation, _NEVER, _since(8)),
    _Rule(_restricted_capabilities, _NEVER, _since(22)),
    _Rule(_proc_mount, _NEVER, _since(_KNOWS_USER_NAMESPACES)),
    _Rule(_volumes, _NEVER),
    _Rule(_root_allowed, _NEVER),
    _Rule(_root, _NEVER, _since(23)),
    _Rule(_restricted_seccomp, _NEVER, _since(19)),
)
