"""What a CustomResourceDefinition must hold. A check of `writes`, registered by `application`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projects.sim_cluster.api.errors import Cause, invalid, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import shown

_SCOPES: Final = ("Cluster", "Namespaced")


def check_definition(kind: Kind, _before: Object | None, after: Object) -> None:
    """Refuse a definition that cannot be served."""
    if (kind.group, kind.kind) != ("apiextensions.k8s.io", "CustomResourceDefinition"):
        return
    if found := list(_causes(after)):
        raise invalid(kind, after["metadata"]["name"], found)


def _causes(definition: Object) -> Iterator[Cause]:
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    for field, value in (
        ("spec.group", spec.get("group")),
        ("spec.names.plural", names.get("plural")),
        ("spec.names.kind", names.get("kind")),
    ):
        if not value:
            yield required(field)
    wanted = f"{names.get('plural', '')}.{spec.get('group', '')}"
    if definition["metadata"]["name"] != wanted:
        message = 'must be spec.names.plural+"."+spec.group'
        yield invalid_value("metadata.name", shown(definition["metadata"]["name"]), message)
    if spec.get("scope") not in _SCOPES:
        yield not_supported("spec.scope", shown(spec.get("scope", "")), _SCOPES)
    yield from _version_causes(spec.get("versions") or [])


def _version_causes(versions: list[Object]) -> Iterator[Cause]:
    if sum(1 for version in versions if version.get("storage")) != 1:
        yield invalid_value("spec.versions", shown(versions), "must have exactly one version marked as storage version")
    for index, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
