"""What a CustomResourceDefinition must hold. A check of `writes`, registered by `application`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.admission_requests import AdmissionRequest
from projects.sim_cluster.api.definition_rules import rule_definition_causes, unsupported_rules
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid, invalid_value, not_supported, required
from projects.sim_cluster.api.formats import KNOWN
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import dns_label_1035, shown
from projects.sim_cluster.api.schema import nodes_of

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_SCOPES: Final = ("Cluster", "Namespaced")


def check_definition(asked: AdmissionRequest) -> None:
    """Refuse to store a definition that cannot be served."""
    if (asked.kind.group, asked.kind.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        check_servable(asked.kind, asked.after)


def check_servable(kind: Kind, definition: Object) -> None:
    """Refuse a definition that cannot be served."""
    if found := list(_causes(definition)):
        raise invalid(kind, definition["metadata"]["name"], found)


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
    if (group := spec.get("group")) and "." not in group:
        yield invalid_value("spec.group", shown(group), "should be a domain with at least one dot")
    for field, name in (("plural", names.get("plural")), ("singular", names.get("singular"))):
        yield from dns_label_1035(name, f"spec.names.{field}") if name else ()
    for index, name in enumerate(names.get("shortNames") or ()):
        yield from dns_label_1035(name, f"spec.names.shortNames[{index}]")
    if spec.get("scope") not in _SCOPES:
        yield not_supported("spec.scope", shown(spec.get("scope", "")), _SCOPES)
    yield from _conversion_causes(spec)
    yield from _version_causes(spec.get("versions") or [])


def _conversion_causes(spec: Object) -> Iterator[Cause]:
    conversion = spec.get("conversion") or {}
    strategy, webhook = conversion.get("strategy", "None"), conversion.get("webhook") or {}
    if strategy not in {"None", "Webhook"}:
        yield not_supported("spec.conversion.strategy", shown(strategy), ("None", "Webhook"))
    elif strategy == "Webhook":
        if not webhook.get("clientConfig"):
            yield required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook")
        if not webhook.get("conversionReviewVersions"):
            yield required("spec.conversion.conversionReviewVersions")
    if spec.get("preserveUnknownFields"):
        message = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        )
        yield invalid_value("spec.preserveUnknownFields", "true", message)


def _said(versions: list[Object]) -> list[Object]:
    """Return versions as Go prints its structs."""
    return [
        {"Name": version.get("name", ""), "Served": bool(version.get("served")), "Storage": bool(version.get("storage")),
         "Deprecated": bool(version.get("deprecated")), "DeprecationWarning": version.get("deprecationWarning"),
         "Schema": None, "Subresources": None, "AdditionalPrinterColumns": None, "SelectableFields": None}
        for version in versions
    ]  # fmt: skip


def _version_causes(versions: list[Object]) -> Iterator[Cause]:
    for index, version in enumerate(versions):
        wrong = list(dns_label_1035(version.get("name", ""), f"spec.versions[{index}].name"))
        yield from wrong
        if index == 0:
            yield from (Cause("spec.version", cause.reason, cause.message) for cause in wrong)
        if version.get("deprecationWarning") and not version.get("deprecated"):
            message = "can only be set for deprecated versions"
            field = f"spec.versions[{index}].deprecationWarning"
            yield invalid_value(field, shown(version["deprecationWarning"]), message)
    names = [version.get("name") for version in versions]
    if len(set(names)) != len(names):
        yield invalid_value("spec.versions", shown(_said(versions)), "must contain unique version names")
    stored = sum(1 for version in versions if version.get("storage"))
    if stored != 1:
        message = "must have exactly one version marked as storage version"
        yield invalid_value("spec.versions", shown(_said(versions)), message)
    if not stored:
        yield invalid_value("status.storedVersions", "null", "must have at least one stored version")
    yield from _content_causes(versions)


def _content_causes(versions: list[Object]) -> Iterator[Cause]:
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in versions]
    for index, (version, schema) in enumerate(zip(versions, schemas, strict=True)):
        at = f"spec.versions[{index}]"
        if not schema:
            yield required(f"{at}.schema.openAPIV3Schema", "schemas are required")
        elif not _shared(schemas):
            yield from structural_causes(schema, f"{at}.schema.openAPIV3Schema")
        elif index == 0:
            yield from structural_causes(schema, "spec.validation.openAPIV3Schema")
        for field, check in (("additionalPrinterColumns", _column_causes), ("subresources", _subresource_causes)):
            if not _shared([other.get(field) for other in versions]):
                yield from check(version.get(field), f"{at}.{field}")
            elif index == 0:
                yield from check(version.get(field), f"spec.{field}")


def _shared(values: list[Any]) -> bool:
    """Return whether all versions say the same: the server then keeps, and names, one for all."""
    return all(value == values[0] for value in values)


def _column_causes(columns: Any, path: str) -> Iterator[Cause]:
    for index, column in enumerate(columns or ()):
        at, kind = f"{path}[{index}]", column.get("type", "")
        if not column.get("name"):
            yield required(f"{at}.name")
        if not kind:
            yield required(f"{at}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
        elif kind not in _COLUMN_TYPES:
            yield invalid_value(f"{at}.type", shown(kind), f"must be one of {','.join(_COLUMN_TYPES)}")
        yield from _path_causes(column.get("jsonPath", ""), f"{at}.JSONPath")


def _subresource_causes(subresources: Any, path: str) -> Iterator[Cause]:
    scale: Any = (subresources or {}).get("scale")
    if scale is not None:
        for field in ("specReplicasPath", "statusReplicasPath"):
            yield from _path_causes(scale.get(field, ""), f"{path}.scale.{field}")


def _path_causes(value: str, field: str) -> Iterator[Cause]:
    if not value:
        yield required(field)
    elif not value.startswith("."):
        yield invalid_value(field, shown(value), "must be a simple json path starting with .")


def structural_causes(schema: Object, path: str) -> Iterator[Cause]:
    """Yield where a schema is not structural: it must say the type of everything it specifies."""
    if not schema.get("type"):
        yield required(f"{path}.type", "must not be empty at the root")
    elif schema["type"] != "object":
        yield invalid_value(f"{path}.type", shown(schema["type"]), "must be object at the root")
    yield from _inner_causes(schema, path)
    yield from rule_definition_causes(schema, path, is_whole=True)


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
    yield from _keyword_causes(node, path)
    yield from rule_definition_causes(node, path)
    free = node.get("x-kubernetes-int-or-string") or node.get("x-kubernetes-preserve-unknown-fields")
    if not node.get("type") and not free and not node.get("$ref"):
        yield required(f"{path}.type", f"must not be empty for specified {what}")
    elif node.get("type", "object") not in _TYPES:
        yield not_supported(f"{path}.type", shown(node["type"]), _TYPES)


def _keyword_causes(node: Object, path: str) -> Iterator[Cause]:
    if node.get("$ref"):
        yield forbidden_change(f"{path}.$ref", "$ref is not supported")
    if node.get("uniqueItems"):
        message = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden_change(f"{path}.uniqueItems", message)
    if node.get("properties") and node.get("additionalProperties"):
        message = "additionalProperties and properties are mutual exclusive"
        yield forbidden_change(f"{path}.additionalProperties", message)
    kind = node.get("x-kubernetes-list-type")
    if kind not in {None, "atomic", "set", "map"}:
        yield not_supported(f"{path}.x-kubernetes-list-type", shown(kind), ("atomic", "set", "map"))
    elif kind == "map" and not node.get("x-kubernetes-list-map-keys"):
        message = "must not be empty if x-kubernetes-list-type is map"
        yield required(f"{path}.x-kubernetes-list-map-keys", message)


def definition_warnings(definition: Object) -> Iterator[str]:
    """Yield what of a definition is accepted and then not done."""
    for version in (definition.get("spec") or {}).get("versions") or ():
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        for name in _unknown_formats(schema):
            yield f'unrecognized format "{name}"'
        for rule in unsupported_rules(schema):
            yield f"the simulated cluster does not evaluate this rule of version {version.get('name', '')}: {rule}"


def _unknown_formats(schema: Any) -> Iterator[str]:
    for node in nodes_of(schema):
        name = node.get("format") if node.get("type") == "string" else None
        if isinstance(name, str) and name and name not in KNOWN:
            yield name
