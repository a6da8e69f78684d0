"""Writes a shape into the API: each object, then its status where it has one of its own. Called by `server`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.at_once import at_once
from projects.sim_cluster.api.identity import component
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.requests import WriteOptions

_ADMIN: Final = component("admin")
_INSTALLER: Final = WriteOptions(manager="installer", by=_ADMIN)
_STATUS: Final = WriteOptions(manager="installer", by=_ADMIN, subresource="status")


def seed(api: Api, objects: Iterable[Object]) -> None:
    """Create objects in order."""
    for obj in objects:
        kind = kind_of(api, obj)
        namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        at_once(api.resources.create(kind, namespace, obj, _INSTALLER))
        if "status" in obj and kind.has_status:
            at_once(api.resources.patch(kind, namespace, name, "merge", {"status": obj["status"]}, _STATUS))


def kind_of(api: Api, obj: Object) -> Kind:
    """Return the kind of an object that the API serves: what it does not serve, no shape and no prepared state holds."""
    kind = api.registry.of_object(obj["apiVersion"], obj["kind"])
    if kind is None:
        raise LookupError(f"a {obj['apiVersion']} {obj['kind']} is not served")
    return kind
