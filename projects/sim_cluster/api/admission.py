"""What the API server itself puts into new objects: metadata, first status, service accounts, addresses.

`writes` calls `prepare` for every object that is created, after its fields have been attributed to their writer.
"""

from __future__ import annotations

import copy
import random
import uuid
from base64 import b64encode
from collections.abc import Callable
from typing import Final

from projects.sim_cluster.api import limit_ranges, pod_classes, security_notes
from projects.sim_cluster.api.admission_requests import AdmissionRequest
from projects.sim_cluster.api.allocations import Allocations
from projects.sim_cluster.api.errors import forbidden, not_found, together
from projects.sim_cluster.api.kinds import Kind, Object, Registry
from projects.sim_cluster.api.store import Store
from projects.sim_cluster.api.timestamps import timestamp

_SUFFIXES: Final = random.Random()  # noqa: S311 - names, not secrets; tests in this process seed the shared one
_SUFFIX: Final = "bcdfghjklmnpqrstvwxz2456789"
#: Kinds of built-in groups whose generation counts; custom resources all have one.
_COUNTED: Final = frozenset({
    "Pod", "PodTemplate", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "CronJob", "Ingress",
    "NetworkPolicy", "PodDisruptionBudget", "CustomResourceDefinition", "PriorityClass", "EndpointSlice", "FlowSchema",
    "PriorityLevelConfiguration", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "IngressClass", "DeviceClass", "ResourceSlice",
})  # fmt: skip
KEEPS_STATUS: Final = frozenset({"Node"})  # a kubelet registers with its status
#: What a first status holds beside the zeros of its struct.
_FIRST_STATUS: Final[dict[tuple[str, str], Object]] = {
    ("", "Namespace"): {"phase": "Active"},
    ("", "PersistentVolumeClaim"): {"phase": "Pending"},
    ("", "PersistentVolume"): {"phase": "Pending"},
}
_TOKEN_SOURCES: Final[list[Object]] = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {
        "downwardAPI": {
            "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
        }
    },
]
_TOKEN_VOLUME: Final = "kube-api-access-"  # noqa: S105 - the beginning of a name
_TOKEN_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path


def random_suffix() -> str:
    """Return five characters of those that generated names end in."""
    return "".join(_SUFFIXES.choices(_SUFFIX, k=5))


def counts_generation(kind: Kind) -> bool:
    """Return whether objects of the kind have a ``generation``."""
    return kind.custom or kind.kind in _COUNTED


class Admission:
    """Prepares new objects; knows the namespaces and the addresses that are taken."""

    def __init__(self, store: Store, registry: Registry, now: Callable[[], float]) -> None:
        self.store, self.registry, self.now = store, registry, now
        self.allocations = Allocations()

    def check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        """Refuse to create in a namespace that is not there or is going away."""
        if not kind.namespaced:
            return
        found = self.store.get(("", "namespaces"), "", namespace)
        if found is None:
            owner = self.registry.find("", "v1", "namespaces")
            assert owner is not None
            raise not_found(owner, namespace)
        if found.object["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated",
                     "field": "metadata.namespace"}  # fmt: skip
            raise forbidden(kind, name, why, [cause])

    def metadata(self, obj: Object, kind: Kind, namespace: str) -> None:
        """Give a new object its identity."""
        metadata = obj["metadata"]
        for given in ("resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            metadata.pop(given, None)
        if kind.namespaced:
            metadata["namespace"] = namespace
        else:
            metadata.pop("namespace", None)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = timestamp(self.now())
        if counts_generation(kind):
            metadata["generation"] = 1

    def _limit_ranges(self, obj: Object) -> list[Object]:
        namespace = obj["metadata"].get("namespace", "")
        return [stored.object for stored in self.store.list(("", "limitranges"), namespace)]

    def admit(self, obj: Object, kind: Kind) -> list[str]:
        """Do what the server's own plug-ins do to a new object before webhooks see it. Return warnings.

        A pod gets the limits of its namespace, what its classes and its notes stand for, its account; a claim and a volume
        are held. Done a second time it changes nothing.
        """
        if kind.storage == ("", "persistentvolumeclaims"):
            _protect(obj, "kubernetes.io/pvc-protection")
        elif kind.storage == ("", "persistentvolumes"):
            _protect(obj, "kubernetes.io/pv-protection")
        if kind.storage != ("", "pods"):
            return []
        if ranges := self._limit_ranges(obj):
            limit_ranges.fill(obj, ranges)
        self._check_account(obj, kind)
        pod_classes.admit(obj, kind, self.store)
        self._own_pod(obj)
        return security_notes.adopt(obj)

    def _check_account(self, obj: Object, kind: Kind) -> None:
        namespace, account = obj["metadata"]["namespace"], (obj.get("spec") or {}).get("serviceAccountName", "default")
        if account != "default" and self.store.get(("", "serviceaccounts"), namespace, account) is None:
            why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
            raise forbidden(kind, obj["metadata"]["name"], why)

    def check_limits(self, asked: AdmissionRequest) -> None:
        """Refuse a new object that leaves the bounds of its namespace."""
        judge = {("", "pods"): limit_ranges.check_pod, ("", "persistentvolumeclaims"): limit_ranges.check_claim}.get(
            asked.kind.storage
        )
        if asked.operation != "CREATE" or judge is None:
            return
        if found := judge(asked.after, self._limit_ranges(asked.after)):
            raise forbidden(asked.kind, asked.name, together(found))

    def first_status(self, obj: Object, kind: Kind) -> None:
        """Replace the status that a creator may not set."""
        if not kind.has_status or kind.kind in KEEPS_STATUS:
            return
        obj.pop("status", None)
        for field, zeros in self.empty_status(kind).items():
            obj[field] = zeros | _FIRST_STATUS.get((kind.group, kind.kind), {})

    def empty_status(self, kind: Kind) -> Object:
        """Return the status, as a field, of an object of which nothing is known yet; none where the kind has no such."""
        if not kind.has_status or kind.kind in KEEPS_STATUS or kind.custom or "status" not in kind.schema.always_there:
            return {}
        struct = kind.schema.child("status")
        return {"status": copy.deepcopy(struct.zero) if struct is not None else {}}

    def prepare(self, obj: Object, kind: Kind) -> None:
        """Fill what belongs to the server in a new object of a built-in kind."""
        if not kind.custom and (special := _SPECIAL.get((kind.group, kind.kind))):
            special(self, obj)

    def _own_pod(self, obj: Object) -> None:
        """Give a pod its account, the token of that, and the time that it may stay on a node in trouble."""
        spec = obj["spec"]
        account = spec.setdefault("serviceAccountName", "default")
        spec.setdefault("serviceAccount", account)
        self._mount_token(obj, spec, account)
        tolerations = spec.setdefault("tolerations", [])
        for condition in ("not-ready", "unreachable"):
            key = f"node.kubernetes.io/{condition}"
            if not any(_tolerates(toleration, key) for toleration in tolerations):
                tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})

    def _pod(self, obj: Object) -> None:
        obj["status"] = {"phase": "Pending", "qosClass": _quality(obj["spec"])}

    def _mount_token(self, obj: Object, spec: Object, account: str) -> None:
        found = self.store.get(("", "serviceaccounts"), obj["metadata"]["namespace"], account)
        off = found is not None and found.object.get("automountServiceAccountToken") is False
        if spec.get("automountServiceAccountToken", not off) is False:
            return
        present = next(
            (each["name"] for each in spec.get("volumes") or () if str(each.get("name", "")).startswith(_TOKEN_VOLUME)),
            "",
        )
        name = present or f"{_TOKEN_VOLUME}{random_suffix()}"
        mounted = False
        for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
            if container.get("volumeMounts") is None:
                container["volumeMounts"] = []
            mounts = container["volumeMounts"]
            if not any(mount.get("mountPath") == _TOKEN_PATH for mount in mounts):
                mounts.append({"name": name, "readOnly": True, "mountPath": _TOKEN_PATH})
                mounted = True
        if mounted and not present:
            volume = {"name": name, "projected": {"sources": _TOKEN_SOURCES, "defaultMode": 420}}
            spec["volumes"] = [*(spec.get("volumes") or ()), volume]

    def _service(self, obj: Object) -> None:
        spec = obj["spec"]
        if spec["type"] == "ExternalName":
            return
        taken = [stored.object["spec"] for stored in self.store.list(("", "services"))]
        self.allocations.give_address(obj, {other.get("clusterIP") for other in taken})
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        anywhere = spec["clusterIP"] == "None" and not spec.get(
            "selector"
        )  # then nothing tells which families its ends have
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if anywhere else ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "RequireDualStack" if anywhere else "SingleStack")
        if spec["type"] in {"NodePort", "LoadBalancer"}:
            used = {port.get("nodePort") for other in taken for port in other.get("ports") or ()}
            self.allocations.give_ports(obj, used | {other.get("healthCheckNodePort") for other in taken})

    def _volume(self, obj: Object) -> None:
        obj["status"]["lastPhaseTransitionTime"] = obj["metadata"]["creationTimestamp"]

    def _job(self, obj: Object) -> None:
        spec, uid, name = obj["spec"], obj["metadata"]["uid"], obj["metadata"]["name"]
        if spec.get("manualSelector"):
            return
        labels = {
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": name,
            "controller-uid": uid,
            "job-name": name,
        }
        template = spec["template"].setdefault("metadata", {})
        template["labels"] = (template.get("labels") or {}) | labels
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        if not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(template["labels"])

    def _definition(self, obj: Object) -> None:
        stored = [version["name"] for version in obj["spec"].get("versions") or () if version.get("storage")]
        obj["status"]["storedVersions"] = stored

    def _namespace(self, obj: Object) -> None:
        obj["spec"] = {"finalizers": ["kubernetes"]}


def encode_string_data(obj: Object) -> None:
    """Move a Secret's ``stringData`` into its ``data``."""
    if plain := obj.pop("stringData", None):
        encoded = {key: b64encode(value.encode()).decode() for key, value in plain.items()}
        obj["data"] = (obj.get("data") or {}) | encoded


def _protect(obj: Object, finalizer: str) -> None:
    """Hold an object that may be in use until nothing uses it."""
    finalizers = obj["metadata"].setdefault("finalizers", [])
    if finalizer not in finalizers:
        finalizers.append(finalizer)


def _tolerates(toleration: Object, key: str) -> bool:
    covers_key = toleration.get("key") in {None, "", key}
    return covers_key and toleration.get("effect") in {None, "", "NoExecute"}


def _quality(spec: Object) -> str:
    """Return the quality-of-service class of a pod."""
    own = spec.get("resources")  # of the pod as a whole, which then decide alone
    resources = [own] if own else [container.get("resources") or {} for container in spec["containers"]]
    if not any(entry.get("requests") or entry.get("limits") for entry in resources):
        return "BestEffort"
    sure = all(
        {"cpu", "memory"} <= (entry.get("limits") or {}).keys() and entry.get("requests") == entry["limits"]
        for entry in resources
    )
    return "Guaranteed" if sure else "Burstable"


_SPECIAL: Final[dict[tuple[str, str], Callable[[Admission, Object], None]]] = {
    ("", "Pod"): Admission._pod,  # noqa: SLF001 - the table of this module's own methods
    ("", "Service"): Admission._service,  # noqa: SLF001
    ("", "Namespace"): Admission._namespace,  # noqa: SLF001
    ("", "PersistentVolume"): Admission._volume,  # noqa: SLF001
    ("batch", "Job"): Admission._job,  # noqa: SLF001
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Admission._definition,  # noqa: SLF001
}
