"""What else an OpenShift cluster brings: storage, security context constraints, users, the console, routes, a template."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.behaviours.openshift.routes import DOMAIN, admitted
from projects.sim_cluster.shapes.projects import GROUP as PROJECTS

Object = dict[str, Any]
_SECURITY: Final = "security.openshift.io/v1"
_RANGE: Final = {"type": "MustRunAsRange"}
_ANY: Final = {"type": "RunAsAny"}
_DROPPED: Final = ["KILL", "MKNOD", "SETUID", "SETGID"]
_VOLUMES: Final = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
]
#: Name → priority, run as user, fields that differ.
_CONSTRAINTS: Final[dict[str, tuple[int | None, Object, Object]]] = {
    "anyuid": (10, _ANY, {"groups": ["system:cluster-admins"]}),
    "hostaccess": (None, _RANGE, {"allowHostDirVolumePlugin": True, "allowHostIPC": True, "allowHostNetwork": True, "allowHostPID": True, "allowHostPorts": True}),
    "hostmount-anyuid": (None, _ANY, {"allowHostDirVolumePlugin": True}),
    "hostnetwork": (None, _RANGE, {"allowHostNetwork": True, "allowHostPorts": True}),
    "hostnetwork-v2": (None, _RANGE, {"allowHostNetwork": True, "allowHostPorts": True, "requiredDropCapabilities": ["ALL"]}),
    "nonroot": (None, {"type": "MustRunAsNonRoot"}, {}),
    "nonroot-v2": (None, {"type": "MustRunAsNonRoot"}, {"requiredDropCapabilities": ["ALL"]}),
    "privileged": (None, _ANY, {"allowPrivilegedContainer": True, "allowHostDirVolumePlugin": True, "allowHostIPC": True, "allowHostNetwork": True,
                                "allowHostPID": True, "allowHostPorts": True, "allowedCapabilities": ["*"], "volumes": ["*"], "requiredDropCapabilities": None,
                                "groups": ["system:cluster-admins", "system:nodes", "system:masters"]}),
    "restricted": (None, _RANGE, {}),
    "restricted-v2": (None, _RANGE, {"requiredDropCapabilities": ["ALL"], "allowPrivilegeEscalation": False, "groups": ["system:authenticated"]}),
}  # fmt: skip
#: Namespace, name, service and port of the routes that are there.
_ROUTES: Final = (
    ("openshift-console", "console", "console", "https"),
    ("openshift-console", "downloads", "downloads", "http"),
    ("openshift-authentication", "oauth-openshift", "oauth-openshift", "6443"),
    ("openshift-monitoring", "thanos-querier", "thanos-querier", "web"),
    ("openshift-monitoring", "prometheus-k8s", "prometheus-k8s", "web"),
    ("openshift-monitoring", "alertmanager-main", "alertmanager-main", "web"),
)
_PORTS: Final = {"thanos-querier": ("web", 9091), "prometheus-k8s": ("web", 9091)}


def services(now: str) -> Iterator[Object]:
    """Yield all of it."""
    yield {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "ebs.csi.aws.com", "allowVolumeExpansion": True,
           "metadata": {"name": "gp3-csi", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
           "volumeBindingMode": "WaitForFirstConsumer", "parameters": {"type": "gp3", "encrypted": "true"}}  # fmt: skip
    yield from (_constraints(name) for name in _CONSTRAINTS)
    yield from (_route(*each, now) for each in _ROUTES)
    yield from (_service(name, port) for name, port in _PORTS.items())
    console = f"https://console-openshift-console.{DOMAIN}"
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "console-public", "namespace": "openshift-config-managed"},
           "data": {"consoleURL": console}}  # fmt: skip
    yield _template()


def _constraints(name: str) -> Object:
    priority, user, more = _CONSTRAINTS[name]
    fields: Object = {
        "allowHostDirVolumePlugin": False, "allowHostIPC": False, "allowHostNetwork": False, "allowHostPID": False, "allowHostPorts": False,
        "allowPrivilegeEscalation": True, "allowPrivilegedContainer": False, "allowedCapabilities": None, "defaultAddCapabilities": None,
        "fsGroup": {"type": "MustRunAs"}, "groups": [], "priority": priority, "readOnlyRootFilesystem": False, "requiredDropCapabilities": _DROPPED,
        "runAsUser": user, "seLinuxContext": {"type": "MustRunAs"}, "supplementalGroups": _ANY, "users": [], "volumes": _VOLUMES,
    }  # fmt: skip
    return {"apiVersion": _SECURITY, "kind": "SecurityContextConstraints", "metadata": {"name": name}} | fields | more


def _route(namespace: str, name: str, service: str, port: str, now: str) -> Object:
    spec = {"host": f"{name}-{namespace}.{DOMAIN}", "to": {"kind": "Service", "name": service, "weight": 100}, "port": {"targetPort": port},
            "tls": {"termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect"}, "wildcardPolicy": "None"}  # fmt: skip
    made = {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    return made | {"status": {"ingress": [admitted(made, now)]}}


def _service(name: str, port: tuple[str, int]) -> Object:
    ports = [{"name": port[0], "port": port[1], "targetPort": port[0], "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "openshift-monitoring"},
        "spec": {"ports": ports},
    }


def _template() -> Object:
    project = {
        "apiVersion": f"{PROJECTS}/v1",
        "kind": "Project",
        "metadata": {"annotations": {}, "name": "${PROJECT_NAME}"},
        "spec": {},
        "status": {},
    }
    names = (
        "PROJECT_NAME",
        "PROJECT_DISPLAYNAME",
        "PROJECT_DESCRIPTION",
        "PROJECT_ADMIN_USER",
        "PROJECT_REQUESTING_USER",
    )
    return {"apiVersion": "template.openshift.io/v1", "kind": "Template", "metadata": {"name": "project-request", "namespace": "openshift-config"},
            "objects": [project], "parameters": [{"name": name} for name in names]}  # fmt: skip
