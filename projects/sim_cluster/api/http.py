"""The API over HTTP: an ASGI application on Starlette's requests and responses. Served by `server` with uvicorn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from projects.sim_cluster.api.access import user_who_may
from projects.sim_cluster.api.answers import (
    HEADERS,
    TEXT,
    answer,
    event_lines,
    json_response,
    lay_out,
    page_response,
    warn,
)
from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.bodies import (
    decode_patch,
    delete_options,
    list_options,
    read_body,
    twice_in,
    watch_options,
    write_options,
)
from projects.sim_cluster.api.documents import document
from projects.sim_cluster.api.errors import ApiError, bad_request, method_not_allowed
from projects.sim_cluster.api.identity import User
from projects.sim_cluster.api.logs import log_options
from projects.sim_cluster.api.negotiation import Accepted, accepted, is_for_people
from projects.sim_cluster.api.paths import in_group_version, parts_of
from projects.sim_cluster.api.routing import PageNotFoundError, Target, flag, target_of
from projects.sim_cluster.api.scales import SCALE
from projects.sim_cluster.api.store import encode
from projects.sim_cluster.api.streams import STREAMS, asked, connecting, serve
from projects.sim_cluster.api.watches import Watch


class HttpApi:
    """The ASGI application."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one stream."""
        request = Request(scope, receive) if scope["type"] == "http" else None
        try:
            if request is None:
                await self._stream(WebSocket(scope, receive, send))
                return
            response = await self._respond(request)
        except ApiError as error:
            response = json_response(encode(error.status()), error.code)
            warn(response, error.warnings)
        except PageNotFoundError:
            response = Response("404 page not found\n", 404, HEADERS, TEXT)
        if request is not None and is_for_people(request):
            lay_out(response)
        await response(scope, receive, send)

    async def _stream(self, socket: WebSocket) -> None:
        user = user_who_may(self.api, socket)
        target = target_of(socket.url.path, self.api.registry)
        if target.subresource not in STREAMS:
            raise bad_request("WebSockets are for exec and attach")
        await connecting(self.api, target, socket.query_params, user)
        await serve(self.api, target, socket)

    async def _respond(self, request: Request) -> Response:
        path, user = request.url.path, user_who_may(self.api, request)
        parts = parts_of(path)
        if in_group_version(parts) is not None:
            return await self._resource(request, target_of(path, self.api.registry), user)
        return document(self.api, request, parts)

    async def _resource(self, request: Request, target: Target, user: User) -> Response:
        chosen = accepted(request)
        verb = _verb(request, target)
        offered = target.kind.subresources[target.subresource].verbs if target.subresource else target.kind.verbs
        if verb not in offered:
            raise method_not_allowed()
        if target.subresource in _SERVED:
            return await self._subresource(request, target, verb, user, chosen)
        handler: Callable[..., Awaitable[Response]] = getattr(self, f"_{verb}")
        response = await handler(request, target, user, chosen)
        if target.kind.deprecated:
            warn(response, [target.kind.deprecated])
        return response

    async def _get(self, _request: Request, target: Target, _user: User, chosen: Accepted) -> Response:
        return answer(self.api, target, self.api.resources.get(target.kind, target.namespace, target.name), chosen)

    async def _list(self, request: Request, target: Target, _user: User, chosen: Accepted) -> Response:
        page = self.api.resources.list(target.kind, target.namespace, list_options(request, target))
        return page_response(self.api, page, chosen, request.query_params.get("includeObject", "Metadata"))

    async def _watch(self, request: Request, target: Target, _user: User, chosen: Accepted) -> Response:
        watch = Watch(self.api.store, self.api.clock, target.kind, target.namespace, watch_options(request, target))
        lines = event_lines(self.api, watch, target, chosen, request.query_params.get("includeObject", "Metadata"))
        return StreamingResponse(lines, 200, HEADERS, "application/json")

    async def _create(self, request: Request, target: Target, user: User, chosen: Accepted) -> Response:
        body = await read_body(request, target.kind, self.api.protobuf)
        options = replace(write_options(request, target, user), twice=await twice_in(request))
        done = await self.api.resources.create(target.kind, target.namespace, body, options)
        return answer(self.api, target, done, chosen)

    async def _update(self, request: Request, target: Target, user: User, chosen: Accepted) -> Response:
        body = await read_body(request, target.kind, self.api.protobuf)
        options = replace(write_options(request, target, user), twice=await twice_in(request))
        return answer(
            self.api,
            target,
            await self.api.resources.update(target.kind, target.namespace, target.name, body, options),
            chosen,
        )

    async def _patch(self, request: Request, target: Target, user: User, chosen: Accepted) -> Response:
        patch_type, patch = await decode_patch(request)
        options = replace(write_options(request, target, user), twice=await twice_in(request))
        done = await self.api.resources.patch(target.kind, target.namespace, target.name, patch_type, patch, options)
        return answer(self.api, target, done, chosen)

    async def _delete(self, request: Request, target: Target, user: User, chosen: Accepted) -> Response:
        options = await delete_options(request, user, self.api.protobuf)
        done = await self.api.resources.delete(target.kind, target.namespace, target.name, options)
        return answer(self.api, target, done, chosen)

    async def _deletecollection(self, request: Request, target: Target, user: User, chosen: Accepted) -> Response:
        options = await delete_options(request, user, self.api.protobuf)
        which = list_options(request, target)
        page = await self.api.resources.delete_collection(target.kind, target.namespace, which, options)
        response = page_response(self.api, page, chosen, "Metadata")
        warn(response, page.warnings)
        return response

    async def _subresource(self, request: Request, target: Target, verb: str, user: User, chosen: Accepted) -> Response:
        subresources, where = self.api.subresources, (target.kind, target.namespace, target.name)
        if target.subresource == "log":
            wanted = log_options(request.query_params, target.kind, target.name, self.api.now())
            return StreamingResponse(self.api.logs.read(*where, wanted), 200, HEADERS, "text/plain")
        if target.subresource in STREAMS:
            await connecting(self.api, target, request.query_params, user)
            asked(self.api, target, request.query_params)
            raise bad_request("Upgrade request required")
        options = write_options(request, target, user)
        if target.subresource == SCALE and verb == "get":
            done = subresources.read_scale(*where)
        elif target.subresource == SCALE:
            patch_type, body = (
                await decode_patch(request)
                if verb == "patch"
                else (None, await read_body(request, target.kind, self.api.protobuf))
            )
            done = await subresources.write_scale(*where, patch_type, body, options)
        else:
            body = await read_body(request, target.kind, self.api.protobuf)
            if target.subresource == "eviction":
                done = await subresources.evict(*where, body, options)
            elif target.subresource == "binding":
                done = await subresources.bind(*where, body, options)
            else:
                done = await subresources.token(*where, body, options)
        return answer(self.api, target, done, chosen)


_SERVED: Final = frozenset({"scale", "eviction", "binding", "log", "token"}) | STREAMS


def _verb(request: Request, target: Target) -> str:
    """Return the API's verb of a request; raise when the path does not take the method."""
    single = bool(target.name)
    watches = flag(request.query_params, "watch")
    verbs = {
        ("GET", True): "get", ("GET", False): "watch" if watches else "list", ("PUT", True): "update", ("PATCH", True): "patch",
        ("DELETE", True): "delete", ("DELETE", False): "deletecollection", ("POST", False): "create",
    }  # fmt: skip
    if target.subresource and request.method == "POST":
        return "create"
    if request.method == "GET" and single and watches:
        return "watch"
    if (verb := verbs.get((request.method, single))) is None or (
        request.method in {"POST", "DELETE"} and not single and target.kind.namespaced and not target.namespace
    ):
        raise method_not_allowed()
    return verb
