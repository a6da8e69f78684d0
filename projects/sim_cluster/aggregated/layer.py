"""The layer that gives the answers: an ASGI application before the simulated API, or before the way to a real one.

`server` puts it in place. It asks the API behind it who is asking and whether they may, as aggregated API servers do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projects.sim_cluster.aggregated.answering import Asked, Route, RouteError
from projects.sim_cluster.behaviours.interface import Cluster, Object, RefusedError

_WHO: Final = (
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
)
_MAY: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_CREATED: Final = 201
_CODES: Final = {
    "NotFound": 404,
    "AlreadyExists": 409,
    "Conflict": 409,
    "Forbidden": 403,
    "Invalid": 422,
    "BadRequest": 400,
}


class AggregatedLayer:
    """An ASGI application before another one.

    Args:
      app: What answers everything else.
      cluster: The cluster as these servers see it.
      routes: What is answered here.
    """

    def __init__(self, app: ASGIApp, cluster: Cluster, routes: Sequence[Route]) -> None:
        self.app, self.cluster, self.routes = app, cluster, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._found(scope) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._respond(request, *found)
        except RouteError as error:
            response = error.response()
        except RefusedError as refused:
            response = RouteError(_CODES.get(refused.reason, 500), refused.reason, str(refused)).response()
        await response(scope, receive, send)

    def _found(self, scope: Scope) -> tuple[Route, re.Match[str]] | None:
        for route in self.routes:
            if scope["method"] in route.methods and (match := route.path.fullmatch(scope["path"])):
                return route, match
        return None

    async def _respond(self, request: Request, route: Route, match: re.Match[str]) -> Response:
        parts = match.groupdict()
        status, body = await self._ask(request.scope, *_WHO)
        if status != _CREATED:
            return Response(body, status, media_type="application/json")
        user = json.loads(body)["status"]["userInfo"]
        if route.attributes and not await self._may(request.scope, route.attributes | _where(parts)):
            named = f'"{parts.get("name", "")}"'
            what = f"{route.attributes['resource']}.{route.attributes['group']} {named} is forbidden"
            raise RouteError(
                403, "Forbidden", f'{what}: User "{user["username"]}" cannot {route.attributes["verb"]} it'
            )
        return await route.answer(Asked(self.cluster, request, parts, user))

    async def _may(self, scope: Scope, attributes: dict[str, str]) -> bool:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        status, body = await self._ask(scope, _MAY, review)
        return status == _CREATED and bool(json.loads(body)["status"].get("allowed"))

    async def _ask(self, scope: Scope, path: str, body: Object) -> tuple[int, bytes]:
        """Ask the API behind this layer, as whoever is asking."""
        said = json.dumps(body).encode()
        kept = [(name, value) for name, value in scope["headers"] if name in {b"authorization", b"host", b"user-agent"}]
        headers = [
            *kept,
            (b"content-type", b"application/json"),
            (b"accept", b"application/json"),
            (b"content-length", str(len(said)).encode()),
        ]
        asked: dict[str, Any] = {
            **scope,
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
        }
        parts, status = [], [500]

        async def receive() -> Message:
            return {"type": "http.request", "body": said, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            parts.append(message.get("body", b""))

        await self.app(asked, receive, send)
        return status[0], b"".join(parts)


def _where(parts: dict[str, str]) -> dict[str, str]:
    return {key: value for key in ("namespace", "name") if (value := parts.get(key))}
