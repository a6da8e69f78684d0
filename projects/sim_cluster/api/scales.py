"""The ``Scale`` of an object: what ``/scale`` shows of it, and what it changes. Used by `subresources` and by `webhooks.writing`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.kinds import Kind, Object, ScalePaths
from projects.sim_cluster.api.selectors import selector_text

SCALE: Final = "scale"


def _at(obj: Any, path: str) -> Any:
    for part in path.strip(".").split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def replicas_patch(kind: Kind, replicas: int) -> Object:
    """Return the merge patch that gives an object of a kind so many replicas."""
    return patch_at((kind.scale or ScalePaths()).spec, replicas)


def patch_at(path: str, value: Any) -> Object:
    """Return the merge patch that puts a value at a path."""
    for part in reversed(path.strip(".").split(".")):
        value = {part: value}
    return dict(value)


def scale_of(kind: Kind, obj: Object) -> Object:
    """Return the ``Scale`` of an object."""
    paths = kind.scale or ScalePaths()
    metadata = {
        key: obj["metadata"][key]
        for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if key in obj["metadata"]
    }
    selector = selector_text(
        _at(obj, paths.selector) if kind.custom and paths.selector else (obj.get("spec") or {}).get("selector")
    )
    status: Object = {"replicas": _at(obj, paths.status) or 0}
    if selector and (not kind.custom or paths.selector):
        status["selector"] = selector
    replicas = _at(obj, paths.spec)
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}
