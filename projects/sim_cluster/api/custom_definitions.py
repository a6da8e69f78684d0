"""What a CustomResourceDefinition must hold. A check of `writes`, registered by `application`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projects.sim_cluster.api.errors import Cause, invalid, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import shown

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
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
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in versions]
    shared = all(schema == schemas[0] for schema in schemas)  # the server then keeps, and names, one for all
    for index, schema in enumerate(schemas):
        if not schema:
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
        elif not shared:
            yield from structural_causes(schema, f"spec.versions[{index}].schema.openAPIV3Schema")
        elif index == 0:
            yield from structural_causes(schema, "spec.validation.openAPIV3Schema")


def structural_causes(schema: Object, path: str) -> Iterator[Cause]:
    """Yield where a schema is not structural: it must say the type of everything it specifies."""
    if not schema.get("type"):
        yield required(f"{path}.type", "must not be empty at the root")
    elif schema["type"] != "object":
        yield invalid_value(f"{path}.type", shown(schema["type"]), "must be object at the root")
    yield from _inner_causes(schema, path)


def _inner_causes(schema: Object, path: str) -> Iterator[Cause]:
    for key, node in sorted((schema.get("properties") or {}).items()):
        yield from _node_causes(node, f"{path}.properties[{key}]", "object fields")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _node_causes(schema["additionalProperties"], f"{path}.additionalProperties", "object fields")
    if isinstance(schema.get("items"), dict):
        yield from _node_causes(schema["items"], f"{path}.items", "array items")
    elif schema.get("type") == "array":
        yield required(f"{path}.items", "must be specified")


def _node_causes(node: Object, path: str, what: str) -> Iterator[Cause]:
    yield from _inner_causes(node, path)
    free = node.get("x-kubernetes-int-or-string") or node.get("x-kubernetes-preserve-unknown-fields")
    if not node.get("type") and not free:
        yield required(f"{path}.type", f"must not be empty for specified {what}")
    elif node.get("type", "object") not in _TYPES:
        yield not_supported(f"{path}.type", shown(node["type"]), _TYPES)
