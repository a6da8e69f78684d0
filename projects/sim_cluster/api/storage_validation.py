"""What claims, volumes, storage classes, config maps, secrets, quotas and limits must hold. Called through `spec_checks`."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import Any, Final

from projects.sim_cluster.api.checks import Causes, choice, label_selector
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import dns_subdomain, key_causes, shown
from projects.sim_cluster.api.quantities import amount

_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES: Final = ("Block", "Filesystem")
_KEY: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_LARGEST: Final = 1024 * 1024
_TYPED: Final[dict[str, tuple[str, ...]]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"), "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",), "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}  # fmt: skip
_ACCOUNT: Final = "kubernetes.io/service-account.name"
_QUOTA_STANDARD: Final = frozenset({
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage",
    "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers",
    "secrets", "persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers",
})  # fmt: skip
_WHOLE: Final = frozenset(name for name in _QUOTA_STANDARD if "." not in name or name.startswith("services."))
_SCOPES: Final = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
)
_LIMIT_TYPES: Final = ("Pod", "Container", "PersistentVolumeClaim")


def _modes(modes: Any, field: str) -> Causes:
    if not modes:
        yield required(field, "at least 1 access mode is required")
    for mode in modes or ():
        yield from choice(mode, field, _MODES)
    if "ReadWriteOncePod" in (modes or ()) and len(modes) > 1:
        yield forbidden_change(field, "may not use ReadWriteOncePod with other access modes")


def claim(obj: Object) -> Causes:
    """Check a PersistentVolumeClaim."""
    spec = obj.get("spec") or {}
    yield from label_selector(spec.get("selector"), "spec.selector")
    yield from _modes(spec.get("accessModes"), "spec.accessModes")
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is None:
        yield required("spec.resources[storage]")
    elif amount(asked).value <= 0:
        yield invalid_value("spec.resources[storage]", shown(asked), "must be greater than zero")
    if name := spec.get("storageClassName"):
        yield from dns_subdomain(name, "spec.storageClassName")
    yield from choice(spec.get("volumeMode"), "spec.volumeMode", _VOLUME_MODES)


_VOLUME_FIELDS: Final = frozenset({
    "accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy", "storageClassName",
    "volumeAttributesClassName", "volumeMode",
})  # fmt: skip


def volume(obj: Object) -> Causes:
    """Check a PersistentVolume."""
    spec = obj.get("spec") or {}
    yield from _modes(spec.get("accessModes"), "spec.accessModes")
    capacity = spec.get("capacity") or {}
    if not capacity:
        yield required("spec.capacity")
    if set(capacity) != {"storage"}:
        yield not_supported("spec.capacity", shown(capacity), ["storage"])
    for name, size in capacity.items():
        if amount(size).value <= 0:
            yield invalid_value(f"spec.capacity[{name}]", shown(size), "must be greater than zero")
    policy = spec.get("persistentVolumeReclaimPolicy")
    yield from choice(policy, "spec.persistentVolumeReclaimPolicy", ("Delete", "Recycle", "Retain"))
    yield from _source(spec)
    if policy == "Recycle" and (spec.get("hostPath") or {}).get("path") == "/":
        yield forbidden_change("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")
    if name := spec.get("storageClassName"):
        yield from dns_subdomain(name, "spec.storageClassName")
    yield from choice(spec.get("volumeMode"), "spec.volumeMode", _VOLUME_MODES)
    if "nodeAffinity" in spec and not spec["nodeAffinity"].get("required"):
        yield required("spec.nodeAffinity.required", "must specify required node constraints")


def _source(spec: Object) -> Causes:
    sources = [key for key in spec if key not in _VOLUME_FIELDS]
    if not sources:
        yield required("spec", "must specify a volume type")
    for key in sorted(sources, key=lambda key: key != "hostPath")[1:]:
        yield forbidden_change(f"spec.{key}", "may not specify more than 1 volume type")
    if ".." in (spec.get("hostPath") or {}).get("path", "").split("/"):
        yield invalid_value("spec.hostPath.path", shown(spec["hostPath"]["path"]), "must not contain '..'")


def storage_class(obj: Object) -> Causes:
    """Check a StorageClass."""
    provisioner = obj.get("provisioner", "")
    yield from key_causes(provisioner.lower(), "provisioner") if provisioner else [required("provisioner")]
    yield from choice(obj.get("reclaimPolicy"), "reclaimPolicy", ("Delete", "Retain"))
    yield from choice(obj.get("volumeBindingMode"), "volumeBindingMode", ("Immediate", "WaitForFirstConsumer"))


def _config_key(key: str, field: str) -> Causes:
    if not re.fullmatch("[-._a-zA-Z0-9]+", key):
        yield invalid_value(field, shown(key), _KEY)
    elif key in {".", ".."}:
        yield invalid_value(field, shown(key), f"must not be '{key}'")
    elif key.startswith(".."):
        yield invalid_value(field, shown(key), "must not start with '..'")


def config_map(obj: Object) -> Causes:
    """Check a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for key in data:
        yield from _config_key(key, f"data[{key}]")
        if key in binary:
            yield invalid_value(f"data[{key}]", shown(key), "duplicate of key present in binaryData")
    for key in binary:
        yield from _config_key(key, f"binaryData[{key}]")
    if sum(len(text) for text in data.values()) + sum(len(text) * 3 // 4 for text in binary.values()) > _LARGEST:
        yield _too_long("[]")


def _too_long(field: str) -> Cause:
    return Cause(field, "FieldValueTooLong", f"Too long: may not be more than {_LARGEST} bytes")


def secret(obj: Object) -> Causes:
    """Check a Secret."""
    data, kind = obj.get("data") or {}, obj.get("type", "Opaque")
    for key in data:
        yield from _config_key(key, f"data[{key}]")
    if sum(len(text) * 3 // 4 for text in data.values()) > _LARGEST:
        yield _too_long("data")
    for key in _TYPED.get(kind, ()):
        if key not in data:
            yield required(f"data[{key}]")
        elif key.startswith(".docker") and (wrong := _json_error(data[key])):
            yield invalid_value(f"data[{key}]", '"<secret contents redacted>"', wrong)
    if kind == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        yield required("data[username]")
        yield required("data[password]")
    if kind == "kubernetes.io/service-account-token" and not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT):
        yield required(f"metadata.annotations[{_ACCOUNT}]")


def _json_error(encoded: str) -> str:
    try:
        text = b64decode(encoded).decode("utf-8", "replace")
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text):
            return "unexpected end of JSON input"
        return f"invalid character '{text[error.pos]}' looking for beginning of value"
    except ValueError:
        return "illegal base64 data"
    return ""


def quota(obj: Object) -> Causes:
    """Check a ResourceQuota."""
    spec = obj.get("spec") or {}
    hard = spec.get("hard") or {}
    for name, value in hard.items():
        yield from _quota_name(name, f"spec.hard[{name}]")
        given = amount(value).value
        if given < 0:
            yield invalid_value(f"spec.hard[{name}]", shown(value), "must be greater than or equal to 0")
        elif (name in _WHOLE - {"cpu", "memory"} or name.startswith("count/")) and given != int(given):
            yield invalid_value(f"spec.hard[{name}]", shown(value), "must be an integer")
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid_value("spec.scopes", shown(scopes), "unsupported scope")
        elif scope == "BestEffort" and hard.keys() - {"pods"}:
            yield invalid_value("spec.scopes", shown(scopes), "unsupported scope applied to resource")


def _quota_name(name: str, field: str) -> Causes:
    yield from key_causes(name, field)
    if "/" not in name and name not in _QUOTA_STANDARD and not re.match(r"(requests\.)?hugepages-", name):
        if re.fullmatch(r"[-\w.]+", name):
            yield invalid_value(field, shown(name), "must be a standard resource type or fully qualified")
        yield invalid_value(field, shown(name), "must be a standard resource for quota")


def limits(obj: Object) -> Causes:
    """Check a LimitRange."""
    for index, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
        yield from _limit(limit, f"spec.limits[{index}]")


def _limit(limit: Object, path: str) -> Causes:
    kind = limit.get("type", "")
    if kind not in _LIMIT_TYPES and "/" not in kind:
        yield invalid_value(f"{path}.type", shown(kind), "must be a standard limit type or fully qualified")
    if kind == "Pod":
        for field in ("default", "defaultRequest"):
            if limit.get(field):
                yield forbidden_change(f"{path}.{field}", "may not be specified when `type` is 'Pod'")
    names = {name for field in ("min", "max", "default", "defaultRequest") for name in limit.get(field) or ()}
    for name in sorted(names):
        yield from _bounds(limit, name, path)


_BOUNDS: Final = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)
_SHOWN: Final = {("min", "max"): "min", ("min", "defaultRequest"): "defaultRequest", ("defaultRequest", "max"): "defaultRequest",
                 ("min", "default"): "min", ("default", "max"): "max", ("defaultRequest", "default"): "defaultRequest"}  # fmt: skip


def _bounds(limit: Object, name: str, path: str) -> Causes:
    for low, high, field, message in _BOUNDS:
        least, most = ((limit.get(key) or {}).get(name) for key in (low, high))
        if least is not None and most is not None and amount(least).value > amount(most).value:
            value = (limit.get(_SHOWN[low, high]) or {})[name]
            yield invalid_value(f"{path}.{field}[{name}]", shown(value), message.format(least, most))
