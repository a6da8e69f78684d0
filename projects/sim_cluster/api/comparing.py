"""Which fields an object has, and which differ between two: sets that decide about ownership. Used by `ownership` and `apply`.

The rules are those of structured-merge-diff: a scalar, an atomic list or map is one field; elements of keyed lists and sets
are fields of their own; a map or a struct is one only by being added or removed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any, Final, Literal

from projects.sim_cluster.api.fieldsets import LEAF, SELF, Path, Tree, insert
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.schema import Schema

_UNOWNED: Final = frozenset({"name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
                             "resourceVersion"})  # fmt: skip
#: Stands for a value that is not there, which is another thing than a null.
ABSENT: Final[Any] = object()
Shape = Literal["leaf", "map", "list"]


@dataclass
class Changes:
    """What is different from one object to another."""

    added: Tree = field(default_factory=dict)
    modified: Tree = field(default_factory=dict)
    removed: Tree = field(default_factory=dict)


def shape_of(value: Any, other: Any, schema: Schema | None) -> Shape:
    """Return as what two values (of which one may be absent) are looked at."""
    if schema is not None and schema.is_atomic:
        return "leaf"
    kinds = {type(item) for item in (value, other) if item is not None and item is not ABSENT}
    if kinds == {dict}:
        return "map"
    return "list" if kinds == {list} and schema is not None else "leaf"


def element_of(item: Any, schema: Schema) -> str:
    """Return the path element of a list's item: its keys, or its value."""
    if schema.list_keys and isinstance(item, dict):
        keys = ((key, item.get(key, default)) for key, default in schema.sorted_keys)
        return "k:{" + ",".join(f'"{key}":{_text(value)}' for key, value in keys if value is not None) + "}"
    return "v:" + _text(item)


def _text(value: Any) -> str:
    """Return a value as JSON; most are names, and there are very many of them."""
    if type(value) is str:
        return encode_basestring(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def owned_part(obj: Object) -> Object:
    """Return of an object what can be owned."""
    part = {key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}}
    part["metadata"] = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _UNOWNED}
    return part


def fields_of(obj: Object, schema: Schema) -> Tree:
    """Return the set of the fields that an object has."""
    found: Tree = {}
    _collect(owned_part(obj), schema, (), found)
    if found.get("f:metadata") == {}:
        del found["f:metadata"]
    return found


def _collect(value: Any, schema: Schema | None, path: Path, found: Tree) -> None:
    match shape_of(value, ABSENT, schema):
        case "map":
            for key, item in value.items():
                inner = (*path, f"f:{key}")
                _collect(item, schema.child(key) if schema else None, inner, found)
                if item is None or item == {} or schema is None or not schema.has_field(key):
                    insert(found, inner)
        case "list":
            assert schema is not None
            for element, items in _by_element(value, schema).items():
                if len(items) == 1:
                    _collect(items[0], schema.items, (*path, element), found)
                insert(found, (*path, element))
        case "leaf":
            insert(found, path)


def compare(before: Object, after: Object, schema: Schema) -> Changes:
    """Return which fields were added, modified and removed."""
    changes = Changes()
    _compare_maps(owned_part(before), owned_part(after), schema, changes)
    return changes


def _whole(value: Any, schema: Schema | None) -> Tree:
    """Return the set of a value that was added or removed: itself and all that is in it."""
    if not value or (shape := shape_of(value, ABSENT, schema)) == "leaf":
        return LEAF
    if shape == "map":
        below = {f"f:{key}": _whole(item, schema.child(key) if schema else None) for key, item in value.items()}
    else:
        assert schema is not None
        found = _by_element(value, schema)
        below = {key: _whole(items[0], schema.items) if len(items) == 1 else {} for key, items in found.items()}
    return {SELF: LEAF, **below}


def _compare(element: str, old: Any, new: Any, schema: Schema | None, changes: Changes) -> None:
    """Note under an element what is different between two values; `changes` are those of what holds them."""
    if old is ABSENT:
        changes.added[element] = _whole(new, schema)
    elif new is ABSENT:
        changes.removed[element] = _whole(old, schema)
    elif old != new:
        shape = shape_of(old, new, schema)
        if shape == "leaf" or not (old or new):
            changes.modified[element] = {}
            return
        below = Changes()
        (_compare_maps if shape == "map" else _compare_lists)(old or {}, new or {}, schema, below)
        for mine, theirs in (
            (changes.added, below.added), (changes.modified, below.modified), (changes.removed, below.removed),
        ):  # fmt: skip
            if theirs:
                mine[element] = theirs


def _compare_maps(old: Any, new: Any, schema: Schema | None, changes: Changes) -> None:
    for key, value in new.items():
        was = old.get(key, ABSENT)
        if was is not value:
            _compare(f"f:{key}", was, value, schema.child(key) if schema else None, changes)
    for key, value in old.items():
        if key not in new:
            _compare(f"f:{key}", value, ABSENT, schema.child(key) if schema else None, changes)


def _compare_lists(old: Any, new: Any, schema: Schema | None, changes: Changes) -> None:
    assert schema is not None
    ours, theirs = _by_element(old, schema), _by_element(new, schema)
    for element in ours | theirs:
        one, other = ours.get(element, []), theirs.get(element, [])
        if len(one) <= 1 and len(other) <= 1:
            was, now = (values[0] if values else ABSENT for values in (one, other))
            _compare(element, was, now, schema.items, changes)
        elif one != other:
            sets = changes.modified if one and other else changes.added if other else changes.removed
            sets[element] = {}


def _by_element(items: Any, schema: Schema) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(element_of(item, schema), []).append(item)
    return found
