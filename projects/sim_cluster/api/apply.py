"""Server-side apply: merge what a manager applies, drop what it applied before and no longer does, name conflicts.

Called by `resources` for a PATCH of type ``application/apply-patch+yaml``.
"""

from __future__ import annotations

import json
from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.ownership import Fields, Manager, Path, element_of, leaves, owners, with_owners
from projects.sim_cluster.api.schema import Schema

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def apply(live: Object | None, applied: Object, kind: Kind, manager: Manager, time: str, *, force: bool) -> Object:
    """Return the object after an apply, with its ``managedFields``; raise the conflict when there is one."""
    applied = _applicable(applied, kind, manager.subresource)
    wanted = leaves(applied, kind.schema, containers=False)
    managers = owners(live) if live is not None else {}
    present = leaves(live, kind.schema) if live is not None else {}
    taken = _conflicts(wanted, present, managers, manager)
    if not force and (refused := _beside_client_side(taken, live, kind, manager)):
        raise _conflict(refused)
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


def _beside_client_side(
    taken: dict[Manager, set[Path]], live: Object | None, kind: Kind, manager: Manager
) -> dict[Manager, set[Path]]:
    """Return the conflicts without those of ``kubectl apply`` with what it applied itself before it did so on the server."""
    said = ((live or {}).get("metadata", {}).get("annotations") or {}).get(_LAST_APPLIED)
    if not taken or live is None or not said or manager.name != "kubectl":
        return taken
    try:
        applied = leaves(json.loads(said), kind.schema, containers=False)
    except (ValueError, AttributeError):
        return taken
    present = leaves(live, kind.schema)
    own = {path for path, value in applied.items() if present.get(path) == value}
    return {other: paths - own for other, paths in taken.items() if paths - own}


def _conflict(taken: dict[Manager, set[Path]]) -> ApiError:
    causes, listed = [], []
    count = sum(map(len, taken.values()))
    for other, paths in sorted(taken.items(), key=lambda item: item[0].name):
        where = f'"{other.name}"' + (f' with subresource "{other.subresource}"' if other.subresource else "")
        using = f"conflict with {where}" + (f" using {other.api_version}" if other.operation == "Update" else "")
        shown = [_dotted(path) for path in sorted(paths, key=_fields_first)]
        causes += [{"reason": "FieldManagerConflict", "message": using, "field": path} for path in shown]
        listed.append((using if count == 1 else using.replace("conflict", "conflicts", 1), shown))
    text = "\n".join(f"{using}:\n" + "\n".join(f"- {path}" for path in shown) for using, shown in listed)
    if count == 1:
        text = f"{listed[0][0]}: {listed[0][1][0]}"
    message = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: {text}"
    return ApiError(409, "Conflict", message, {"causes": causes})


def _fields_first(path: Path) -> list[tuple[bool, str]]:
    """Return the order in which conflicts are told: what stands in an object before what stands deeper in it."""
    return [(place < len(path) - 1, element) for place, element in enumerate(path)]


def _dotted(path: Path) -> str:
    parts = []
    for element in path:
        kind, _, rest = element.partition(":")
        if kind == "f":
            parts.append(f".{rest}")
        elif kind == "k":
            keys = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in json.loads(rest).items()]
            parts.append(f"[{','.join(keys)}]")
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
    theirs, ours = [element_of(item, schema) for item in live], [element_of(item, schema) for item in applied]
    present, wanted = dict(zip(theirs, live, strict=True)), dict(zip(ours, applied, strict=True))
    merged = []
    for element in _interleaved(theirs, ours):
        if element not in wanted:
            merged.append(present[element])
        else:
            found = element in present
            merged.append(merge(present[element], wanted[element], schema.items) if found else wanted[element])
    return merged


def _interleaved(theirs: list[str], ours: list[str]) -> list[str]:
    """Return the elements of both lists: ours in our order, each of theirs alone before what follows it there."""
    shared = [element for element in ours if element in theirs]
    left, right, out = list(theirs), list(ours), []
    while left or right:
        if left and right and left[0] != right[0] and left[0] in ours and shared and shared[0] != left[0]:
            left.pop(0)  # ours as well, but its turn is another one
        elif left and left[0] not in ours:
            out.append(left.pop(0))
        elif right:
            taken = right.pop(0)
            out.append(taken)
            left = left[1:] if left[:1] == [taken] else left
            shared = shared[1:] if shared[:1] == [taken] else shared
        else:
            left.pop(0)  # taken already
    return out


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
