"""The API's errors, worded as kube-apiserver words them. Raised by every rule, turned into HTTP by `http`.

All are `ApiError`: a code, a reason, a message and the details of a ``Status``; the functions below are its vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from projects.sim_cluster.api.kinds import Kind


class ApiError(Exception):
    """A request that the API refuses, as the ``Status`` object that says why."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details
        self.warnings: list[str] = []

    def status(self) -> dict[str, Any]:
        """Return the ``Status`` object of the answer."""
        status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        status["message"] = self.message
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong with an object: where, of what sort, in which words."""

    field: str
    reason: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Return it as an entry of ``details.causes``."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(field: str, message: str = "") -> Cause:
    """Return the cause "Required value"."""
    return Cause(field, "FieldValueRequired", "Required value" + (f": {message}" if message else ""))


def invalid_value(field: str, shown: str, message: str) -> Cause:
    """Return the cause "Invalid value"; `shown` is the value as Go prints it."""
    return Cause(field, "FieldValueInvalid", f"Invalid value: {shown}: {message}")


def not_supported(field: str, shown: str, supported: Sequence[str]) -> Cause:
    """Return the cause "Unsupported value"."""
    listed = ", ".join(f'"{value}"' for value in supported)
    return Cause(field, "FieldValueNotSupported", f"Unsupported value: {shown}: supported values: {listed}")


def forbidden_change(field: str, message: str) -> Cause:
    """Return the cause "Forbidden" of a field that may not be changed."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {message}")


def details_of(kind: Kind, name: str, *, as_kind: bool = False) -> dict[str, Any]:
    """Return the details that name an object, by its resource or (for Invalid) by its kind."""
    details: dict[str, Any] = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    return details | {"kind": kind.kind if as_kind else kind.resource}


def not_found(kind: Kind, name: str) -> ApiError:
    """Return 404 of an object that is not there."""
    return ApiError(404, "NotFound", f'{kind.qualified} "{name}" not found', details_of(kind, name))


def no_such_resource() -> ApiError:
    """Return 404 of a path in a group that exists."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(kind: Kind, name: str, *, leaving: bool = False) -> ApiError:
    """Return 409 of a name that is taken, be it by an object that is being deleted."""
    message = f'{kind.qualified} "{name}" already exists'
    message = f"object is being deleted: {message}" if leaving else message
    return ApiError(409, "AlreadyExists", message, details_of(kind, name))


def conflict(kind: Kind, name: str, why: str = "", subresource: str = "") -> ApiError:
    """Return 409 of a write that lost against another one."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    details = details_of(kind, name)
    what = kind.qualified
    if subresource:
        what = details["kind"] = f"{kind.resource}/{subresource}"
    return ApiError(409, "Conflict", f'Operation cannot be fulfilled on {what} "{name}": {why}', details)


def precondition_failed(kind: Kind, name: str, what: str, wanted: str, found: str) -> ApiError:
    """Return 409 of a precondition (``UID`` or ``ResourceVersion``) that does not hold."""
    why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
    message = f'Operation cannot be fulfilled on {kind.qualified_kind} "{name}": {why}The object might have been '
    message += "deleted and then recreated" if what == "UID" else "modified"
    return ApiError(409, "Conflict", message, details_of(kind, name, as_kind=True))


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> ApiError:
    """Return 422 with every cause."""
    details = details_of(kind, name, as_kind=True) | {"causes": [cause.as_dict() for cause in causes]}
    return ApiError(422, "Invalid", f'{kind.qualified_kind} "{name}" is invalid: {_listed(causes)}', details)


def invalid_options(kind: str, causes: Sequence[Cause]) -> ApiError:
    """Return 422 of the options of a request, such as ``ListOptions``."""
    return invalid_nameless("meta.k8s.io", kind, causes)


def invalid_review(causes: Sequence[Cause]) -> ApiError:
    """Return 422 of a review, of which the real server does not say the kind."""
    return invalid_nameless("authorization.k8s.io", "", causes)


def invalid_nameless(group: str, kind: str, causes: Sequence[Cause], name: str = "") -> ApiError:
    """Return 422 of something that is no stored object of a kind."""
    details: dict[str, Any] = ({"name": name} if name else {}) | {"group": group} | ({"kind": kind} if kind else {})
    details["causes"] = [cause.as_dict() for cause in causes]
    return ApiError(422, "Invalid", f'{kind}.{group} "{name}" is invalid: {_listed(causes)}', details)


def _listed(causes: Sequence[Cause]) -> str:
    return together(f"{cause.field}: {cause.message}" for cause in causes)


def together(messages: Iterable[str]) -> str:
    """Return several errors in one text, each once, as the server's aggregate writes them."""
    distinct = list(dict.fromkeys(messages))
    return distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]"


def bad_request(message: str) -> ApiError:
    """Return 400."""
    return ApiError(400, "BadRequest", message)


def forbidden(kind: Kind, name: str, why: str, causes: Sequence[dict[str, str]] = ()) -> ApiError:
    """Return 403 of an object that admission refuses."""
    details = details_of(kind, name)
    if causes:
        details["causes"] = list(causes)
    shown = f'"{name}" ' if name else ""
    return ApiError(403, "Forbidden", f"{kind.qualified} {shown}is forbidden: {why}", details)


def method_not_allowed() -> ApiError:
    """Return 405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def unsupported_media_type() -> ApiError:
    """Return 415."""
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def unknown_format(accepted: Sequence[str]) -> ApiError:
    """Return 415 of a patch type that the kind does not take."""
    message = "the body of the request was in an unknown format - accepted media types include: "
    return ApiError(415, "UnsupportedMediaType", message + ", ".join(accepted))


def not_acceptable(available: Sequence[str]) -> ApiError:
    """Return 406."""
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(available)}"
    return ApiError(406, "NotAcceptable", message, {})


def unauthorized() -> ApiError:
    """Return 401."""
    return ApiError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Unauthorized")


def expired(message: str) -> ApiError:
    """Return 410: a resourceVersion or a continue token that is too old."""
    return ApiError(410, "Expired", message)


def not_simulated(what: str) -> ApiError:
    """Return 501: a real API server can do it and this one does not pretend to."""
    return ApiError(501, "NotImplemented", f"the simulated cluster does not implement {what}", {})
