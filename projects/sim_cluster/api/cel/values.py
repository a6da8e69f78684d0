"""Objects as CEL sees them: typed by their schema, with fields that can be named in an expression. Called by `rules`."""

from __future__ import annotations

import base64
import re
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final

from celpy import celtypes

from projects.sim_cluster.api.formats import duration_seconds
from projects.sim_cluster.api.schema import Schema

_LITERALS: Final = frozenset({"true", "false", "null", "in"})
_RESERVED: Final = frozenset({
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "namespace", "package", "return",
    "var", "void", "while",
})  # fmt: skip
_ESCAPES: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_OF_METADATA: Final = frozenset({"name", "generateName"})
"""All that a rule can see of the metadata."""
#: The key that was looked for first and not found: what an evaluation that failed has most probably failed for.
missed: ContextVar[str] = ContextVar("missed", default="")


class Fields(celtypes.MapType):
    """The fields of an object, or the entries of a map."""

    def __getitem__(self, key: Any) -> Any:
        """Return what stands there; take note of what does not."""
        if key not in self and not missed.get():
            missed.set(str(key))
        return super().__getitem__(key)


def named(field: str) -> tuple[str, ...]:
    """Return the names by which an expression may select a field.

    The rules are those of the API's documentation of ``x-kubernetes-validations``; what is reserved may be written plainly
    too, as the real server was found to accept it.
    """
    if field in _LITERALS:
        return (f"__{field}__",)
    if field in _RESERVED:
        return (field, f"__{field}__")
    return (re.sub(r"__|[.\-/]", lambda found: _ESCAPES[found.group()], field),)


def to_cel(value: Any, schema: Schema | None) -> Any:
    """Return a JSON value as CEL has it."""
    match value:
        case None:
            return None
        case bool():
            return celtypes.BoolType(value)
        case int() if schema is None or schema.type != "number":
            return celtypes.IntType(value)
        case int() | float():
            return celtypes.DoubleType(value)
        case str():
            return _text(value, schema)
        case list():
            items = schema.items if schema is not None else None
            return celtypes.ListType([to_cel(item, items) for item in value])
    return _fields(value, schema)


def _text(value: str, schema: Schema | None) -> Any:
    form = schema.node.get("format", "") if schema is not None and schema.type == "string" else ""
    if form == "byte":
        return celtypes.BytesType(base64.b64decode(value))
    if form in {"date", "date-time"}:
        return celtypes.TimestampType(value if "T" in value.upper() else f"{value}T00:00:00Z")
    if form == "duration" and (seconds := duration_seconds(value)) is not None:
        return celtypes.DurationType(timedelta(seconds=seconds))
    return celtypes.StringType(value)


def _fields(value: dict[str, Any], schema: Schema | None) -> Fields:
    found = Fields()
    for key, item in value.items():
        child = schema.child(key) if schema is not None else None
        shown = {name: item[name] for name in _OF_METADATA & item.keys()} if _is_metadata(key, child) else item
        for name in named(key) if schema is not None and schema.has_field(key) else (key,):
            found[celtypes.StringType(name)] = to_cel(shown, child)
    return found


def _is_metadata(key: str, schema: Schema | None) -> bool:
    return key == "metadata" and schema is not None and schema.short_name == "ObjectMeta"
