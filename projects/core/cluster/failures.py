"""Errors of the API and of the network as Foresail's typed errors. Called by `session` for every request.

401                      Unauthenticated   403                         Forbidden
404                      NotFound (KindGone: its path is not served)
409                      Conflict          410                         Expired, private to watches
400 405 406 413 415 422  Invalid           429 502 503 504, no answer  Unreachable
"""

from __future__ import annotations

import json
from typing import Any

from projects.core.values.errors import (
    ClusterError,
    Conflict,
    Forbidden,
    ForesailError,
    Invalid,
    NotFound,
    Unauthenticated,
    Unreachable,
)

BUSY = frozenset({429, 502, 503, 504})
"""What a request is repeated after for as long as there is patience: the server is busy, or about to be there."""

_UNTYPED = "failed to create typed patch object"
_LOGIN = "they have expired, or are another cluster's: log in again, and let KUBECONFIG name the new kubeconfig"


class Expired(ClusterError):
    """The resourceVersion is too old: what was listed has to be listed again."""


class NotModified(ClusterError):
    """What was asked for is as the ETag says; `groups` asks so."""


class KindGone(NotFound):
    """The path is not served: the cache of kinds is older than the server's answer."""


_TYPES: dict[int, type[ForesailError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    304: NotModified,
    **dict.fromkeys((400, 405, 406, 413, 415, 422), Invalid),
    **dict.fromkeys((429, 502, 503, 504), Unreachable),
}


def from_status(status: int, body: str | bytes | None, address: str, *, hint: str | None = None) -> ForesailError:
    """Return the typed error of an answer that is not 2xx.

    Args:
      status: The HTTP status.
      body: The body, a Status object as a rule.
      address: ``host:port`` of the API server.
      hint: What to do about it.
    """
    document = _parse(body)
    message = document.get("message") or document.get("reason") or f"HTTP {status}"
    kind = _TYPES.get(status, ClusterError)
    if kind is NotFound and not (document.get("details") or {}).get("name"):
        kind = KindGone
    if status == 500 and _UNTYPED in str(message):  # noqa: PLR2004 - server-side apply answers so to a field that it does not know
        kind = Invalid
    if kind is Unreachable:
        return Unreachable(f"the API server at {address} cannot answer (HTTP {status}): {message}", hint=hint)
    if kind is Unauthenticated:
        return kind(
            f"the API server at {address} does not accept the credentials of the kubeconfig: {message}", hint=_LOGIN
        )
    error = kind(str(message), hint=hint)
    if kind is ClusterError and status >= 500:  # noqa: PLR2004 - the range of HTTP
        error.transient = True
    if document.get("reason") == "AlreadyExists":
        error.transient = False
    return error


def unreachable(error: BaseException, address: str) -> Unreachable:
    """Return the error of a request that got no answer."""
    reason = _innermost(error)
    hint = "check KUBECONFIG, and that the cluster is up and reachable from here"
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        hint = "the kubeconfig's certificate authority is not the server's: fetch the kubeconfig again"
    failure = Unreachable(f"the API server at {address} is unreachable: {reason}", hint=hint)
    failure.transient = "CERTIFICATE_VERIFY_FAILED" not in reason
    return failure


def no_json(error: ValueError, address: str) -> Unreachable:
    """Return the error of an answer that cannot be read: its end is missing, or something else than the API gave it."""
    return Unreachable(
        f"the API server at {address} gave an answer that is no JSON: {error}",
        hint="when this lasts, something between here and the server answers in its place, such as a proxy's login page",
    )


def was_cut(error: BaseException) -> bool:
    """Return whether a TLS error is the end of the connection, not a disagreement about certificates or protocols."""
    return "EOF" in str(error)


def out_of_time(address: str) -> Unreachable:
    """Return the error of a request for which there is no time left."""
    return Unreachable(f"the API server at {address} was not asked: there was no time left")


def was_refused(error: BaseException) -> bool:
    """Return whether no connection came about, so that the request cannot have had an effect."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError  # noqa: PLC0415 - listings import this room

    return isinstance(error, NewConnectionError | ConnectTimeoutError)


def _parse(body: str | bytes | None) -> dict[str, Any]:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError:
        text = body.decode(errors="replace") if isinstance(body, bytes) else body
        return {"message": text.strip()[:500]}
    return document if isinstance(document, dict) else {}


def _innermost(error: BaseException) -> str:
    """Return what the operating system said; the layers above repeat it with their own names."""
    seen: set[int] = set()
    current: BaseException | None = error
    best = str(error)
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and current.strerror:
            return current.strerror.lower() if current.strerror[:1].isupper() else current.strerror
        best = str(current) or best
        current = getattr(current, "reason", None) if _chains(current) else current.__cause__ or current.__context__
    return best


def _chains(error: BaseException) -> bool:
    return isinstance(getattr(error, "reason", None), BaseException)
