"""The cells that ``kubectl get`` prints for kinds of policy, storage, admission and priority. `printers` adds them to its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from projects.sim_cluster.api.durations import age, human_duration
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.selectors import selector_text

Cells = list[Any]
Printer = Callable[[Object, float], Cells]
_NONE: Final = "<none>"
_UNSET: Final = "<unset>"
_ACCESS: Final = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_ACCESS_ORDER: Final = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")


def at(obj: Any, path: str, default: Any = None) -> Any:
    """Return what stands at a dotted path."""
    for key in path.split("."):
        obj = obj.get(key) if isinstance(obj, dict) else None
    return default if obj is None else obj


def age_of(obj: Object, now: float) -> str:
    """Return how old an object is."""
    return age(obj["metadata"].get("creationTimestamp"), now)


def _cells(*cells: str | Callable[[Object], Any]) -> Printer:
    """Return a printer: name, then each cell (a path, or a function of the object), then the age."""

    def prints(obj: Object, now: float) -> Cells:
        shown = [at(obj, cell, "") if isinstance(cell, str) else cell(obj) for cell in cells]
        return [obj["metadata"]["name"], *shown, age_of(obj, now)]

    return prints


def _created(obj: Object, _now: float) -> Cells:
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


def access_modes(modes: Any) -> str:
    """Return access modes in short."""
    given = set(modes or ())
    return ",".join(_ACCESS[mode] for mode in _ACCESS_ORDER if mode in given)


def _volume(obj: Object, now: float) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    claim = spec.get("claimRef")
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        obj["metadata"]["name"], at(spec, "capacity.storage", ""), access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""), phase, f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""), spec.get("volumeAttributesClassName") or _UNSET, status.get("reason", ""), age_of(obj, now),
        spec.get("volumeMode", _UNSET),
    ]  # fmt: skip


def _pod_template(obj: Object, _now: float) -> Cells:
    containers = at(obj, "template.spec.containers", ())
    labels = selector_text(at(obj, "template.metadata.labels")) or _NONE
    return [
        obj["metadata"]["name"],
        ",".join(c["name"] for c in containers),
        ",".join(c.get("image", "") for c in containers),
        labels,
    ]


def _replication_controller(obj: Object, now: float) -> Cells:
    containers, status = at(obj, "spec.template.spec.containers", ()), obj.get("status") or {}
    return [
        obj["metadata"]["name"], at(obj, "spec.replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0), age_of(obj, now),
        ",".join(c["name"] for c in containers), ",".join(c.get("image", "") for c in containers),
        selector_text(at(obj, "spec.selector")) or _NONE,
    ]  # fmt: skip


def _quota(obj: Object, now: float) -> Cells:
    hard, used = at(obj, "status.hard", {}), at(obj, "status.used", {})
    shown = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    limits = ", ".join(text for name, text in shown.items() if name.startswith("limits."))
    requests = ", ".join(text for name, text in shown.items() if not name.startswith("limits."))
    return [obj["metadata"]["name"], requests, limits, age_of(obj, now)]


def _controller(obj: Object) -> str:
    owner = next((o for o in obj["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    if owner is None:
        return _NONE
    group = owner["apiVersion"].rpartition("/")[0]
    return f"{owner['kind'].lower()}{'.' + group if group else ''}/{owner['name']}"


def _autoscaler(obj: Object, now: float) -> Cells:
    target = at(obj, "spec.scaleTargetRef", {})
    least = at(obj, "spec.minReplicas")
    return [
        obj["metadata"]["name"], f"{target.get('kind', '')}/{target.get('name', '')}", _targets(obj),
        _UNSET if least is None else str(least), at(obj, "spec.maxReplicas", 0), at(obj, "status.currentReplicas", 0), age_of(obj, now),
    ]  # fmt: skip


def _targets(obj: Object) -> str:
    current = at(obj, "status.currentMetrics") or []
    shown = []
    for index, metric in enumerate(at(obj, "spec.metrics", ())):
        source = metric.get("resource") or {}
        seen = (current[index] if index < len(current) else {}).get("resource") or {}
        wanted, found = source.get("target") or {}, seen.get("current") or {}
        if "averageUtilization" in wanted:
            now = f"{found['averageUtilization']}%" if "averageUtilization" in found else "<unknown>"
            shown.append(f"{source.get('name')}: {now}/{wanted['averageUtilization']}%")
        else:
            shown.append(
                f"{source.get('name')}: {found.get('averageValue', '<unknown>')}/{wanted.get('averageValue', '<auto>')}"
            )
    return ", ".join(shown[:2]) + (f" + {len(shown) - 2} more..." if len(shown) > 2 else "") if shown else _NONE  # noqa: PLR2004


def _signing_request(obj: Object, now: float) -> Cells:
    spec = obj.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    kinds = [condition["type"] for condition in at(obj, "status.conditions", ())]
    state = ",".join(kind for kind in ("Approved", "Denied", "Failed") if kind in kinds) or "Pending"
    state += ",Issued" if at(obj, "status.certificate") else ""
    length = _NONE if seconds is None else human_duration(seconds)
    return [
        obj["metadata"]["name"],
        age_of(obj, now),
        spec.get("signerName") or _NONE,
        spec.get("username", ""),
        length,
        state,
    ]


def _ingress(obj: Object, now: float) -> Cells:
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    shown = ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "")  # noqa: PLR2004
    points = at(obj, "status.loadBalancer.ingress") or ()
    address = ",".join(point.get("ip") or point.get("hostname", "") for point in points)
    ports = "80, 443" if spec.get("tls") else "80"
    return [
        obj["metadata"]["name"],
        spec.get("ingressClassName") or _NONE,
        shown or "*",
        address,
        ports,
        age_of(obj, now),
    ]


def _parameters(obj: Object) -> str:
    found = at(obj, "spec.parameters")
    if not found:
        return _NONE
    group = f".{found['apiGroup']}" if found.get("apiGroup") else ""
    return f"{found['kind']}{group}/{found['name']}"


def _share(path: str) -> Callable[[Object], str]:
    return lambda obj: str(at(obj, path, "N/A"))


def _attached(obj: Object) -> bool:
    return bool(at(obj, "status.attached", False))


def _count(path: str) -> Callable[[Object], int]:
    return lambda obj: len(at(obj, path, ()))


def _priority_class(obj: Object, now: float) -> Cells:
    return [
        obj["metadata"]["name"], obj.get("value", 0), bool(obj.get("globalDefault")), age_of(obj, now), obj.get("preemptionPolicy", ""),
    ]  # fmt: skip


def _flow_schema(obj: Object, now: float) -> Cells:
    conditions = {c["type"]: c.get("status") for c in at(obj, "status.conditions", ())}
    missing = conditions.get("Dangling", "?")
    return [
        obj["metadata"]["name"], at(obj, "spec.priorityLevelConfiguration.name", ""), at(obj, "spec.matchingPrecedence", 0),
        at(obj, "spec.distinguisherMethod.type", _NONE), age_of(obj, now), missing,
    ]  # fmt: skip


def _priority_level(obj: Object, now: float) -> Cells:
    limited = at(obj, "spec.limited", {})
    queuing = at(limited, "limitResponse.queuing", {})
    shares = limited.get("nominalConcurrencyShares", at(obj, "spec.exempt.nominalConcurrencyShares", _NONE))
    numbers = [queuing.get(key, _NONE) for key in ("queues", "handSize", "queueLengthLimit")]
    return [obj["metadata"]["name"], at(obj, "spec.type", ""), shares, *numbers, age_of(obj, now)]


def _driver(obj: Object) -> list[Any]:
    spec = obj.get("spec") or {}
    audiences = ",".join(entry.get("audience", "") for entry in spec.get("tokenRequests") or ()) or _UNSET
    modes = ",".join(spec.get("volumeLifecycleModes") or ()) or _NONE
    flags = [
        bool(spec.get(key, key == "attachRequired")) for key in ("attachRequired", "podInfoOnMount", "storageCapacity")
    ]
    return [*flags, audiences, bool(spec.get("requiresRepublish")), modes]


def _csi_driver(obj: Object, now: float) -> Cells:
    return [obj["metadata"]["name"], *_driver(obj), age_of(obj, now)]


def _claim_state(obj: Object) -> str:
    states = []
    if obj["metadata"].get("deletionTimestamp"):
        states.append("deleted")
    status = obj.get("status") or {}
    states.append("pending" if not status.get("allocation") else "allocated")
    return ",".join(states + (["reserved"] if status.get("reservedFor") else []))


def _policy_parameter(obj: Object) -> str:
    found = at(obj, "spec.paramKind")
    return f"{found.get('apiVersion', '')}/{found.get('kind', '')}" if found else _UNSET


def _binding_parameter(obj: Object) -> str:
    found = at(obj, "spec.paramRef")
    if not found:
        return _UNSET
    return f"{found['namespace']}/{found.get('name', '')}" if found.get("namespace") else str(found.get("name", "*"))


def _address(obj: Object, _now: float) -> Cells:
    parent = at(obj, "spec.parentRef", {})
    place = "/".join(filter(None, (parent.get("namespace"), parent.get("name"))))
    group = f".{parent['group']}" if parent.get("group") else ""
    return [obj["metadata"]["name"], f"{parent.get('resource', '')}{group}/{place}"]


ELSEWHERE: Final[dict[tuple[str, str], Printer]] = {
    ("", "persistentvolumes"): _volume,
    ("", "podtemplates"): _pod_template,
    ("", "replicationcontrollers"): _replication_controller,
    ("", "resourcequotas"): _quota,
    ("apps", "controllerrevisions"): _cells(_controller, "revision"),
    ("autoscaling", "horizontalpodautoscalers"): _autoscaler,
    ("certificates.k8s.io", "certificatesigningrequests"): _signing_request,
    ("networking.k8s.io", "ingressclasses"): _cells("spec.controller", _parameters),
    ("networking.k8s.io", "ingresses"): _ingress,
    ("networking.k8s.io", "ipaddresses"): _address,
    ("networking.k8s.io", "networkpolicies"): _cells(lambda obj: selector_text(at(obj, "spec.podSelector")) or _NONE),
    ("networking.k8s.io", "servicecidrs"): _cells(lambda obj: ",".join(at(obj, "spec.cidrs", ()))),
    ("policy", "poddisruptionbudgets"): _cells(
        _share("spec.minAvailable"), _share("spec.maxUnavailable"), lambda obj: at(obj, "status.disruptionsAllowed", 0)
    ),
    ("storage.k8s.io", "csidrivers"): _csi_driver,
    ("storage.k8s.io", "csinodes"): _cells(_count("spec.drivers")),
    ("storage.k8s.io", "csistoragecapacities"): _created,
    ("storage.k8s.io", "volumeattachments"): _cells(
        "spec.attacher", "spec.source.persistentVolumeName", "spec.nodeName", _attached
    ),
    ("storage.k8s.io", "volumeattributesclasses"): _cells("driverName"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): _cells(_count("webhooks")),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): _cells(_count("webhooks")),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): _cells(
        _count("spec.validations"), _policy_parameter
    ),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): _cells(
        "spec.policyName", _binding_parameter
    ),
    ("scheduling.k8s.io", "priorityclasses"): _priority_class,
    ("node.k8s.io", "runtimeclasses"): _cells("handler"),
    ("resource.k8s.io", "deviceclasses"): _cells(),
    ("resource.k8s.io", "resourceclaims"): _cells(_claim_state),
    ("resource.k8s.io", "resourceclaimtemplates"): _cells(),
    ("resource.k8s.io", "resourceslices"): _cells("spec.nodeName", "spec.driver", "spec.pool.name"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"): _flow_schema,
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"): _priority_level,
}
