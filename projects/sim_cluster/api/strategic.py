"""Strategic merge patch: merge by the keys that the schema names, with ``$patch`` and its like.

Called by `resources` for built-in kinds; the semantics are those of apimachinery's ``strategicpatch``, its oddities included:
a directive counts only where there is something to merge with, and an element that is new to a list is taken as it stands.
"""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError, bad_request
from projects.sim_cluster.api.refusals import go_text
from projects.sim_cluster.api.schema import Schema

_DIRECTIVE: Final = "$patch"
_RETAIN: Final = "$retainKeys"
_DELETE: Final = "$deleteFromPrimitiveList/"
_ORDER: Final = "$setElementOrder/"
Map = dict[str, Any]
_GONE: Final[Any] = object()


def strategic_merge(target: Any, patch: Any, schema: Schema | None) -> Any:
    """Return the target with a strategic merge patch applied; neither is changed."""
    return _merge_map(target, patch, schema)


def _failed(message: str) -> ApiError:
    return ApiError(500, "", message)


def _merge_map(target: Map, patch: Map, schema: Schema | None) -> Map:
    if (directive := patch.get(_DIRECTIVE)) is not None:
        return _directed(directive, patch)
    merged = _retained(target, patch)
    left = {key: value for key, value in patch.items() if key != _RETAIN}
    for key in [key for key in left if key.startswith(_ORDER)]:
        _merge_ordered(merged, left, key.removeprefix(_ORDER), left.pop(key), schema)
    for key, value in left.items():
        if key.startswith(_DELETE):
            name = key.removeprefix(_DELETE)
            if isinstance(merged.get(name), list):
                merged[name] = [item for item in merged[name] if item not in value]
        else:
            _merge_field(merged, key, value, schema)
    return merged


def _directed(directive: Any, patch: Map) -> Map:
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if directive == "delete":
        return {}
    raise _failed(f"unknown patch type: {directive} in map: {go_text(patch)}")


def _retained(target: Map, patch: Map) -> Map:
    """Return a copy of the target, with the keys only that the patch says to retain."""
    if _RETAIN not in patch:
        return dict(target)
    keys = patch[_RETAIN]
    named = {key for key, value in patch.items() if value is not None and not key.startswith("$")}
    if not isinstance(keys, list) or not named <= set(keys):
        raise bad_request("invalid patch format of retainKeys")
    return {key: value for key, value in target.items() if key in keys}


def _merge_field(merged: Map, key: str, value: Any, schema: Schema | None) -> None:
    if value is None:
        merged.pop(key, None)
        return
    child = schema.child(key) if schema else None
    found = merged.get(key)
    if isinstance(found, dict) and isinstance(value, dict):
        merged[key] = _merge_map(found, value, child)
    elif isinstance(found, list) and isinstance(value, list):
        merged[key] = _merge_list(found, value, child)
    elif (kept := _without_directives(value)) is _GONE:
        merged.pop(key, None)
    else:
        merged[key] = kept


def _without_directives(value: Any) -> Any:
    """Return what is taken from a patch where there is nothing to merge it with: without nulls, nor what bears a directive."""
    if isinstance(value, dict):
        if _DIRECTIVE in value:
            return _GONE
        kept = {key: _without_directives(item) for key, item in value.items() if item is not None}
        return {key: item for key, item in kept.items() if item is not _GONE}
    if isinstance(value, list):
        return [item for item in map(_without_directives, value) if item is not _GONE]
    return value


def _merge_list(target: list[Any], patch: list[Any], schema: Schema | None) -> list[Any]:
    if schema is None or not (schema.merge_key or schema.merges_scalars):
        return patch
    if not target and not patch:
        return target
    if schema.merges_scalars:
        both = list(dict.fromkeys([*target, *patch]))  # all that is merged so is text
        return _ordered(both, patch, target, "")
    key = schema.merge_key
    before, wanted, replaces = _without_special(target, patch, key)
    if replaces:
        return wanted
    return _ordered(_merge_keyed(before, wanted, key, schema.items), wanted, before, key)


def _without_special(target: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any], bool]:
    """Return the target without what the patch deletes, the patch without directives, and whether it replaces all."""
    left, wanted, replaces = target, [], False
    for item in patch:
        match item.get(_DIRECTIVE):
            case None:
                wanted.append(item)
            case "replace":
                replaces = True
            case "delete" if key in item:
                left = [old for old in left if old.get(key) != item[key]]
            case "delete":
                raise _no_key(item, key)
            case "merge":
                raise _failed("merging lists cannot yet be specified in the patch")
            case unknown:
                raise _failed(f"unknown patch type: {unknown} in map: {go_text(item)}")
    return left, wanted, replaces


def _no_key(item: Any, key: str) -> ApiError:
    return _failed(f"map: {go_text(item)} does not contain declared merge key: {key}")


def _merge_keyed(target: list[Any], patch: list[Any], key: str, schema: Schema | None) -> list[Any]:
    merged = list(target)
    for item in patch:
        if key not in item:
            raise _no_key(item, key)
        place = next((i for i, old in enumerate(merged) if old.get(key) == item[key]), None)
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merge_map(merged[place], item, schema)
    return merged


def _merge_ordered(merged: Map, patch: Map, name: str, order: Any, schema: Schema | None) -> None:
    """Merge a list whose order the patch gives; the patch's own list of that name is used up."""
    if not isinstance(order, list):
        raise bad_request("invalid patch format of setElementOrder list")
    before, given = merged.get(name), patch.pop(name, None)
    if before is None and given is None:
        return
    child = schema.child(name) if schema else None
    key = child.merge_key if child else ""
    items = (
        _without_directives(given) if before is None else before if given is None else _merge_list(before, given, child)
    )
    _check_order(given or [], order, key)
    merged[name] = _ordered(items, order, before or [], key)


def _check_order(given: list[Any], order: list[Any], key: str) -> None:
    """Refuse a list that is not in the order that stands beside it."""
    listed = [_identity(item, key) for item in order]
    named = [_identity(item, key) for item in given if not (isinstance(item, dict) and _DIRECTIVE in item)]
    places = [listed.index(item) if item in listed else -1 for item in named]
    if -1 in places or places != sorted(places):
        message = (
            f"The order in patch list:\n{go_text(given)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n"
        )
        raise _failed(message)


def _identity(item: Any, key: str) -> Any:
    return item.get(key) if key and isinstance(item, dict) else item


def _ordered(items: list[Any], order: list[Any], before: list[Any], key: str) -> list[Any]:
    """Put the items that the order names into that order, among the others as they stood before; new ones go first."""
    wanted, known = [_identity(item, key) for item in order], [_identity(item, key) for item in before]
    named = [item for item in items if _identity(item, key) in wanted]
    named.sort(key=lambda item: wanted.index(_identity(item, key)))
    others = [item for item in items if _identity(item, key) not in wanted]
    merged: list[Any] = []
    for other in others:
        place = known.index(_identity(other, key)) if _identity(other, key) in known else len(known)
        while named and not (_identity(named[0], key) in known and place < known.index(_identity(named[0], key))):
            merged.append(named.pop(0))
        merged.append(other)
    return merged + named
