"""Objects laid over one another, and fields taken out of them, by the rules of structured-merge-diff. Used by `apply`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projects.sim_cluster.api.comparing import ABSENT, element_of, shape_of
from projects.sim_cluster.api.fieldsets import SELF, Tree
from projects.sim_cluster.api.schema import Schema


def merge(live: Any, applied: Any, schema: Schema | None) -> Any:
    """Return the live value with the applied one laid over it, maps merged by key and lists by element."""
    if applied is ABSENT:
        return live
    shape = shape_of(live, applied, schema)
    if live is ABSENT or live is None or applied is None or shape == "leaf" or not (live or applied):
        return applied
    if shape == "map":
        merged = dict(live)
        for key, value in applied.items():
            merged[key] = merge(live.get(key, ABSENT), value, schema.child(key) if schema else None)
        return merged
    assert schema is not None
    return _merge_lists(live, applied, schema)


def _merge_lists(live: list[Any], applied: list[Any], schema: Schema) -> list[Any]:
    theirs, ours = [element_of(item, schema) for item in live], [element_of(item, schema) for item in applied]
    present = {element: item for element, item in zip(theirs, live, strict=True) if theirs.count(element) == 1}
    wanted = dict(zip(ours, applied, strict=True))
    merged = []
    for place, element in _interleaved(theirs, ours):
        if place is None:
            merged.append(merge(present.get(element, ABSENT), wanted[element], schema.items))
        else:
            merged.append(live[place])
    return merged


def _interleaved(theirs: list[str], ours: list[str]) -> Iterator[tuple[int | None, str]]:
    """Yield the elements of both lists: ours in our order, each that is theirs alone, with its place, before what follows it."""
    shared = [element for element in ours if element in theirs]
    left = right = 0
    while left < len(theirs) or right < len(ours):
        element = theirs[left] if left < len(theirs) else ""
        if element and element not in ours:
            yield left, element
            left += 1
            continue
        if element and right < len(ours) and element != ours[right] and shared and shared[0] != element:
            left += 1  # in both, and its turn is another one
            continue
        if element and (right == len(ours) or element in ours[:right]):
            left += 1  # taken already
        if right < len(ours):
            taken = ours[right]
            yield None, taken
            shared = shared[1:] if shared[:1] == [taken] else shared
            left += left < len(theirs) and theirs[left] == taken
            right += 1


def without(value: Any, fields: Tree, schema: Schema | None) -> Any:
    """Return a value without the fields of a set; None for a map or a list in which nothing is left."""
    match shape_of(value, ABSENT, schema):
        case "map" if value:
            kept = {}
            for key, item in value.items():
                below = fields.get(f"f:{key}")
                if below is None:
                    kept[key] = item
                elif below and SELF not in below:
                    kept[key] = without(item, below, schema.child(key) if schema else None)
            return kept or None
        case "list" if value:
            assert schema is not None
            return _list_without(value, fields, schema)
        case "leaf" if isinstance(value, dict | list) and fields:
            return None  # an atomic value from which a part is taken
    return value


def _list_without(value: list[Any], fields: Tree, schema: Schema) -> list[Any] | None:
    kept = []
    for item in value:
        below = fields.get(element_of(item, schema))
        if below is None:
            kept.append(item)
        elif below and SELF not in below:
            kept.append(without(item, below, schema.items))
    return kept or None
