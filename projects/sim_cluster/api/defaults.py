"""The defaults of built-in kinds that their OpenAPI schemas do not state. `resources` calls `set_defaults` on every write.

Only an object that nobody else holds is passed in (`decoding.conform` made it), so it is filled in place.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.api import limit_ranges
from projects.sim_cluster.api.admission_validation import set_binding_defaults, set_policy_defaults
from projects.sim_cluster.api.kinds import Kind, Object

_CONTAINER: Final[Object] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_POD: Final[Object] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_PROBE: Final[Object] = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_ROLLING: Final[dict[str, Object]] = {
    "strategy": {"maxUnavailable": "25%", "maxSurge": "25%"},
    "DaemonSet": {"maxUnavailable": 1, "maxSurge": 0},
    "StatefulSet": {"partition": 0},
}
_SPECS: Final[dict[tuple[str, str], Object]] = {
    ("apps", "Deployment"): {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    },
    ("apps", "ReplicaSet"): {"replicas": 1},
    ("", "ReplicationController"): {"replicas": 1},
    ("apps", "StatefulSet"): {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    },
    ("apps", "DaemonSet"): {"revisionHistoryLimit": 10},
    ("batch", "Job"): {
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "manualSelector": False,
    },
    ("batch", "CronJob"): {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    ("", "Service"): {"type": "ClusterIP", "sessionAffinity": "None"},
    ("", "PersistentVolumeClaim"): {"volumeMode": "Filesystem"},
    ("", "PersistentVolume"): {"volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain"},
}
_MODE: Final = 420
_VOLUMES: Final[dict[str, Object]] = {
    **{source: {"defaultMode": _MODE} for source in ("secret", "configMap", "downwardAPI", "projected")},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "kind": "Shared", "readOnly": False},
    "scaleIO": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
}
_POD_PATHS: Final = {"Pod": "spec", "PodTemplate": "template.spec", "CronJob": "spec.jobTemplate.spec.template.spec"}


def set_defaults(obj: Object, kind: Kind) -> None:
    """Fill the defaults of a built-in kind into an object."""
    if kind.custom:
        return
    spec = obj.get("spec")
    if isinstance(spec, dict):
        _fill(spec, _SPECS.get((kind.group, kind.kind), {}))
    if (special := _SPECIAL.get((kind.group, kind.kind))) and kind.serve is None:
        special(obj)
    for pod in pod_specs(obj, kind):
        _pod_defaults(pod)


def _fill(target: Object, defaults: Object) -> None:
    for key, value in defaults.items():
        if key not in target:
            target[key] = copy.deepcopy(value)


def pod_path(kind: Kind) -> str:
    """Return where the pod spec of a kind that has one stands."""
    return _POD_PATHS.get(kind.kind, "spec.template.spec")


def pod_specs(obj: Object, kind: Kind) -> Iterator[Object]:
    """Yield the pod specs inside an object of a built-in kind."""
    return (pod["spec"] for pod in pod_templates(obj, kind))


def pod_templates(obj: Object, kind: Kind) -> Iterator[Object]:
    """Yield the pod that an object of a built-in kind is, or its template of pods, if that has a spec."""
    if kind.group not in {"", "apps", "batch"}:
        return
    spec = obj.get("spec")
    pod: Any = None
    if kind.kind in {"Pod", "PodTemplate"}:
        pod = obj if kind.kind == "Pod" else obj.get("template")
    elif isinstance(spec, dict):
        holder = (spec.get("jobTemplate") or {}).get("spec") or {} if kind.kind == "CronJob" else spec
        pod = holder.get("template")
    if isinstance(pod, dict) and isinstance(pod.get("spec"), dict):
        yield pod


def _pod_defaults(spec: Object) -> None:
    _fill(spec, _POD)
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    elif "serviceAccount" in spec:
        spec["serviceAccountName"] = spec["serviceAccount"]
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            _container_defaults(container)
    for volume in spec.get("volumes") or ():
        _volume_defaults(volume)


def _container_defaults(container: Object) -> None:
    _fill(container, _CONTAINER)
    container.setdefault("imagePullPolicy", _pull_policy(str(container.get("image", ""))))
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(probe), dict):
            _fill(container[probe], _PROBE)
            _handler_defaults(container[probe])
    for handler in (container.get("lifecycle") or {}).values():
        if isinstance(handler, dict):
            _handler_defaults(handler)
    for variable in container.get("env") or ():
        if isinstance(field := (variable.get("valueFrom") or {}).get("fieldRef"), dict):
            field.setdefault("apiVersion", "v1")


def _pull_policy(reference: str) -> str:
    image = reference.rpartition("/")[2]
    latest = "@" not in image and (":" not in image or image.endswith(":latest"))
    return "Always" if latest else "IfNotPresent"


def _handler_defaults(handler: Object) -> None:
    if isinstance(handler.get("httpGet"), dict):
        _fill(handler["httpGet"], {"path": "/", "scheme": "HTTP"})
    if isinstance(handler.get("grpc"), dict):
        handler["grpc"].setdefault("service", "")


def _volume_defaults(volume: Object) -> None:
    for source, given in volume.items():
        if isinstance(given, dict):
            _fill(given, _VOLUMES.get(source, {}))
    if isinstance(image := volume.get("image"), dict):
        image.setdefault("pullPolicy", _pull_policy(str(image.get("reference", ""))))
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}
    if isinstance(claim.get("spec"), dict):
        claim["spec"].setdefault("volumeMode", "Filesystem")
    if len(volume) == 1:
        volume["emptyDir"] = {}


def _rollout(obj: Object) -> None:
    """Fill how a workload is rolled out; only a rolling update has more to say than its type."""
    if not isinstance(obj.get("spec"), dict):
        return
    field = "strategy" if obj["kind"] == "Deployment" else "updateStrategy"
    if obj["kind"] == "DaemonSet":
        obj["metadata"].setdefault("annotations", {}).setdefault("deprecated.daemonset.template.generation", "1")
    strategy = obj["spec"].setdefault(field, {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), _ROLLING.get(obj["kind"], _ROLLING["strategy"]))


def _stateful_set(obj: Object) -> None:
    _rollout(obj)
    for claim in (obj.get("spec") or {}).get("volumeClaimTemplates") or ():
        claim |= {"kind": "PersistentVolumeClaim", "apiVersion": "v1"}
        _fill(claim.setdefault("spec", {}), _SPECS["", "PersistentVolumeClaim"])
        claim["status"] = {"phase": "Pending"}


def _job(obj: Object) -> None:
    spec = obj.get("spec") or {}
    if spec.get("podFailurePolicy"):
        spec.setdefault("podReplacementPolicy", "Failed")
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)


def _service(obj: Object) -> None:
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if not port.get("targetPort"):
            port["targetPort"] = port.get("port", 0)
    if spec.get("sessionAffinity") == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        config.setdefault("timeoutSeconds", 10800)


def _pod(obj: Object) -> None:
    """Fill what a pod has and a template of pods has not."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    spec.setdefault("enableServiceLinks", True)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    if limits := (spec.get("resources") or {}).get("limits"):
        spec["resources"]["requests"] = limits | (spec["resources"].get("requests") or {})
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    for container in containers:
        resources = container.get("resources") or {}
        if limits := resources.get("limits"):
            resources["requests"] = limits | resources.get("requests", {})
    if spec.get("hostNetwork"):
        for port in (port for container in containers for port in container.get("ports") or ()):
            port.setdefault("hostPort", port.get("containerPort"))


def _endpoint_slice(obj: Object) -> None:
    for port in obj.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def _namespace(obj: Object) -> None:
    labels = obj["metadata"].setdefault("labels", {})
    if "name" in obj["metadata"]:
        labels["kubernetes.io/metadata.name"] = obj["metadata"]["name"]


def _typed(value: str) -> Callable[[Object], None]:
    def fill(obj: Object) -> None:
        obj.setdefault("type", value)

    return fill


def _storage_class(obj: Object) -> None:
    _fill(obj, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _priority_class(obj: Object) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _rbac_binding(obj: Object) -> None:
    if isinstance(obj.get("roleRef"), dict) and not obj["roleRef"].get("apiGroup"):
        obj["roleRef"]["apiGroup"] = "rbac.authorization.k8s.io"
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in {"User", "Group"}:
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _webhooks(obj: Object) -> None:
    for hook in obj.get("webhooks") or ():
        _fill(
            hook, {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
        )
        hook.setdefault("timeoutSeconds", 10)
        for rule in hook.get("rules") or ():
            rule.setdefault("scope", "*")
        if service := (hook.get("clientConfig") or {}).get("service"):
            service.setdefault("port", 443)


def _mutating_webhooks(obj: Object) -> None:
    _webhooks(obj)
    for hook in obj.get("webhooks") or ():
        hook.setdefault("reinvocationPolicy", "Never")


def _custom_resource_definition(obj: Object) -> None:
    spec = obj.get("spec")
    if isinstance(spec, dict) and isinstance(spec.get("names"), dict):
        names = spec["names"]
        names.setdefault("singular", str(names.get("kind", "")).lower())
        names.setdefault("listKind", f"{names.get('kind', '')}List")
        spec.setdefault("conversion", {"strategy": "None"})


def _network_policy(obj: Object) -> None:
    spec = obj.get("spec")
    if isinstance(spec, dict):
        for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
            for port in rule.get("ports") or ():
                port.setdefault("protocol", "TCP")
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", *(["Egress"] if "egress" in spec else [])]


def _volume(obj: Object) -> None:
    if isinstance(path := (obj.get("spec") or {}).get("hostPath"), dict):
        path.setdefault("type", "")


def _replication_controller(obj: Object) -> None:
    spec = obj.get("spec") or {}
    if labels := ((spec.get("template") or {}).get("metadata") or {}).get("labels"):
        spec.setdefault("selector", dict(labels))
        if not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)


def _ingress_class(obj: Object) -> None:
    if isinstance(parameters := (obj.get("spec") or {}).get("parameters"), dict) and not parameters.get("scope"):
        parameters["scope"] = "Cluster"


def _csi_driver(obj: Object) -> None:
    if isinstance(obj.get("spec"), dict):
        _fill(obj["spec"], {
            "attachRequired": True, "podInfoOnMount": False, "storageCapacity": False, "requiresRepublish": False,
            "fsGroupPolicy": "ReadWriteOnceWithFSType", "volumeLifecycleModes": ["Persistent"], "seLinuxMount": False,
        })  # fmt: skip


def _autoscaler(obj: Object) -> None:
    spec = obj.get("spec")
    if isinstance(spec, dict):
        spec.setdefault("minReplicas", 1)
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        for field, policies in _SCALING.items():
            rules = (spec.get("behavior") or {}).get(field)
            if isinstance(rules, dict):
                _fill(
                    rules,
                    {"selectPolicy": "Max", "policies": policies, "stabilizationWindowSeconds": 0}
                    if field == "scaleUp"
                    else {"selectPolicy": "Max", "policies": policies},
                )


_SCALING: Final[dict[str, list[Object]]] = {
    "scaleUp": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
    "scaleDown": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}
_SPECIAL: Final[dict[tuple[str, str], Callable[[Any], None]]] = {
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    ("", "PersistentVolume"): _volume,
    ("", "ReplicationController"): _replication_controller,
    ("networking.k8s.io", "IngressClass"): _ingress_class,
    ("storage.k8s.io", "CSIDriver"): _csi_driver,
    ("apps", "Deployment"): _rollout,
    ("apps", "DaemonSet"): _rollout,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
    ("", "Service"): _service,
    ("", "Pod"): _pod,
    ("", "Namespace"): _namespace,
    ("", "Secret"): _typed("Opaque"),
    ("", "LimitRange"): limit_ranges.set_defaults,
    ("storage.k8s.io", "StorageClass"): _storage_class,
    ("scheduling.k8s.io", "PriorityClass"): _priority_class,
    ("rbac.authorization.k8s.io", "RoleBinding"): _rbac_binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _rbac_binding,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _custom_resource_definition,
    ("discovery.k8s.io", "EndpointSlice"): _endpoint_slice,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): set_policy_defaults,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): set_binding_defaults,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _webhooks,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _mutating_webhooks,
}
