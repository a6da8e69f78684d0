"""Bodies that do not fit their kind, in the words of each way in which they came. Called by `resources` and `writes`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.decoding import StrictError, UnfitError, WrongTypeError
from projects.sim_cluster.api.errors import ApiError, bad_request, invalid_value
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.store import encode

_METADATA_ORDER: Final = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip
_APPLIED_TYPES: Final = {
    "integer": "numeric (int or float)", "number": "numeric (int or float)", "string": "string", "boolean": "boolean",
    "array": "list", "object": "map",
}  # fmt: skip


def of_body(kind: Kind, error: UnfitError) -> ApiError:
    """Return the refusal of a create or an update."""
    return bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}')


def of_patch(patched: Object, error: UnfitError) -> ApiError:
    """Return the refusal of what a JSON patch or a merge patch made."""
    message = str(StrictError(sorted(error.unknown), error.twice)) if isinstance(error, StrictError) else str(error)
    return _of_patch(encode(_in_go_order(patched)).decode(), message)


def of_strategic_patch(patch: Any, error: UnfitError) -> ApiError:
    """Return the refusal of a strategic merge patch, which the server decodes from Go maps."""
    message = str(error)
    if isinstance(error, StrictError):
        message = str(StrictError(sorted(error.unknown), error.twice))
    elif isinstance(error, WrongTypeError) and error.go_type:
        message = f"unrecognized type: {error.go_type}"
        if isinstance(error.value, int) and not isinstance(error.value, bool) and error.go_type == "string":
            message = "cannot convert int64 to string"
        elif isinstance(error.value, list):
            message = "cannot restore map from slice"
    return _of_patch(go_text(patch), message)


def of_apply(kind: Kind, name: str, error: UnfitError) -> ApiError:
    """Return the refusal of what was applied."""
    message = str(error)
    if isinstance(error, StrictError):
        message = "\n".join(f".{path}: field not declared in schema" for path in error.unknown)
    elif isinstance(error, WrongTypeError) and error.go_type:
        unnamed = f"&value.valueUnstructured{{Value:{error.value}}}"
        found = {str: "string", bool: "bool", list: "list", dict: "map"}.get(type(error.value), unnamed)
        message = f".{error.path}: expected {_APPLIED_TYPES.get(error.wanted, error.wanted)}, got {found}"
    where = f"{name}; {kind.group}/{kind.version}, Kind={kind.kind}"
    if isinstance(error, WrongTypeError) and not error.go_type:  # what only Go's types refuse is refused later
        version = f"{kind.group}/{kind.version}, Kind={kind.kind}"
        why = f"to proper version: unable to convert unstructured object to {version}: {message}"
        return ApiError(500, "", f"failed to convert new object ({where}) {why}")
    return ApiError(500, "", f"failed to create typed patch object ({where}): {message}")


def _of_patch(value: str, why: str) -> ApiError:
    cause = invalid_value("patch", shown(value), why)
    return ApiError(422, "Invalid", f' "" is invalid: patch: {cause.message}', {"causes": [cause.as_dict()]})


def _in_go_order(obj: Object) -> Object:
    """Return an object with its fields in the order in which the real server prints them."""
    metadata = {key: obj["metadata"][key] for key in _METADATA_ORDER if key in obj["metadata"]}
    return {key: metadata if key == "metadata" else _sorted(obj[key]) for key in sorted(obj)}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def go_text(value: Any) -> str:
    """Return a value as Go's ``%v`` prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
