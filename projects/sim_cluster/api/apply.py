"""Server-side apply: merge what a manager applies, drop what it applied before and no longer does, name conflicts.

Called by `resources` for a PATCH of type ``application/apply-patch+yaml``.
"""

from __future__ import annotations

import json
from typing import Any

from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.ownership import Fields, Manager, Path, element_of, leaves, owners, with_owners
from projects.sim_cluster.api.schema import Schema


def apply(live: Object | None, applied: Object, kind: Kind, manager: Manager, time: str, *, force: bool) -> Object:
    """Return the object after an apply, with its ``managedFields``; raise the conflict when there is one."""
    applied = _applicable(applied, kind, manager.subresource)
    wanted = leaves(applied, kind.schema, containers=False)
    managers = owners(live) if live is not None else {}
    present = leaves(live, kind.schema) if live is not None else {}
    taken = _conflicts(wanted, present, managers, manager)
    if taken and not force:
        raise _conflict(taken)
    for other, paths in taken.items():
        managers[other] = (managers[other][0] - paths, managers[other][1])
    before, last = managers.get(manager, (set(), ""))
    others: set[Path] = set().union(*(paths for other, (paths, _) in managers.items() if other != manager))
    merged = merge(live or {}, applied, kind.schema)
    places = {path[:-1] if path[-1] == "." else path for path in before - wanted.keys() - others}
    for place in sorted(places, key=lambda path: (len(path), path)):  # elements go before what they hold
        if not _is_key(place) and not any(kept[: len(place)] == place for kept in others | wanted.keys()):
            _remove(merged, place, kind.schema)
    same = before == wanted.keys() and all(present.get(path) == value for path, value in wanted.items())
    managers[manager] = (set(wanted), last if same else time)
    metadata: Object = dict(merged.get("metadata", {}))
    metadata["managedFields"] = with_owners(managers)
    return {**merged, "metadata": metadata}


def _applicable(applied: Object, kind: Kind, subresource: str) -> Object:
    """Return what this path writes: the status on its own path only, all else on the main one."""
    if not kind.has_status:
        return applied
    if subresource:
        return {key: value for key, value in applied.items() if key in {"apiVersion", "kind", "metadata", subresource}}
    return {key: value for key, value in applied.items() if key != "status"}


def _is_key(path: Path) -> bool:
    """Return whether a field is a key of the list element that holds it: it stays as long as the element does."""
    return len(path) > 1 and path[-2].startswith("k:") and path[-1][2:] in json.loads(path[-2][2:])


def _conflicts(
    wanted: Fields, present: Fields, managers: dict[Manager, Any], manager: Manager
) -> dict[Manager, set[Path]]:
    changed = {path for path, value in wanted.items() if path in present and present[path] != value and path[-1] != "."}
    found = {other: paths & changed for other, (paths, _) in managers.items() if other != manager}
    return {other: paths for other, paths in found.items() if paths}


def _conflict(taken: dict[Manager, set[Path]]) -> ApiError:
    causes, listed = [], []
    for other, paths in sorted(taken.items(), key=lambda item: item[0].name):
        where = f'"{other.name}"' + (f' with subresource "{other.subresource}"' if other.subresource else "")
        using = f"conflict with {where}" + (f" using {other.api_version}" if other.operation == "Update" else "")
        shown = sorted(_dotted(path) for path in paths)
        causes += [{"reason": "FieldManagerConflict", "message": using, "field": path} for path in shown]
        listed.append((using if len(shown) == 1 else using.replace("conflict", "conflicts", 1), shown))
    count = len(causes)
    text = "\n".join(f"{using}:\n" + "\n".join(f"- {path}" for path in shown) for using, shown in listed)
    if count == 1:
        text = f"{listed[0][0]}: {listed[0][1][0]}"
    message = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: {text}"
    return ApiError(409, "Conflict", message, {"causes": causes})


def _dotted(path: Path) -> str:
    parts = []
    for element in path:
        kind, _, rest = element.partition(":")
        if kind == "f":
            parts.append(f".{rest}")
        elif kind == "k":
            parts.append("[" + rest[1:-1].replace('":', '"=').replace('"', "", 1).replace('"=', "=", 1) + "]")
        elif kind == "v":
            parts.append(f"[={rest}]")
    return "".join(parts)


def merge(live: Any, applied: Any, schema: Schema | None) -> Any:
    """Return the live value with the applied one laid over it, lists merged by their keys."""
    if isinstance(applied, dict) and isinstance(live, dict) and not (schema and schema.is_atomic):
        merged = dict(live)
        for key, value in applied.items():
            merged[key] = merge(live.get(key), value, schema.child(key) if schema else None)
        return merged
    if isinstance(applied, list) and isinstance(live, list) and schema is not None and not schema.is_atomic:
        return _merge_list(live, applied, schema)
    return applied


def _merge_list(live: list[Any], applied: list[Any], schema: Schema) -> list[Any]:
    positions = {element_of(item, schema): i for i, item in enumerate(live)}
    merged = list(live)
    for item in applied:
        place = positions.get(element_of(item, schema))
        if place is None:
            merged.append(item)
        else:
            merged[place] = merge(live[place], item, schema.items)
    return merged


def _remove(merged: Object, path: Path, schema: Schema) -> None:
    """Remove one owned path; containers on the way are copied, so that the live object stays as it is."""
    node: Any = merged
    at: Schema | None = schema
    for element in path[:-1]:
        node, at = _step(node, element, at)
        if node is None:
            return
    _drop(node, path[-1], at)


def _step(node: Any, element: str, schema: Schema | None) -> tuple[Any, Schema | None]:
    if isinstance(node, dict):
        key = element[2:]
        if key not in node:
            return None, None
        if isinstance(node[key], dict | list):
            node[key] = node[key].copy()
        return node[key], schema.child(key) if schema else None
    if isinstance(node, list) and schema is not None:
        for i, item in enumerate(node):
            if element_of(item, schema) == element:
                node[i] = item.copy() if isinstance(item, dict | list) else item
                return node[i], schema.items
    return None, None


def _drop(node: Any, element: str, schema: Schema | None) -> None:
    if isinstance(node, dict):
        node.pop(element[2:], None)
    elif isinstance(node, list) and schema is not None:
        node[:] = [item for item in node if element_of(item, schema) != element]
