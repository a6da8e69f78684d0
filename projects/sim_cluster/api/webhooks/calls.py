"""The way to a webhook: an AdmissionReview over HTTPS, and what Go's client says when that fails. Called by `hooks`."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.webhooks.reviews import CallFailedError

if TYPE_CHECKING:
    import aiohttp

_HEADERS: Final = {
    "Accept": "application/json, */*", "Content-Type": "application/json", "User-Agent": "kube-apiserver-admission",
}  # fmt: skip
_FORBIDDEN: Final = 403
_SERVER_ERROR: Final = 500
_WORDS: Final = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    415: "the body of the request was in an unknown format - accepted media types include: ",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}  # fmt: skip


@lru_cache(maxsize=64)
def _context(bundle: str) -> ssl.SSLContext:
    """Return how a server is known: by a bundle of authorities, or by those of this machine."""
    return ssl.create_default_context(cadata=base64.b64decode(bundle).decode() if bundle else None)


async def post(config: Object, review: Object, seconds: int) -> Any:
    """Return what a webhook answers; raise when it does not within some (real) seconds."""
    import aiohttp  # noqa: PLC0415 - only a cluster with webhooks pays for it

    url = f"{config['url']}{'&' if urlsplit(config['url']).query else '?'}timeout={seconds}s"
    try:
        connector = aiohttp.TCPConnector(ssl=_context(config.get("caBundle", "")))
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession(connector=connector) as session,
            session.post(url, data=json.dumps(review).encode(), headers=_HEADERS) as response,
        ):
            return _answer(response.status, response.content_type, await response.read())
    except TimeoutError:
        raise _failed(url, "context deadline exceeded") from None
    except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
        raise _failed(url, _said(error)) from None


def _failed(url: str, why: str) -> CallFailedError:
    return CallFailedError(f'failed to call webhook: Post "{url}": {why}')


def _answer(status: int, media: str, body: bytes) -> Any:
    text = body.decode("utf-8", "replace").strip()
    if not 200 <= status <= 206:  # noqa: PLR2004 - what Go's client takes for an answer
        raise CallFailedError(f"failed to call webhook: {_refusal(status, text if media.startswith('text/') else '')}")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise CallFailedError(f"failed to call webhook: {_unreadable(answer, text, status, media)}")
    return answer


def _refusal(status: int, text: str) -> str:
    if status in _WORDS:
        return _WORDS[status]
    if status >= _SERVER_ERROR:
        return f"an error on the server ({json.dumps(text or 'unknown')}) has prevented the request from succeeding"
    if status == _FORBIDDEN:
        return text or "unknown"
    return f"the server responded with the status code {status} but did not return more information"


def _unreadable(answer: Any, text: str, status: int, media: str) -> str:
    """Return what Go's client says of a body that is no object; what is no JSON is YAML to it, which means a text."""
    if not text:
        return f"0-length response with status code: {status} and content type: {media}"
    found = "array" if isinstance(answer, list) else "number" if isinstance(answer, (int, float)) else "string"
    struct = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
    return f"couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type {struct}"


def _said(error: aiohttp.ClientError | OSError) -> str:
    """Return what Go's client says of an error."""
    import aiohttp  # noqa: PLC0415

    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"tls: failed to verify certificate: x509: {_distrust(error.certificate_error)}"
        case aiohttp.ClientConnectorDNSError():
            return f"dial tcp: lookup {error.host}: no such host"
        case aiohttp.ClientConnectorError():
            why = "connection refused" if isinstance(error.os_error, ConnectionRefusedError) else error.os_error
            return f"dial tcp {error.host}:{error.port}: connect: {why}"
        case aiohttp.ServerDisconnectedError():
            return "EOF"
    return str(error)


def _distrust(error: Exception) -> str:
    mismatch = isinstance(error, ssl.SSLCertVerificationError) and "mismatch" in error.verify_message
    return error.verify_message if mismatch else "certificate signed by unknown authority"  # type: ignore[attr-defined]
