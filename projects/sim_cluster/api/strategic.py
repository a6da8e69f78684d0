"""Strategic merge patch: merge by the keys that the schema names, with ``$patch`` directives.

Called by `resources` for built-in kinds; the semantics are those of apimachinery's ``strategicpatch``.
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


def strategic_merge(target: Any, patch: Any, schema: Schema | None) -> Any:
    """Return the target with a strategic merge patch applied; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    return _merge_map(target if isinstance(target, dict) else {}, patch, schema)


def _merge_map(target: dict[str, Any], patch: dict[str, Any], schema: Schema | None) -> dict[str, Any]:
    match patch.get(_DIRECTIVE):
        case None | "merge":
            merged = dict(target)
        case "replace":
            return {key: value for key, value in patch.items() if key != _DIRECTIVE}
        case "delete":
            return {}
        case unknown:
            raise bad_request(f"Unknown patch type: {unknown}")
    if _RETAIN in patch:
        merged = {key: value for key, value in merged.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(merged, key, value, schema.child(key) if schema else None)
    _apply_list_directives(merged, patch, target, schema)
    return merged


def _merge_field(merged: dict[str, Any], key: str, value: Any, schema: Schema | None) -> None:
    if value is None:
        merged.pop(key, None)
    elif isinstance(value, dict):
        if isinstance(merged.get(key), dict) or _has_directive(value):
            merged[key] = _merge_map(merged.get(key) or {}, value, schema)
        else:
            merged[key] = _without_nulls(value)
    elif isinstance(value, list):
        merged[key] = _merge_list(merged.get(key) or [], value, schema)
    else:
        merged[key] = value


def _has_directive(value: Any) -> bool:
    if isinstance(value, dict):
        return any(key.startswith("$") or _has_directive(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_directive, value))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _merge_list(target: list[Any], patch: list[Any], schema: Schema | None) -> list[Any]:
    if schema is not None and schema.merge_key:
        return _merge_keyed(target, patch, schema.merge_key, schema.items)
    if schema is not None and schema.merges_scalars:
        merged = [*target, *(item for item in patch if item not in target)]
        return _ordered(merged, patch, target, "")
    return [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]


def _merge_keyed(target: list[Any], patch: list[Any], key: str, schema: Schema | None) -> list[Any]:
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" and len(item) == 1 for item in patch):
        return [item for item in patch if _DIRECTIVE not in item]
    merged = list(target)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise ApiError(500, "", f"map: {go_text(item)} does not contain declared merge key: {key}")
        places = [i for i, old in enumerate(merged) if isinstance(old, dict) and old.get(key) == item[key]]
        if item.get(_DIRECTIVE) == "delete":
            merged = [old for i, old in enumerate(merged) if i not in places]
        elif places:
            merged[places[0]] = _merge_map(merged[places[0]], item, schema)
        else:
            merged.append(_merge_map({}, {k: v for k, v in item.items() if k != _DIRECTIVE}, schema))
    return _ordered(merged, [item for item in patch if _DIRECTIVE not in item], target, key)


def _apply_list_directives(
    merged: dict[str, Any], patch: dict[str, Any], target: dict[str, Any], schema: Schema | None
) -> None:
    for directive, values in patch.items():
        if directive.startswith(_DELETE):
            name = directive.removeprefix(_DELETE)
            merged[name] = [item for item in merged.get(name, []) if item not in values]
        elif directive.startswith(_ORDER):
            name = directive.removeprefix(_ORDER)
            child = schema.child(name) if schema else None
            if isinstance(merged.get(name), list):
                before = target.get(name) or []
                merged[name] = _ordered(merged[name], values, before, child.merge_key if child else "")


def _ordered(items: list[Any], order: list[Any], before: list[Any], key: str) -> list[Any]:
    """Put the items that the order names into that order, among the others as they stood before; new ones go first."""

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    wanted, known = [identity(item) for item in order], [identity(item) for item in before]
    named = sorted((item for item in items if identity(item) in wanted), key=lambda item: wanted.index(identity(item)))
    merged: list[Any] = []
    for other in (item for item in items if identity(item) not in wanted):
        place = known.index(identity(other)) if identity(other) in known else len(known)
        while named and not (identity(named[0]) in known and place < known.index(identity(named[0]))):
            merged.append(named.pop(0))
        merged.append(other)
    return merged + named
