"""Custom resources against the structural schema of their CRD: defaults, then what is wrong.

`resources` calls both for custom kinds. What a schema says in rules is checked by `custom_rules`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.alternatives import alternative_causes
from projects.sim_cluster.api.errors import Cause, invalid_value, not_supported, required
from projects.sim_cluster.api.formats import FORMATS, searches
from projects.sim_cluster.api.kinds import ScalePaths
from projects.sim_cluster.api.names import dns_label_1035, shown, without_value
from projects.sim_cluster.api.ratcheting import ABSENT, field_before, item_before
from projects.sim_cluster.api.refusals import go_text
from projects.sim_cluster.api.schema import DECLARED_METADATA, Schema

_LARGEST_SCALE: Final = 2**31 - 1
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "object": (dict,), "array": (list,),
}  # fmt: skip


def set_custom_defaults(value: Any, schema: Schema | None) -> None:
    """Fill the defaults that the schema declares into an object that nobody else holds."""
    if schema is None:
        return
    if isinstance(value, dict):
        for key, node in schema.node.get("properties", {}).items():
            if key not in value and "default" in node:
                value[key] = copy.deepcopy(node["default"])
        for key, item in value.items():
            set_custom_defaults(item, schema.child(key))
    elif isinstance(value, list):
        for item in value:
            set_custom_defaults(item, schema.items)


def custom_causes(before: Any, after: Any, schema: Schema) -> Iterator[Cause]:
    """Yield what the schema finds wrong with an object, or with what changes of it; its metadata is checked elsewhere."""
    for key in sorted(schema.required - after.keys()):
        yield Cause(key, "FieldValueRequired", "Required value")
    yield from _named(after["metadata"], schema)
    for key, value in sorted(after.items()):
        if key not in {"metadata", "apiVersion", "kind"} and (child := schema.child(key)) is not None:
            yield from _value(field_before(before, key), value, child, key)


def _named(metadata: dict[str, Any], schema: Schema) -> Iterator[Cause]:
    """Yield what is wrong with a name by what a definition may say of metadata, which is nothing else."""
    declared = Schema(schema.node.get(DECLARED_METADATA, {})).child("name")
    if declared is not None:
        yield from _value(ABSENT, metadata.get("name", ""), declared, "metadata.name")


def scale_causes(obj: Any, paths: ScalePaths) -> Iterator[Cause]:
    """Yield what is wrong with the numbers that a custom resource's ``/scale`` shows."""
    for path in (paths.spec, paths.status):
        value: Any = obj
        for key in path.strip(".").split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool):
            found = {str: "string", float: "float64", bool: "bool", list: "[]interface {}"}.get(
                type(value), "map[string]interface {}"
            )
            message = f"{path} accessor error: {go_text(value)} is of the type {found}, expected int64"
            yield invalid_value(path, "0", message)
        elif value < 0:
            yield invalid_value(path, str(value), "should be a non-negative integer")
        elif value > _LARGEST_SCALE:
            yield invalid_value(path, str(value), f"should be less than or equal to {_LARGEST_SCALE}")


def _value(before: Any, value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    node = schema.node
    if before == value or (value is None and node.get("nullable")):
        return
    yield from alternative_causes(node, path, lambda part: list(_value(ABSENT, value, Schema(part), path)))
    wanted = _TYPES.get(schema.type)
    if schema.is_int_or_string:
        wanted = (int, str)
    if wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and schema.type != "boolean")):
        yield Cause(path, "FieldValueTypeInvalid", _type_message(value, schema, path))
        return
    if "enum" in node and value not in node["enum"]:
        yield not_supported(path, shown(value), [str(choice) for choice in node["enum"]])
    if isinstance(value, dict):
        yield from _object(before, value, schema, path)
    elif isinstance(value, list):
        yield from _list(before, value, schema, path)
    elif isinstance(value, str):
        yield from _string(value, node, path)
    elif not isinstance(value, bool):
        yield from _number(value, node, path)


def _type_message(value: Any, schema: Schema, path: str) -> str:
    found = next((name for name, types in _TYPES.items() if type(value) in types), "null")
    wanted = "integer,string" if schema.is_int_or_string else schema.type
    if value is None:
        return f'Invalid value: "null": {path} in body must be of type {schema.type}: "null"'
    return f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'


def _object(before: Any, value: dict[str, Any], schema: Schema, path: str) -> Iterator[Cause]:
    for key in sorted(schema.required - value.keys()):
        yield Cause(f"{path}.{key}", "FieldValueRequired", "Required value")
    yield from _count_causes(value, schema.node, path)
    if schema.is_embedded:
        yield from _kind_causes(value, path)
    for key, item in sorted(value.items()):
        if (child := schema.child(key)) is not None:
            yield from _value(field_before(before, key), item, child, f"{path}.{key}")


def _count_causes(value: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[Cause]:
    if (most := node.get("maxProperties", len(value))) < len(value):
        items = "item" if most == 1 else "items"
        yield Cause(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} {items}")
    if len(value) < node.get("minProperties", 0):
        message = f"{path} in body should have at least {node['minProperties']} properties"
        yield invalid_value(path, str(len(value)), message)


def _kind_causes(value: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with what an object inside of another one says that it is."""
    for key in ("apiVersion", "kind"):
        if key not in value:
            yield required(f"{path}.{key}")
        elif not value[key]:
            yield invalid_value(f"{path}.{key}", '""', "must not be empty")
    kind = value.get("kind") or "none"
    for cause in dns_label_1035(kind.lower(), ""):
        message = f"may have mixed case, but should otherwise match: {without_value(cause, kind.lower())}"
        yield invalid_value(f"{path}.kind", shown(kind), message)


def _list(before: Any, value: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    node = schema.node
    if len(value) > node.get("maxItems", len(value)):
        yield Cause(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {node['maxItems']} items")
    if len(value) < node.get("minItems", 0):
        yield invalid_value(path, str(len(value)), f"{path} in body should have at least {node['minItems']} items")
    yield from _twice(value, schema, path)
    for index, item in enumerate(value):
        if schema.items is not None:
            yield from _value(item_before(before, item, schema.list_keys), item, schema.items, f"{path}[{index}]")


def _twice(value: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    """Yield the items of a set or of a keyed list that are there already."""
    seen: list[Any] = []
    for index, item in enumerate(value):
        keys = schema.list_keys
        key = {name: item.get(name) for name in keys if name in item} if keys and isinstance(item, dict) else item
        if (keys or schema.is_set) and key in seen:
            yield Cause(f"{path}[{index}]", "FieldValueDuplicate", f"Duplicate value: {shown(key)}")
        seen.append(key)


def _string(value: str, node: dict[str, Any], path: str) -> Iterator[Cause]:
    if len(value) > node.get("maxLength", len(value)):
        yield Cause(path, "FieldValueTooLong", f"Too long: may not be more than {node['maxLength']} bytes")
    elif len(value) < node.get("minLength", 0):
        yield invalid_value(path, shown(value), f"{path} in body should be at least {node['minLength']} chars long")
    elif "pattern" in node and not searches(node["pattern"], value):
        yield invalid_value(path, shown(value), f"{path} in body should match '{node['pattern']}'")
    if (fits := FORMATS.get(node.get("format", ""))) and not fits(value):
        message = f"Invalid value: {shown(value)}: {path} in body must be of type {node['format']}: {shown(value)}"
        yield Cause(path, "FieldValueTypeInvalid", message)


def _number(value: float, node: dict[str, Any], path: str) -> Iterator[Cause]:
    least, most = node.get("minimum", value), node.get("maximum", value)
    if value < least or (value == node.get("minimum") and node.get("exclusiveMinimum")):
        words = "greater than" if node.get("exclusiveMinimum") else "greater than or equal to"
        yield invalid_value(path, str(value), f"{path} in body should be {words} {least}")
    if value > most or (value == node.get("maximum") and node.get("exclusiveMaximum")):
        words = "less than" if node.get("exclusiveMaximum") else "less than or equal to"
        yield invalid_value(path, str(value), f"{path} in body should be {words} {most}")
    if (step := node.get("multipleOf")) and value % step:
        yield invalid_value(path, str(value), f"{path} in body should be a multiple of {step}")
