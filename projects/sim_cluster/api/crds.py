"""CustomResourceDefinitions: accepted names, Established, and the kinds they bring. Listens to the store.

This is kube-apiserver's own work, not a controller's, so it stands in the API.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Final

from projects.sim_cluster.api.kinds import Column, Kind, Object, Registry, ScalePaths, Subresource
from projects.sim_cluster.api.schema import Definitions, custom_schema
from projects.sim_cluster.api.store import Change, Store
from projects.sim_cluster.api.timestamps import timestamp

STORAGE: Final = ("apiextensions.k8s.io", "customresourcedefinitions")
_SUB_VERBS: Final = ("get", "patch", "update")


def kinds_of(definition: Object, definitions: Definitions) -> list[Kind]:
    """Return the kinds of a definition, one for each version that is served; the stored version first."""
    versions = sorted(definition["spec"]["versions"], key=lambda version: not version.get("storage"))
    return [_kind(definition["spec"], version, definitions) for version in versions if version.get("served")]


def _kind(spec: Object, version: Object, definitions: Definitions) -> Kind:
    names = spec["names"]
    subresources = version.get("subresources") or {}
    own = (spec["group"], version["name"], names["kind"])
    found = {"status": Subresource("status", _SUB_VERBS, own)} if "status" in subresources else {}
    if scale := subresources.get("scale"):
        found["scale"] = Subresource("scale", _SUB_VERBS, ("autoscaling", "v1", "Scale"))
    return Kind(
        group=spec["group"],
        version=version["name"],
        resource=names["plural"],
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        schema=custom_schema((version.get("schema") or {}).get("openAPIV3Schema"), definitions),
        singular=names.get("singular") or names["kind"].lower(),
        verbs=_VERBS,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=found,
        custom=True,
        columns=tuple(map(_column, version.get("additionalPrinterColumns") or ())),
        scale=ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", ""))
        if scale
        else None,
        selectable=tuple(field["jsonPath"].strip(".") for field in version.get("selectableFields") or ()),
        list_kind=names.get("listKind") or f"{names['kind']}List",
        storage_hash=_storage_hash(spec),
        deprecated=_deprecation(spec, version),
    )


def _storage_hash(spec: Object) -> str:
    stored = next((version["name"] for version in spec["versions"] if version.get("storage")), "")
    digest = hashlib.sha256(f"{spec['group']}/{stored}/{spec['names']['kind']}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _deprecation(spec: Object, version: Object) -> str:
    """Return what who uses a deprecated version is told; empty for one that is not."""
    if not version.get("deprecated"):
        return ""
    if said := version.get("deprecationWarning"):
        return str(said)
    kind = spec["names"]["kind"]
    found = f"{spec['group']}/{version['name']} {kind} is deprecated"
    others = [v["name"] for v in spec["versions"] if v.get("served") and not v.get("deprecated")]
    better = max((name for name in others if priority(name) > priority(version["name"])), key=priority, default="")
    return f"{found}; use {spec['group']}/{better} {kind}" if better else found


def priority(version: str) -> tuple[int, int, int]:
    """Return what a version is ordered by: v2 before v1 before v1beta2 before v1alpha1, anything else last."""
    parsed = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if not parsed:
        return (0, 0, 0)
    major, stage, minor = parsed.groups()
    return ({"alpha": 1, "beta": 2}.get(stage or "", 3), int(major), int(minor or 0))


#: In the order in which the server lists the verbs of custom resources.
_VERBS: Final = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


def _column(column: Object) -> Column:
    return Column(
        column["name"],
        column["type"],
        column["jsonPath"],
        column.get("priority", 0),
        column.get("format", ""),
        column.get("description", ""),
    )


class CustomResources:
    """Keeps the registry in step with the definitions that are stored."""

    def __init__(self, store: Store, registry: Registry, definitions: Definitions, now: Callable[[], float]) -> None:
        self.store, self.registry, self.definitions, self.now = store, registry, definitions, now
        store.listeners.append(self.observe)

    def observe(self, change: Change) -> None:
        """Serve, change or stop serving the kinds of a definition that was written."""
        if change.storage != STORAGE:
            return
        if change.before is not None:
            for kind in kinds_of(change.before.object, self.definitions):
                self.registry.remove(kind.group, kind.version, kind.resource)
        if change.type == "DELETED":
            spec = change.now.object["spec"]
            self.store.drop((spec["group"], spec["names"]["plural"]))
            return
        kinds = kinds_of(change.now.object, self.definitions)
        for kind in kinds:
            self.registry.add(kind)
        if change.before is None and kinds:
            self.store.begin(kinds[0].storage)
        if not (change.now.object.get("status") or {}).get("conditions"):
            self._establish(change.now.object)

    def _establish(self, definition: Object) -> None:
        self.store.put(
            STORAGE, definition | {"metadata": dict(definition["metadata"]), "status": self._status(definition["spec"])}
        )

    def _status(self, spec: Object) -> Object:
        now = timestamp(self.now())
        accepted = {"type": "NamesAccepted", "status": "True", "lastTransitionTime": now, "reason": "NoConflicts",
                    "message": "no conflicts found"}  # fmt: skip
        established = {"type": "Established", "status": "True", "lastTransitionTime": now, "reason": "InitialNamesAccepted",
                       "message": "the initial names have been accepted"}  # fmt: skip
        stored = [version["name"] for version in spec["versions"] if version.get("storage")]
        return {"conditions": [accepted, established], "acceptedNames": spec["names"], "storedVersions": stored}
