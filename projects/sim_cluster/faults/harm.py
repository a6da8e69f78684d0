"""How each fault hurts a request, worded as the API server or what stands before it words it. Called by `layer`.

A harm either answers in the API's place (and returns True), or changes what is sent and lets the request go on.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.asgi import disconnected
from projects.sim_cluster.clock import Clock

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios import api_faults as declared
    from projects.sim_cluster.scenarios.api_faults import AnyApiFault

RESET: Final = "foresail.reset"
"""The extension of the scope by which the server lets a connection be reset: a function without arguments."""
_NO_SERVER: Final = (
    "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"
)
_GONE: Final = "too old resource version"


@dataclass
class Harm:
    """A request that is hurt: the application it was for, and what it can be answered by."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    clock: Clock
    waiting: Callable[[], AbstractContextManager[object]]
    roll: float = field(default=0.0)

    async def answer(self, response: Response) -> bool:
        """Answer in the API's place."""
        await response(self.scope, self.receive, self.send)
        return True

    async def reset(self) -> bool:
        """Reset the connection."""
        self.scope["extensions"][RESET]()
        await self.left()
        return True

    async def left(self) -> None:
        """Wait until the client has gone."""
        await disconnected(self.receive)

    async def unanswered(self) -> None:
        """Let the API do what is asked for, and keep its answer back."""

        async def swallow(_message: Message) -> None:
            return

        await self.app(self.scope, self.receive, swallow)


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    """Return a ``Status`` that says that a request failed."""
    return ApiError(code, reason, message).status()


def _status(code: int, reason: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(status(code, reason, message)), code, headers, "application/json")


async def _too_many(fault: declared.TooManyRequests, harm: Harm) -> bool:
    message = "Too many requests, please try again later.\n"
    return await harm.answer(PlainTextResponse(message, 429, {"Retry-After": str(fault.retry_after)}))


async def _server_error(fault: declared.ServerError, harm: Harm) -> bool:
    if fault.done:
        await harm.unanswered()
    return await harm.answer(_status(500, "", fault.message))


async def _unavailable(fault: declared.Unavailable, harm: Harm) -> bool:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.by == "load-balancer":
        return await harm.answer(Response(_NO_SERVER, 503, {"Cache-Control": "no-cache", **headers}, "text/html"))
    message = "the server is currently unable to handle the request"
    return await harm.answer(_status(503, "ServiceUnavailable", message, headers))


async def _latency(fault: declared.Latency, harm: Harm) -> bool:
    with harm.waiting():
        await harm.clock.sleep(fault.seconds + fault.jitter * harm.roll)
    return False


async def _reset(fault: declared.Reset, harm: Harm) -> bool:
    if fault.done:
        await harm.unanswered()
    return await harm.reset()


async def _hang(_fault: declared.Hang, harm: Harm) -> bool:
    with harm.waiting():
        await harm.left()
    return True


async def _unauthorized(_fault: declared.Unauthorized, harm: Harm) -> bool:
    return await harm.answer(_status(401, "Unauthorized", "Unauthorized"))


async def _expired(fault: declared.Expired, harm: Harm) -> bool:
    query = harm.scope["query_string"].decode("latin-1")
    if "continue=" in query:
        message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter."
        return await harm.answer(_status(410, "Expired", message))
    if not fault.in_stream:
        return await harm.answer(_status(410, "Expired", _GONE))
    event = {"type": "ERROR", "object": status(410, "Expired", _GONE)}
    return await harm.answer(Response(json.dumps(event) + "\n", 200, {}, "application/json"))


async def _cut(fault: declared.Cut, harm: Harm) -> bool:
    """Send the half of what the API answers."""
    head: Message = {}
    body = bytearray()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        body.extend(message.get("body", b""))

    await harm.app(harm.scope, harm.receive, keep)
    if fault.clean:
        head["headers"] = [(name, value) for name, value in head["headers"] if name.lower() != b"content-length"]
    await harm.send(head)
    await harm.send({"type": "http.response.body", "body": bytes(body[: len(body) // 2]), "more_body": not fault.clean})
    return fault.clean or await harm.reset()


class _CutError(Exception):
    """Ends an application whose answer is not wanted any more."""


async def _watch_cut(fault: declared.WatchCut, harm: Harm) -> bool:
    left, send = fault.events, harm.send

    async def counting(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.body" and message.get("body"):
            if left == 0:
                body = message["body"]
                await send({**message, "body": body[: len(body) // 2], "more_body": True})
                raise _CutError
            left -= 1
        await send(message)

    try:
        await harm.app(harm.scope, harm.receive, counting)
    except _CutError:
        return await harm.reset()
    return True


_HARMS: Final[dict[str, Callable[[Any, Harm], Awaitable[bool]]]] = {
    "too-many-requests": _too_many,
    "server-error": _server_error,
    "unavailable": _unavailable,
    "latency": _latency,
    "reset": _reset,
    "cut": _cut,
    "hang": _hang,
    "watch-cut": _watch_cut,
    "expired": _expired,
    "unauthorized": _unauthorized,
}


async def harm_of(fault: AnyApiFault, harm: Harm) -> bool:
    """Hurt a request; return whether it is answered, or will never be."""
    return await _HARMS[fault.do](fault, harm)
