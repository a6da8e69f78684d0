"""Pods that break the Pod Security Standards, each in one way or in several, and some that do not. Asked of both APIs."""

from typing import Any

Body = dict[str, Any]
_SECURE: Body = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_PROBED: Body = {"httpGet": {"port": 80, "host": "10.0.0.1"}}
#: What fulfils all of `restricted`.
SECURE: Body = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{"name": "c", "image": "i", "securityContext": _SECURE}]}  # fmt: skip


def pod(spec: Body, name: str = "p", **annotations: str) -> Body:
    """Return a pod; no node takes it."""
    metadata = {"name": name} | ({"annotations": annotations} if annotations else {})
    return {"metadata": metadata, "spec": {"schedulerName": "nobody", **spec}}


def _with(**changes: Any) -> Body:
    return SECURE | changes


def _context(**changes: Any) -> Body:
    return _with(securityContext=SECURE["securityContext"] | changes)


def _container(name: str = "c", security: Body | None = None, **changes: Any) -> Body:
    return {"name": name, "image": "i", "securityContext": _SECURE | (security or {}), **changes}


def _one(security: Body | None = None, **changes: Any) -> Body:
    return _with(containers=[_container("c", security, **changes)])


def _all(security: Body, **changes: Any) -> Body:
    """Return a pod whose three containers are wrong in one way."""
    return _with(
        initContainers=[_container("i", security)], containers=[_container(name, security) for name in "cd"], **changes
    )


BARE: Body = {"containers": [{"name": "c", "image": "i"}]}
_WINDOWS_OPTIONS: Body = {"windowsOptions": {"hostProcess": True}}
_VOLUMES: dict[str, Body] = {
    "a": {"hostPath": {"path": "/"}}, "b": {"nfs": {"server": "s", "path": "/"}}, "c": {"emptyDir": {}}, "d": {"hostPath": {"path": "/etc"}},
    "e": {"iscsi": {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:s", "lun": 0}}, "f": {"image": {"reference": "i"}},
    "g": {"csi": {"driver": "d.example.com"}}, "h": {"secret": {"secretName": "s"}}, "i": {"configMap": {"name": "m"}},
    "j": {"projected": {"sources": [{"secret": {"name": "s"}}]}}, "k": {"persistentVolumeClaim": {"claimName": "c"}},
    "l": {"downwardAPI": {"items": []}}, "m": {"fc": {"wwids": ["w"]}}, "n": {"cephfs": {"monitors": ["m"]}},
    "o": {"flexVolume": {"driver": "k/d"}}, "p": {"rbd": {"monitors": ["m"], "image": "i"}}, "q": {"azureFile": {"secretName": "s", "shareName": "x"}},
    "r": {"glusterfs": {"endpoints": "e", "path": "p"}}, "s": {"gitRepo": {"repository": "r"}},
    "t": {"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}}}}},
    "u": {"awsElasticBlockStore": {"volumeID": "v"}}, "v": {"gcePersistentDisk": {"pdName": "d"}}, "w": {"vsphereVolume": {"volumePath": "p"}},
    "x": {"azureDisk": {"diskName": "d", "diskURI": "https://blob.core.windows.net/c/d.vhd"}}, "y": {"cinder": {"volumeID": "v"}}, "z": {"portworxVolume": {"volumeID": "v"}},
    "za": {"quobyte": {"registry": "r:1", "volume": "v"}}, "zb": {"flocker": {"datasetName": "d"}}, "zc": {"storageos": {"volumeName": "v"}},
    "zd": {"scaleIO": {"gateway": "g", "system": "s", "volumeName": "v", "secretRef": {"name": "s"}}},
}  # fmt: skip


def _volumes(*names: str) -> Body:
    return _with(volumes=[{"name": name, **_VOLUMES[name]} for name in names])


SPECS: list[Body] = [
    SECURE, BARE,
    _with(hostNetwork=True), _with(hostPID=True), _with(hostIPC=True), _with(hostNetwork=True, hostPID=True, hostIPC=True),
    _one({"privileged": True, "allowPrivilegeEscalation": True}), _all({"privileged": True, "allowPrivilegeEscalation": None}),
    *({**BARE, "securityContext": {"runAsNonRoot": right, "runAsUser": user}} for right, user in ((True, 1), (False, 0), (None, 0))),
    # capabilities
    _one({"capabilities": {"add": ["NET_RAW", "CHOWN"]}}), _one({"capabilities": {"add": ["CHOWN"], "drop": ["ALL"]}}),
    _one({"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}), _all({"capabilities": {"add": ["SYS_ADMIN", "NET_ADMIN"]}}),
    _one({"capabilities": {"add": ["ALL"], "drop": ["all"]}}), _one({"capabilities": None}), _one({"capabilities": {"drop": ["CHOWN", "ALL"]}}),
    _with(containers=[_container("c", {"capabilities": {"add": ["SYS_TIME"], "drop": ["ALL"]}}), _container("d", {"capabilities": {}})]),
    # volumes
    *(_volumes(name) for name in _VOLUMES), _volumes("a", "d"), _volumes(*_VOLUMES), _volumes("b", "e", "e".replace("e", "d")),
    # ports
    _one(ports=[{"containerPort": 80, "hostPort": 8080}]), _one(ports=[{"containerPort": 80}]),
    _one(ports=[{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81, "hostPort": 808}, {"containerPort": 82, "hostPort": 9}]),
    _with(initContainers=[_container("i", None, ports=[{"containerPort": 1, "hostPort": 9}])],
          containers=[_container("c", None, ports=[{"containerPort": 80, "hostPort": 80}])]),
    _with(hostNetwork=True, containers=[_container("c", None, ports=[{"containerPort": 80}])]),
    # probes and hooks that reach elsewhere
    _one(livenessProbe=_PROBED), _one(readinessProbe={"tcpSocket": {"port": 80, "host": "b"}}), _one(startupProbe=_PROBED),
    _one(livenessProbe={"httpGet": {"port": 80}}, lifecycle={"preStop": {"exec": {"command": ["a"]}}}),
    _one(lifecycle={"postStart": {"httpGet": {"port": 80, "host": "z"}}, "preStop": {"tcpSocket": {"port": 80, "host": "a"}}}),
    _with(containers=[_container("d", None, livenessProbe=_PROBED), _container("c", None, startupProbe={"tcpSocket": {"port": 1, "host": "q"}})]),
    # profiles of the host
    *(_context(appArmorProfile={"type": kind}) for kind in ("Unconfined", "RuntimeDefault")),
    _context(appArmorProfile={"type": "Localhost", "localhostProfile": "x"}), _one({"appArmorProfile": {"type": "Unconfined"}}),
    _all({"appArmorProfile": {"type": "Unconfined"}}, securityContext={"appArmorProfile": {"type": "Unconfined"}}),
    *(_context(seLinuxOptions=options) for options in (
        {"type": "container_t"}, {"type": "spc_t"}, {"type": "container_engine_t"}, {"user": "u"}, {"role": "r"}, {"level": "s0"},
        {"type": "x", "user": "u", "role": "r"}, {"user": "u", "role": "r"}, {"type": "container_init_t"}, {"type": "container_kvm_t"})),
    _all({"seLinuxOptions": {"type": "x"}}, securityContext={"seLinuxOptions": {"type": "y", "user": "z"}}), _one({"seLinuxOptions": {"role": "r"}}),
    _one({"seLinuxOptions": {}}), _one({"procMount": "Default"}), _one({"procMount": "Unmasked"}),
    _with(hostUsers=False, containers=[_container("c", {"procMount": "Unmasked"})]), _all({"procMount": "Unmasked"}, hostUsers=False),
    # seccomp
    *(_context(seccompProfile=profile) for profile in (
        None, {"type": "Unconfined"}, {"type": "RuntimeDefault"}, {"type": "Localhost", "localhostProfile": "x"})),
    _one({"seccompProfile": {"type": "Unconfined"}}), _all({"seccompProfile": {"type": "Unconfined"}}),
    _all({"seccompProfile": {"type": "Unconfined"}}, securityContext={"seccompProfile": {"type": "Unconfined"}}),
    _with(securityContext=None, containers=[_container("c", {"seccompProfile": {"type": "RuntimeDefault"}, "runAsNonRoot": True}), _container("d")]),
    # sysctls
    *(_context(sysctls=[{"name": name, "value": "1"} for name in names]) for names in (
        ["kernel.shm_rmid_forced"], ["kernel.msgmax"], ["net.ipv4.ip_local_reserved_ports"], ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"],
        ["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"],
        ["net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"],
        ["kernel.sem", "kernel.msgmax"], ["net/ipv4/tcp_syncookies"])),
    # users
    *(_context(**user) for user in ({"runAsUser": 0}, {"runAsUser": 1}, {"runAsNonRoot": False}, {"runAsNonRoot": None})),
    _one({"runAsUser": 0}), _one({"runAsNonRoot": False}), _all({"runAsUser": 0, "runAsNonRoot": False}),
    _all({"runAsNonRoot": False, "runAsUser": 0}, securityContext={"runAsNonRoot": False, "runAsUser": 0}),
    _with(securityContext={"seccompProfile": {"type": "RuntimeDefault"}},
          containers=[_container("c", {"runAsNonRoot": True}), _container("d"), _container("e")]),
    *(_with(hostUsers=users, securityContext={"runAsNonRoot": False, "runAsUser": 0}) for users in (True, False)),
    # Windows
    {**BARE, "os": {"name": "windows"}}, _with(os={"name": "linux"}),
    {**BARE, "os": {"name": "windows"}, "hostNetwork": True, "securityContext": _WINDOWS_OPTIONS},
    {**BARE, "hostNetwork": True, "securityContext": _WINDOWS_OPTIONS},
    {"os": {"name": "windows"}, "hostNetwork": True,
     "containers": [{"name": name, "image": "i", "securityContext": _WINDOWS_OPTIONS} for name in "cd"]},
    {"os": {"name": "windows"}, "hostNetwork": True, "securityContext": {**_WINDOWS_OPTIONS, "runAsNonRoot": True},
     "containers": [{"name": name, "image": "i", "securityContext": _WINDOWS_OPTIONS} for name in "cd"]},
]  # fmt: skip

_APPARMOR = "container.apparmor.security.beta.kubernetes.io"
_SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
#: Pods with the annotations that came before the fields.
ANNOTATED: list[Body] = [
    pod(SECURE, **{f"{_APPARMOR}/c": "unconfined"}), pod(SECURE, **{f"{_APPARMOR}/c": "localhost/x"}),
    pod(SECURE, **{f"{_APPARMOR}/c": "runtime/default"}), pod(_all({}), **{f"{_APPARMOR}/d": "unconfined", f"{_APPARMOR}/c": "unconfined"}),
    pod(SECURE, **{"container.seccomp.security.alpha.kubernetes.io/c": "unconfined", _SECCOMP: "docker/default"}),
    pod(BARE, **{f"{_APPARMOR}/c": "unconfined", _SECCOMP: "unconfined"}), pod({**BARE, "os": {"name": "windows"}}, **{f"{_APPARMOR}/c": "unconfined"}),
    pod({**SECURE, "securityContext": SECURE["securityContext"] | {"appArmorProfile": {"type": "RuntimeDefault"}}}, **{f"{_APPARMOR}/c": "runtime/default"}),
]  # fmt: skip
_WILD: Body = {
    "hostNetwork": True, "hostPID": True, "volumes": [{"name": name, **_VOLUMES[name]} for name in "abcd"],
    "securityContext": {
        "seLinuxOptions": {"type": "spc_t"}, "sysctls": [{"name": "kernel.msgmax", "value": "1"}], "runAsUser": 0,
        "seccompProfile": {"type": "Unconfined"}, "appArmorProfile": {"type": "Unconfined"}},
    "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80, "hostPort": 80}], "livenessProbe": _PROBED,
                    "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}}}],
}  # fmt: skip
#: Pods that break much at once, and what not every version forbids.
MANY: list[Body] = [pod(spec) for spec in (
    _WILD,
    _WILD | {"hostNetwork": False, "hostPID": False, "hostUsers": False, "containers": [
        {"name": "c", "image": "i", "securityContext": {"procMount": "Unmasked", "capabilities": {"add": ["CHOWN"]}}}]},
    _context(seLinuxOptions={"type": "container_engine_t"}, sysctls=[{"name": name, "value": "1"} for name in (
        "net.ipv4.tcp_wmem", "net.ipv4.tcp_fin_timeout", "net.ipv4.ip_local_reserved_ports")]),
    _with(hostUsers=False, containers=[_container("c", {"procMount": "Unmasked"})]),
    _with(hostUsers=False, securityContext={"runAsNonRoot": False, "runAsUser": 0}), BARE | {"os": {"name": "windows"}}, BARE,
    _context(seccompProfile={"type": "Unconfined"}), _one({"capabilities": {"add": ["CHOWN", "SYS_TIME"]}}),
)]  # fmt: skip
ALL: list[Body] = [*map(pod, SPECS), *MANY, *ANNOTATED]
