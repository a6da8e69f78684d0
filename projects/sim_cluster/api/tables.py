"""Tables: what the server answers to ``kubectl get``. Called by `http` for lists, objects and watch events."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from projects.sim_cluster.api.durations import age, human_duration
from projects.sim_cluster.api.kinds import Column, Kind, Object
from projects.sim_cluster.api.printers import PRINTERS
from projects.sim_cluster.api.timestamps import seconds_of

_NAME: Final[Object] = {
    "name": "Name", "type": "string", "format": "name", "priority": 0,
    "description": "Name must be unique within a namespace.",
}  # fmt: skip
_CREATED: Final[Object] = {"name": "Created At", "type": "date", "format": "", "description": "", "priority": 0}
_AGE: Final[Object] = {"name": "Age", "type": "date", "format": "", "description": "", "priority": 0}


def columns_of(kind: Kind) -> list[Object]:
    """Return the column definitions of a kind's table."""
    if not kind.custom:
        return [dict(column) for column in kind.table] if _printer(kind) and kind.table else [_NAME, _CREATED]
    declared = [
        {"name": c.name, "type": c.type, "format": c.format, "description": c.description, "priority": c.priority}
        for c in kind.columns
    ]
    return [_NAME, *(declared or [_AGE])]


def _printer(kind: Kind) -> Any:
    return (
        PRINTERS.get(kind.storage) if (kind.group, kind.resource) == kind.storage or kind.resource == "events" else None
    )


def cells_of(kind: Kind, obj: Object, now: float) -> list[Any]:
    """Return the cells of an object, one for each column."""
    if not kind.custom:
        printer = _printer(kind)
        if printer is None or not kind.table:
            return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]
        return list(printer(obj, now))
    if not kind.columns:
        return [obj["metadata"]["name"], age(obj["metadata"].get("creationTimestamp"), now)]
    return [obj["metadata"]["name"], *(_custom_cell(obj, column, now) for column in kind.columns)]


def _custom_cell(obj: Object, column: Column, now: float) -> Any:
    found = values_at(obj, column.path)
    if not found:
        return None
    value = found[0]
    if column.type == "string":
        return _printed(value)
    if column.type == "date":
        return _aged(value, now) if isinstance(value, str) else None
    if column.type == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if column.type == "integer" else value


def _aged(value: str, now: float) -> str:
    try:
        return human_duration(now - seconds_of(value))
    except ValueError:
        return "<invalid>"


def _printed(value: Any) -> str:
    """Return a value as JSONPath prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<no value>"
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def values_at(obj: Any, path: str) -> list[Any]:
    """Return what a printer column's JSONPath finds: fields, indexes, ``[*]`` and ``[?(@.a=="b")]``."""
    found = [obj]
    for part in re.findall(r"\.((?:[^.\[\\]|\\.)+)|\[([^\]]*)\]", path):
        found = [value for item in found for value in _step(item, *part)]
    return found


def _step(item: Any, name: str, bracket: str) -> list[Any]:
    if name:
        key = name.replace("\\.", ".")
        return [item[key]] if isinstance(item, dict) and key in item else []
    if test := re.fullmatch(r"\?\(@\.([\w.]+)\s*==\s*[\"']([^\"']*)[\"']\)", bracket):
        return (
            [entry for entry in item if values_at(entry, "." + test[1]) == [test[2]]] if isinstance(item, list) else []
        )
    if bracket == "*":
        return list(item.values()) if isinstance(item, dict) else list(item or ())
    key = bracket.strip("'\"").replace("\\.", ".")
    if isinstance(item, dict):
        return [item[key]] if key in item else []
    return (
        [item[int(bracket)]]
        if isinstance(item, list) and bracket.lstrip("-").isdigit() and int(bracket) < len(item)
        else []
    )


def partial(obj: Object) -> Object:
    """Return an object's ``PartialObjectMetadata``."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def table(
    kind: Kind, objects: list[Object], now: float, metadata: Object, include: str, *, headed: bool = True
) -> Object:
    """Return a Table; `include` says what of each object stands beside its cells."""
    rows = []
    for obj in objects:
        row: Object = {"cells": cells_of(kind, obj, now)}
        if include != "None":
            row["object"] = obj if include == "Object" else partial(obj)
        rows.append(row)
    columns = columns_of(kind) if headed else []
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    }
