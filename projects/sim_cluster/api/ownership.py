"""Who owns which field: sets of paths, their ``fieldsV1`` form, and ``managedFields`` after a write.

A path is a tuple of elements spelled as ``fieldsV1`` spells them: ``f:name``, ``k:{"name":"c"}``, ``v:"x"``; an element
that is owned itself, not only what lies below it, ends in ``.``. Used by `apply` and `resources`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.schema import Schema

Path = tuple[str, ...]
Fields = dict[Path, Any]
_UNOWNED: Final = frozenset({"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "selfLink",
                             "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds"})  # fmt: skip


@dataclass(frozen=True)
class Manager:
    """One entry of ``managedFields``, its fields apart."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""


def leaves(obj: Object, schema: Schema | None, *, containers: bool = True, beside: Object | None = None) -> Fields:
    """Return every path of an object that can be owned, with the value at it.

    With `containers`, maps, lists and structs that were not always there count as well: to write them is to add them.
    Left out are the parts that the object shares with the one `beside` it: where a write changed nothing, most of them.
    """
    found: Fields = {}
    for key, value in obj.items():
        other = beside.get(key) if beside is not None else None
        if other is value and value is not None:
            continue
        child = schema.child(key) if schema else None
        if key == "metadata":
            value = {name: item for name, item in value.items() if name not in _UNOWNED}  # noqa: PLW2901
            if value:
                _collect(value, child, (f"f:{key}",), found, own=False, containers=containers, beside=other)
        elif key not in {"apiVersion", "kind"}:
            known = schema is not None and key in schema.always_there
            if known and value == {}:
                continue
            own = containers and not known
            _collect(value, child, (f"f:{key}",), found, own=own, containers=containers, beside=other)
    return found


def _collect(
    value: Any, schema: Schema | None, path: Path, found: Fields, *, own: bool, containers: bool, beside: Any = None
) -> None:
    if isinstance(value, dict) and value and not (schema and schema.is_atomic):
        if own:
            found[(*path, ".")] = None
        in_list = any(element.startswith("k:") for element in path)
        beside = beside if isinstance(beside, dict) else {}
        for key, item in value.items():
            if item is not None and beside.get(key) is item:
                continue
            if containers and not in_list and item == {} and schema is not None and key in schema.always_there:
                continue
            known = schema is not None and (key in schema.always_there or key in schema.required)
            inner = schema is None or schema.is_map or (containers and (in_list or not known))
            _collect(
                item,
                schema.child(key) if schema else None,
                (*path, f"f:{key}"),
                found,
                own=inner,
                containers=containers,
                beside=beside.get(key),
            )
    elif isinstance(value, list) and value and schema is not None and (schema.list_keys or schema.is_set):
        if own:
            found[(*path, ".")] = None
        for item in value:
            element = element_of(item, schema)
            if element.startswith("v:"):
                found[(*path, element)] = item
            else:
                _collect(item, schema.items, (*path, element), found, own=True, containers=containers)
    else:
        found[path] = value


def element_of(item: Any, schema: Schema) -> str:
    """Return the path element of a list's item: its keys, or its value."""
    if schema.list_keys and isinstance(item, dict):
        keys = {key: item.get(key, _default_of(schema, key)) for key in sorted(schema.list_keys)}
        keys = {key: value for key, value in keys.items() if value is not None}
        return "k:" + json.dumps(keys, separators=(",", ":"), ensure_ascii=False)
    return "v:" + json.dumps(item, separators=(",", ":"), ensure_ascii=False)


def _default_of(schema: Schema, key: str) -> Any:
    child = schema.items.child(key) if schema.items is not None else None
    return None if child is None else child.node.get("default")


Tree = dict[str, Any]
#: Objects of a kind are mostly written alike, so the maps are shared: each is made once, and its paths are known.
_TREES: Final[dict[frozenset[Path], Tree]] = {}
_PATHS: Final[dict[int, tuple[Tree, frozenset[Path]]]] = {}
_MOST_TREES: Final = 4096


def to_fields_v1(paths: Iterable[Path]) -> Tree:
    """Return paths as the nested map of ``fieldsV1``, which is shared: nobody may change it."""
    paths = frozenset(paths)
    if (known := _TREES.get(paths)) is not None:
        return known
    if len(_TREES) >= _MOST_TREES:
        _TREES.clear()
        _PATHS.clear()
    tree: Tree = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
    _TREES[paths], _PATHS[id(tree)] = tree, (tree, paths)
    return tree


def from_fields_v1(tree: Tree) -> frozenset[Path]:
    """Return the paths of a ``fieldsV1`` map."""
    known = _PATHS.get(id(tree))
    return known[1] if known is not None and known[0] is tree else frozenset(_paths_below(tree, ()))


def _paths_below(tree: Tree, prefix: Path) -> Iterator[Path]:
    if not tree and prefix:
        yield prefix
    for element, below in tree.items():
        yield from _paths_below(below, (*prefix, element))


def owners(obj: Object) -> dict[Manager, tuple[AbstractSet[Path], str]]:
    """Return the managers of an object with their paths and the time of their last write."""
    found: dict[Manager, tuple[AbstractSet[Path], str]] = {}
    for entry in obj["metadata"].get("managedFields") or ():
        manager = Manager(
            entry.get("manager", ""),
            entry.get("operation", ""),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
        )
        found[manager] = (from_fields_v1(entry.get("fieldsV1") or {}), entry.get("time", ""))
    return found


def with_owners(managers: Mapping[Manager, tuple[AbstractSet[Path], str]]) -> list[dict[str, Any]]:
    """Return the ``managedFields`` of an object: appliers first, then in order of time."""
    entries = []
    ordered = sorted(managers.items(), key=lambda item: (item[0].operation != "Apply", item[1][1], item[0].name))
    for manager, (paths, time) in ordered:
        if paths:
            entry: Object = {"manager": manager.name, "operation": manager.operation, "apiVersion": manager.api_version}
            entry |= {"time": time, "fieldsType": "FieldsV1", "fieldsV1": to_fields_v1(paths)}
            entries.append(entry | ({"subresource": manager.subresource} if manager.subresource else {}))
    return entries


def after_update(
    before: Object | None, after: Object, schema: Schema, manager: Manager, time: str
) -> list[dict[str, Any]]:
    """Return the ``managedFields`` after a create, an update or a patch: who changed a field owns it alone."""
    old = leaves(before, schema, beside=after) if before is not None else {}
    new = leaves(after, schema, beside=before)
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    removed = old.keys() - new.keys()
    managers = owners(before) if before is not None else {}
    if not changed and not removed:
        return list((before or {}).get("metadata", {}).get("managedFields") or [])
    lost = {path for path in changed if path[-1] != "."} | removed
    for other, (paths, at) in list(managers.items()):
        if other != manager and not paths.isdisjoint(lost):
            managers[other] = (paths - lost, at)
    mine = managers.get(manager, (frozenset[Path](), ""))[0] - removed
    managers[manager] = (mine | changed, time)
    return with_owners(managers)
