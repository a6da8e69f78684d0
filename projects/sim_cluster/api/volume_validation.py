"""What the volumes of a pod must hold. Called by `pod_validation`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from projects.sim_cluster.api.checks import Causes, choice, duplicate, mode, needed, relative_path
from projects.sim_cluster.api.container_validation import field_reference, resource_reference
from projects.sim_cluster.api.errors import forbidden_change, invalid_value, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import dns_label, shown
from projects.sim_cluster.api.quantities import amount

_HOST_TYPES: Final = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)


def volumes(spec: Object, path: str) -> Causes:
    """Check the volumes of a pod."""
    names: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        at, name = f"{path}.volumes[{index}]", volume.get("name", "")
        yield from _sources(volume, at)
        if not name:
            yield required(f"{at}.name")
            continue
        yield from dns_label(name, f"{at}.name")
        if name in names:
            yield duplicate(name, f"{at}.name")
        names.add(name)


def _sources(volume: Object, path: str) -> Causes:
    given = [key for key in _ORDER if key in volume] + sorted(volume.keys() - {"name", *_ORDER})
    for number, key in enumerate(given):
        if number:
            yield forbidden_change(f"{path}.{key}", "may not specify more than 1 volume type")
        elif key in _CHECKS:
            yield from _CHECKS[key](volume[key] or {}, f"{path}.{key}")


def _empty(source: Object, path: str) -> Causes:
    if "sizeLimit" in source and amount(source["sizeLimit"]).value < 0:
        yield forbidden_change(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _host_path(source: Object, path: str) -> Causes:
    yield from needed(source, path, "path")
    if ".." in source.get("path", "").split("/"):
        yield invalid_value(f"{path}.path", shown(source["path"]), "must not contain '..'")
    yield from choice(source.get("type"), f"{path}.type", _HOST_TYPES)


def _secret(source: Object, path: str) -> Causes:
    yield from needed(source, path, "secretName")
    yield from _files(source, path)


def _config_map(source: Object, path: str) -> Causes:
    yield from needed(source, path, "name")
    yield from _files(source, path)


def _files(source: Object, path: str) -> Causes:
    yield from mode(source.get("defaultMode"), f"{path}.defaultMode")
    for index, item in enumerate(source.get("items") or ()):
        at = f"{path}.items[{index}]"
        yield from needed(item, at, "key", "path")
        yield from relative_path(item.get("path", ""), f"{at}.path")
        yield from mode(item.get("mode"), f"{at}.mode")


def _claim(source: Object, path: str) -> Causes:
    return needed(source, path, "claimName")


def _nfs(source: Object, path: str) -> Causes:
    yield from needed(source, path, "server", "path")
    if not source.get("path", "").startswith("/"):
        yield invalid_value(f"{path}.path", shown(source.get("path", "")), "must be an absolute path")


def _downward(source: Object, path: str) -> Causes:
    yield from mode(source.get("defaultMode"), f"{path}.defaultMode")
    for index, item in enumerate(source.get("items") or ()):
        at = f"{path}.items[{index}]"
        yield from needed(item, at, "path")
        yield from relative_path(item.get("path", ""), f"{at}.path")
        if "fieldRef" in item:
            yield from field_reference(item["fieldRef"], f"{path}.fieldRef")
        elif "resourceFieldRef" in item:
            yield from resource_reference(item["resourceFieldRef"], f"{path}.resourceFieldRef")
        else:
            yield required(path, "one of fieldRef and resourceFieldRef is required")


def _csi(source: Object, path: str) -> Causes:
    return needed(source, path, "driver")


def _ephemeral(source: Object, path: str) -> Causes:
    return needed(source, path, "volumeClaimTemplate")


def _projected(source: Object, path: str) -> Causes:
    yield from mode(source.get("defaultMode"), f"{path}.defaultMode")
    for index, part in enumerate(source.get("sources") or ()):
        for key in ("secret", "configMap"):
            if key in part:
                yield from needed(part[key], f"{path}.sources[{index}].{key}", "name")


_CHECKS: Final[dict[str, Callable[[Object, str], Causes]]] = {
    "emptyDir": _empty, "hostPath": _host_path, "secret": _secret, "configMap": _config_map, "persistentVolumeClaim": _claim,
    "nfs": _nfs, "downwardAPI": _downward, "csi": _csi, "ephemeral": _ephemeral, "projected": _projected,
}  # fmt: skip
_ORDER: Final = tuple(_CHECKS)
