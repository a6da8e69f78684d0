"""The patch of a mutating webhook: read, applied, and what the server says of one that is none or does not fit. Called by `hooks`."""

from __future__ import annotations

import json
from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.patches import PatchFailedError, json_patch
from projects.sim_cluster.api.webhooks.reviews import CallFailedError, Verdict, internal

_KINDS: Final = frozenset({"add", "remove", "replace", "move", "copy", "test"})


def operations_of(answer: Verdict) -> list[Any]:
    """Return the operations of a patch; raise as of a webhook that could not be asked when it is none."""
    try:
        found = json.loads(answer.patch)
    except ValueError:
        text = answer.patch.decode("utf-8", "replace").strip()
        raise _undecodable(f"invalid character '{text[:1]}' looking for beginning of value") from None
    if not isinstance(found, list):
        what = {dict: "object", str: "string", bool: "bool"}.get(type(found), "number")
        raise _undecodable(f"json: cannot unmarshal {what} into Go value of type jsonpatch.Patch")
    if found and answer.patch_type != "JSONPatch":
        raise CallFailedError(f'unsupported patch type "{answer.patch_type}"')
    return found


def _undecodable(why: str) -> CallFailedError:
    return CallFailedError(f"received undecodable patch in webhook response: {why}")


def patched(obj: Object, operations: list[Any]) -> Object:
    """Return an object with the operations of a patch applied in order; raise InternalError when one does not apply."""
    after: Object = obj
    for operation in operations:
        try:
            after = json_patch(after, [operation])
        except PatchFailedError as error:
            raise _failed(after, operation, str(error)) from None
        if not isinstance(after, dict):
            raise internal("replace operation value must be object or array: %!w(<nil>)")
    return after


def _failed(document: Any, operation: Any, why: str) -> ApiError:
    """Return what the server says of an operation that does not apply."""
    kind, path = (str(operation.get(key, "")) for key in ("op", "path")) if isinstance(operation, dict) else ("", "")
    if kind not in _KINDS:
        return internal(f"Unexpected kind: {kind}")
    if kind == "test":
        return internal(f"testing value {path} failed: test failed")
    parent, _, key = path.rpartition("/")
    if kind == "remove" and _is_there(document, parent):
        return internal(f"error in remove for path: '{path}': Unable to remove nonexistent key: {key}: missing value")
    if kind == "add":
        return internal(f'add operation does not apply: doc is missing path: "{path}": missing value')
    return internal(f"{kind} operation does not apply: {why}")


def _is_there(document: Any, path: str) -> bool:
    try:
        json_patch(document, [{"op": "copy", "from": path, "path": path}] if path else [])
    except PatchFailedError:
        return False
    return True
