"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386). Called by `resources` for a PATCH of these types."""

from __future__ import annotations

import copy
from typing import Any

from projects.sim_cluster.api.errors import ApiError, bad_request


class PatchFailedError(Exception):
    """A JSON patch that does not apply; the API answers 422 without saying why, as the real one does."""


def merge_patch(target: Any, patch: Any) -> Any:
    """Return the target with a JSON merge patch applied; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def rejected() -> ApiError:
    """Return the 422 of a JSON patch that does not apply."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def json_patch(target: Any, operations: Any) -> Any:
    """Return a copy of the target with the operations of a JSON patch applied in order."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    document = copy.deepcopy(target)
    try:
        for operation in operations:
            document = _apply(document, operation)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise PatchFailedError(str(error)) from error
    return document


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    path = _pointer(operation["path"])
    match operation["op"]:
        case "add":
            return _add(document, path, copy.deepcopy(operation["value"]))
        case "remove":
            return _remove(document, path)
        case "replace":
            return _replace(document, path, copy.deepcopy(operation["value"]))
        case "move":
            source = _pointer(operation["from"])
            value = _get(document, source)
            return _add(_remove(document, source), path, value)
        case "copy":
            return _add(document, path, copy.deepcopy(_get(document, _pointer(operation["from"]))))
        case "test":
            _check_equal(_get(document, path, missing_is_null=True), operation.get("value"))
            return document
        case unknown:
            raise ValueError(f"unexpected kind: {unknown}")


def _check_equal(found: Any, wanted: Any) -> None:
    if found != wanted or isinstance(found, bool) != isinstance(wanted, bool):
        raise ValueError("testing value failed")


def _pointer(path: str) -> list[str]:
    if path == "":
        return []
    if not path.startswith("/"):
        raise ValueError(f"path {path!r} does not start with a slash")
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


def _index(target: list[Any], part: str) -> int:
    if part == "-":
        return len(target)
    index = int(part)
    return index + len(target) if index < 0 else index


def _get(document: Any, path: list[str], *, missing_is_null: bool = False) -> Any:
    for depth, part in enumerate(path):
        if isinstance(document, list):
            document = document[_index(document, part)]
        elif missing_is_null and depth == len(path) - 1:
            document = document.get(part)
        else:
            document = document[part]
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _get(document, path[:-1])
    if isinstance(parent, list):
        index = _index(parent, path[-1])
        if not 0 <= index <= len(parent):
            raise IndexError(f"index {index} is out of bounds")
        parent.insert(index, value)
    else:
        parent[path[-1]] = value
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _get(document, path[:-1])  # a map need not have the key; the real server does not look either
    parent[_index(parent, path[-1]) if isinstance(parent, list) else path[-1]] = value
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent = _get(document, path[:-1])
    del parent[_index(parent, path[-1]) if isinstance(parent, list) else path[-1]]
    return document
