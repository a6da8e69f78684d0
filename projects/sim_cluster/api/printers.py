"""The cells that ``kubectl get`` prints for built-in kinds, in the order of the recorded columns. `tables` calls `cells`.

A kind that is not here gets the table that kube-apiserver gives to a kind without a printer: name and creation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from projects.sim_cluster.api.durations import age, human_duration
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.pod_printer import pod_cells
from projects.sim_cluster.api.printers_elsewhere import ELSEWHERE, access_modes, age_of
from projects.sim_cluster.api.selectors import selector_text
from projects.sim_cluster.api.timestamps import seconds_of

Cells = list[Any]
Printer = Callable[[Object, float], Cells]
_NONE: Final = "<none>"


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _condition(obj: Object, kind: str) -> Object:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == kind), {})


def _containers(obj: Object) -> Cells:
    containers = obj["spec"]["template"]["spec"].get("containers", ())
    return [",".join(c["name"] for c in containers), ",".join(c.get("image", "") for c in containers)]


def _selector(obj: Object) -> str:
    return selector_text((obj.get("spec") or {}).get("selector")) or _NONE


def _joined(values: Any, empty: str = _NONE) -> str:
    return ",".join(map(str, values)) or empty


def _deployment(obj: Object, now: float) -> Cells:
    status = obj.get("status") or {}
    return [
        _name(obj), f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 1)}", status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0), age_of(obj, now), *_containers(obj), _selector(obj),
    ]  # fmt: skip


def _replica_set(obj: Object, now: float) -> Cells:
    status = obj.get("status") or {}
    numbers = [obj["spec"].get("replicas", 1), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [_name(obj), *numbers, age_of(obj, now), *_containers(obj), _selector(obj)]


def _stateful_set(obj: Object, now: float) -> Cells:
    ready = (obj.get("status") or {}).get("readyReplicas", 0)
    return [_name(obj), f"{ready}/{obj['spec'].get('replicas', 1)}", age_of(obj, now), *_containers(obj)]


def _daemon_set(obj: Object, now: float) -> Cells:
    status = obj.get("status") or {}
    fields = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    nodes = obj["spec"]["template"]["spec"].get("nodeSelector") or {}
    numbers = [status.get(field, 0) for field in fields]
    return [_name(obj), *numbers, selector_text(nodes) or _NONE, age_of(obj, now), *_containers(obj), _selector(obj)]


def _job(obj: Object, now: float) -> Cells:
    status, spec = obj.get("status") or {}, obj["spec"]
    wanted = spec.get("completions")
    done = (
        f"{status.get('succeeded', 0)}/{wanted}"
        if wanted is not None
        else f"{status.get('succeeded', 0)}/1 of {spec.get('parallelism', 1)}"
    )
    begin, end = status.get("startTime"), status.get("completionTime")
    length = human_duration((seconds_of(end) if end else now) - seconds_of(begin)) if begin else ""
    return [_name(obj), _job_state(obj), done, length, age_of(obj, now), *_containers(obj), _selector(obj)]


def _job_state(obj: Object) -> str:
    for kind in ("Complete", "Failed", "Suspended", "FailureTarget"):
        if _condition(obj, kind).get("status") == "True":
            return kind
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else "Running"


def _cron_job(obj: Object, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    last = age(status["lastScheduleTime"], now) if status.get("lastScheduleTime") else _NONE
    inner = spec["jobTemplate"]
    return [
        _name(obj), spec.get("schedule", ""), spec.get("timeZone") or _NONE, str(spec.get("suspend", False)),
        len(status.get("active") or ()), last, age_of(obj, now), *_containers(inner), _selector(inner),
    ]  # fmt: skip


def _node(obj: Object, now: float) -> Cells:
    prefix = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(prefix) for key in obj["metadata"].get("labels") or () if key.startswith(prefix))
    ready = {"True": "Ready", "False": "NotReady"}.get(_condition(obj, "Ready").get("status", ""), "Unknown")
    state = ready + (",SchedulingDisabled" if (obj.get("spec") or {}).get("unschedulable") else "")
    status = obj.get("status") or {}
    addresses = {entry["type"]: entry["address"] for entry in status.get("addresses") or ()}
    info = status.get("nodeInfo") or {}
    return [
        _name(obj), state, _joined(roles), age_of(obj, now), info.get("kubeletVersion", ""), addresses.get("InternalIP", _NONE),
        addresses.get("ExternalIP", _NONE), info.get("osImage") or "<unknown>", info.get("kernelVersion") or "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]  # fmt: skip


def _service(obj: Object, now: float) -> Cells:
    spec = obj["spec"]
    ports = [
        f"{p['port']}{':' + str(p['nodePort']) if p.get('nodePort') else ''}/{p.get('protocol', 'TCP')}"
        for p in spec.get("ports") or ()
    ]
    external = (
        ",".join(spec.get("externalIPs") or ())
        or spec.get("externalName")
        or ("<pending>" if spec["type"] == "LoadBalancer" else _NONE)
    )
    return [
        _name(obj),
        spec["type"],
        spec.get("clusterIP") or _NONE,
        external,
        _joined(ports),
        age_of(obj, now),
        selector_text(spec.get("selector")) or _NONE,
    ]


def _event(obj: Object, now: float) -> Cells:
    involved = obj.get("involvedObject") or {}
    source = obj.get("source") or {}
    series = obj.get("series") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    shown = f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"
    where = ", ".join(filter(None, (source.get("component") or obj.get("reportingComponent"), source.get("host"))))
    return [
        age(last, now), obj.get("type", ""), obj.get("reason", ""), shown, involved.get("fieldPath", ""), where,
        str(obj.get("message", "")).strip(), age(first, now),
        series.get("count") or obj.get("count") or 1, _name(obj),
    ]  # fmt: skip


def _config_map(obj: Object, now: float) -> Cells:
    return [_name(obj), len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), age_of(obj, now)]


def _secret(obj: Object, now: float) -> Cells:
    return [_name(obj), obj.get("type", ""), len(obj.get("data") or {}), age_of(obj, now)]


def _claim(obj: Object, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    modes = access_modes(status.get("accessModes"))
    state = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        _name(obj), state, spec.get("volumeName", ""), (status.get("capacity") or {}).get("storage", ""), modes,
        spec.get("storageClassName", ""), spec.get("volumeAttributesClassName") or "<unset>", age_of(obj, now), spec.get("volumeMode", "<unset>"),
    ]  # fmt: skip


def _endpoints_of(obj: Object) -> str:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or ()
        for address in subset.get("addresses") or ()
        for port in subset.get("ports") or ()
    ]
    return _joined(found)


def _endpoint_slice(obj: Object, now: float) -> Cells:
    ports = [port.get("port", "") for port in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return [
        _name(obj),
        obj.get("addressType", ""),
        _joined(ports, "<unset>"),
        _joined(addresses, "<unset>"),
        age_of(obj, now),
    ]


def _binding(obj: Object, now: float) -> Cells:
    role, subjects = obj.get("roleRef") or {}, obj.get("subjects") or ()
    by_kind = {kind: [s for s in subjects if s.get("kind") == kind] for kind in ("User", "Group", "ServiceAccount")}
    accounts = [f"{s.get('namespace', '')}/{s['name']}" for s in by_kind["ServiceAccount"]]
    people = [", ".join(s["name"] for s in by_kind[kind]) for kind in ("User", "Group")]
    return [
        _name(obj),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age_of(obj, now),
        *people,
        ", ".join(accounts),
    ]


def _api_service(obj: Object, now: float) -> Cells:
    service = (obj.get("spec") or {}).get("service")
    available = _condition(obj, "Available")
    state = available.get("status", "Unknown")
    shown = state if state == "True" else f"{state} ({available.get('reason', '')})"
    return [_name(obj), f"{service['namespace']}/{service['name']}" if service else "Local", shown, age_of(obj, now)]


def _storage_class(obj: Object, now: float) -> Cells:
    default = (obj["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    name = _name(obj) + (" (default)" if default else "")
    return [
        name,
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", ""),
        obj.get("volumeBindingMode", ""),
        bool(obj.get("allowVolumeExpansion")),
        age_of(obj, now),
    ]


def _lease(obj: Object, now: float) -> Cells:
    return [_name(obj), (obj.get("spec") or {}).get("holderIdentity", ""), age_of(obj, now)]


def _created_at(obj: Object, _now: float) -> Cells:
    return [_name(obj), obj["metadata"].get("creationTimestamp")]


def _name_and_age(obj: Object, now: float) -> Cells:
    return [_name(obj), age_of(obj, now)]


PRINTERS: Final[dict[tuple[str, str], Printer]] = {
    ("", "pods"): pod_cells,
    ("", "nodes"): _node,
    ("", "namespaces"): lambda obj, now: [_name(obj), (obj.get("status") or {}).get("phase", ""), age_of(obj, now)],
    ("", "services"): _service,
    ("", "events"): _event,
    ("", "configmaps"): _config_map,
    ("", "secrets"): _secret,
    ("", "serviceaccounts"): _name_and_age,
    ("", "endpoints"): lambda obj, now: [_name(obj), _endpoints_of(obj), age_of(obj, now)],
    ("", "persistentvolumeclaims"): _claim,
    ("", "limitranges"): _created_at,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replica_set,
    ("apps", "statefulsets"): _stateful_set,
    ("apps", "daemonsets"): _daemon_set,
    ("batch", "jobs"): _job,
    ("batch", "cronjobs"): _cron_job,
    ("apiregistration.k8s.io", "apiservices"): _api_service,
    ("discovery.k8s.io", "endpointslices"): _endpoint_slice,
    ("rbac.authorization.k8s.io", "rolebindings"): _binding,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): _binding,
    ("rbac.authorization.k8s.io", "roles"): _created_at,
    ("rbac.authorization.k8s.io", "clusterroles"): _created_at,
    ("apiextensions.k8s.io", "customresourcedefinitions"): _created_at,
    ("storage.k8s.io", "storageclasses"): _storage_class,
    ("coordination.k8s.io", "leases"): _lease,
    **ELSEWHERE,
}
