"""A short notation for the schemas of custom kinds, for those that have many fields of which few matter.

``spec!{name! channel size:int~1 mode=fast|slow labels:labels template{kind! rest:any}} status:any`` says: the field ``spec`` must be
there; in it ``name`` must be there, a string like all that say nothing else; ``size`` is an integer, 1 unless given; ``mode`` is one
of two strings; and so on. Types: ``int``, ``bool``, ``list`` (of objects), ``texts`` (of strings), ``labels`` (a map of strings),
``either`` (an integer or a string), ``any`` (an object with any field).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from projects.sim_cluster.packages.custom_kind import ANYTHING

Schema = dict[str, Any]
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<close>\})|(?P<name>\w+)(?P<must>!)?(?::(?P<type>\w+))?(?:=(?P<choice>[\w|-]+))?(?:~(?P<default>[\w-]+))?(?P<open>\{)?)"
)
_TEXT: Final[Schema] = {"type": "string"}
_TYPES: Final[dict[str, Schema]] = {
    "": _TEXT, "int": {"type": "integer"}, "bool": {"type": "boolean"}, "any": ANYTHING, "list": {"type": "array", "items": ANYTHING},
    "texts": {"type": "array", "items": _TEXT}, "labels": {"type": "object", "additionalProperties": _TEXT},
    "either": {"x-kubernetes-int-or-string": True},
}  # fmt: skip


class NotationError(ValueError):
    """A text that is no such notation."""


def fields(notation: str) -> dict[str, Schema]:
    """Return the schemas of top-level fields."""
    found, end = _object(notation, 0)
    if notation[end:].strip():
        raise NotationError(f"{notation!r}: nothing is expected after {notation[:end]!r}")
    return dict(found["properties"])


def _object(notation: str, at: int) -> tuple[Schema, int]:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    while (match := _TOKEN.match(notation, at)) is not None:
        at = match.end()
        if match["close"]:
            break
        if match["open"]:
            schema, at = _object(notation, at)
        else:
            schema = _leaf(match)
        properties[match["name"]] = schema
        if match["must"]:
            required.append(match["name"])
    return {"type": "object", "properties": properties} | ({"required": required} if required else {}), at


def _leaf(match: re.Match[str]) -> Schema:
    kind = match["type"] or ""
    if kind not in _TYPES:
        raise NotationError(f"{match[0].strip()!r}: there is no type {kind!r}")
    schema = dict(_TYPES[kind])
    if match["choice"]:
        schema["enum"] = match["choice"].split("|")
    if match["default"]:
        schema["default"] = match["default"] if kind == "" else json.loads(match["default"])
    return schema
