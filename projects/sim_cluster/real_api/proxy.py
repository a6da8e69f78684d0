"""An ASGI application that hands requests on to a real API, as they are, and its answers back, as they come.

It stands where the simulated API stands, so that what stands before that one (`server`, faults) is the same on both. Who came
with the administrator's certificate is that administrator there too; other credentials (a token, none) are handed on.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final, Self

import aiohttp
from starlette.types import Receive, Scope, Send
from yarl import URL

from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.asgi import disconnected
from projects.sim_cluster.over_http.connection import Access

Headers = list[tuple[bytes, bytes]]
#: What belongs to one connection and not to the message (RFC 9110, 7.6.1); aiohttp and uvicorn say it anew.
_OF_THE_CONNECTION: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_NOT_SENT_ON: Final = _OF_THE_CONNECTION | {b"host", b"content-length", b"expect"}
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_CREATED: Final = 201
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NO_UPGRADES: Final = (
    "this cluster does not hand on connections that are upgraded: no port-forward, no proxy of sockets"
)


class Proxy:
    """Stands before the API that two accesses lead to: one as the administrator, one as whoever the request says."""

    def __init__(self, administrator: Access, anyone: Access) -> None:
        self._server = administrator.server
        self._administrator = administrator.session(decompresses=False)
        self._anyone = anyone.session(decompresses=False)
        self.changes = 0
        """How often something went through that may be, or tell of, a change."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._administrator.close()
        await self._anyone.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers: Headers = scope["headers"]
        body = await _body(receive)
        if any(name == b"upgrade" for name, _ in headers):
            await _fail(send, 501, "NotImplemented", _NO_UPGRADES)
            return
        self.changes += scope["method"] not in _READING
        session = self._administrator if scope.get("certificate") else self._anyone
        try:
            upstream = await session.request(
                scope["method"], _url(self._server, scope), data=body or None, allow_redirects=False,
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers if name not in _NOT_SENT_ON],
                skip_auto_headers=("User-Agent", "Accept", "Content-Type", "Accept-Encoding"),
            )  # fmt: skip
        except aiohttp.ClientError as error:
            await _fail(send, 503, "ServiceUnavailable", f"the API server does not answer: {error}")
            return
        async with upstream:
            await self._hand_back(upstream, receive, send)

    async def may(self, headers: Headers, attributes: dict[str, str]) -> bool:
        """Return whether the API lets somebody do something, who brings the credentials of some headers."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        given = dict(headers).get(b"authorization", b"").decode("latin-1")
        try:
            async with self._anyone.post(
                self._server + _REVIEWS, json=review, headers={"Authorization": given} if given else {}
            ) as answer:
                return answer.status == _CREATED and bool((await answer.json())["status"]["allowed"])
        except aiohttp.ClientError:
            return False

    async def _hand_back(self, upstream: aiohttp.ClientResponse, receive: Receive, send: Send) -> None:
        headers = [
            (name.lower(), value) for name, value in upstream.raw_headers if name.lower() not in _OF_THE_CONNECTION
        ]
        if any(name == b"content-length" for name, _ in headers):
            await _answer(send, upstream.status, headers, await upstream.read())
            return
        await send({"type": "http.response.start", "status": upstream.status, "headers": headers})
        pumping = asyncio.ensure_future(self._pump(upstream, send))
        leaving = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait({pumping, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not pumping.done():
                pumping.cancel()
        if pumping.done():
            pumping.result()  # a cut on that side is to be one on this side too: uvicorn closes what is not complete

    async def _pump(self, upstream: aiohttp.ClientResponse, send: Send) -> None:
        async for chunk in upstream.content.iter_any():
            self.changes += 1
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _url(server: str, scope: Scope) -> URL:
    query = scope["query_string"].decode("latin-1")
    return URL(server + scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""), encoded=True)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _fail(send: Send, code: int, reason: str, message: str) -> None:
    status = ApiError(code, reason, message).status()
    await _answer(send, code, [(b"content-type", b"application/json")], json.dumps(status).encode() + b"\n")
