"""A patch by a list of operations, made exactly once over a connection that fails. Called by `api`.

Such a list means something else the second time: an addition to a list is added again. So each attempt says which version
of the object it is for, and when the answer to one is lost, the object tells whether it has been made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from projects.core.cluster.patience import HICCUP, PATIENCE, Refusal
from projects.core.cluster.session import Session
from projects.core.values.errors import Conflict, ForesailError, Unreachable, is_transient

Object = dict[str, Any]
Operations = Sequence[Mapping[str, Any]]
_JSON_PATCH = "application/json-patch+json"


def patch_once(session: Session, path: str, operations: Operations, query: Mapping[str, Any]) -> tuple[Object, Object]:
    """Patch an object, once.

    Args:
      session: The session.
      path: The object's path, with the subresource.
      operations: The patch (RFC 6902).
      query: Query parameters.

    Returns:
      The object before and after.

    Raises:
      NotFound: it does not exist.
      Conflict: others change it faster than it can be patched.
      ForesailError: what the server refused it with; or the answer was lost and others have changed the object since, so
        that nobody can tell whether it was patched.
    """
    once = _Once(session, path, operations, query)
    after = session.patience.insist(once.send, repeat=True)
    return once.before, after


class _Once:
    """A patch on its way."""

    def __init__(self, session: Session, path: str, operations: Operations, query: Mapping[str, Any]) -> None:
        self._session = session
        self._path = path
        self._operations = operations
        self._query = query
        self._unsure = False
        self.before = self._base = self._now()

    def send(self) -> Object:
        """Send it for the version that was read last; when that fails, find out whether it has been made."""
        version = {"op": "replace", "path": "/metadata/resourceVersion", "value": _version(self._base)}
        try:
            after: Object = self._session.json(
                "PATCH",
                self._path,
                self._query,
                body=[version, *self._operations],
                content_type=_JSON_PATCH,
                repeat=False,
            )
            return after
        except ForesailError as error:
            if not is_transient(error):
                raise
            made = self._settle(error)
            if made is not None:
                return made
            seconds = PATIENCE if isinstance(error, Conflict | Unreachable) else HICCUP
            raise Refusal(error, error, seconds=seconds) from error

    def _settle(self, error: ForesailError) -> Object | None:
        """Return the object when it has been patched, None when it has not and cannot be any more by what was sent."""
        self._unsure = self._unsure or not isinstance(error, Conflict)
        now = self._now()
        if _version(now) == _version(self._base):
            return None
        if self._unsure:
            if self._touched(now) == self._touched(self._expected()):
                return now
            if self._touched(now) != self._touched(self._base):
                raise error
        self._base, self._unsure = now, False
        return None

    def _now(self) -> Object:
        found: Object = self._session.json("GET", self._path)
        return found

    def _expected(self) -> Object:
        from jsonpatch import JsonPatch, JsonPatchException  # noqa: PLC0415 - seldom needed
        from jsonpointer import JsonPointerException  # noqa: PLC0415

        try:
            made: Object = JsonPatch(list(self._operations)).apply(self._base)
        except (JsonPatchException, JsonPointerException):
            return {}  # the server does not make it either
        return made

    def _touched(self, thing: Object) -> list[Any]:
        """Return what stands where the operations act; controllers may write beside it at any time."""
        pointers = [str(each[key]) for each in self._operations for key in ("path", "from") if key in each]
        return [_at(thing, pointer) for pointer in pointers]


def _at(thing: Object, pointer: str) -> Any:
    """Return the value at a pointer, or the whole list that it is an item of."""
    from jsonpointer import resolve_pointer  # noqa: PLC0415 - as above

    around = resolve_pointer(thing, pointer.rpartition("/")[0], None)
    return around if isinstance(around, list) else resolve_pointer(thing, pointer, None)


def _version(thing: Object) -> str:
    return str(thing["metadata"]["resourceVersion"])
