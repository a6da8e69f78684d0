"""The API over HTTP: an ASGI application on Starlette's requests and responses. Served by `server` with uvicorn."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from projects.sim_cluster.api import discovery
from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.bodies import decode_patch, delete_options, list_options, read_body, watch_options, write_options
from projects.sim_cluster.api.errors import ApiError, method_not_allowed, unsupported_media_type
from projects.sim_cluster.api.identity import ANONYMOUS, OPEN_PATHS, user_of
from projects.sim_cluster.api.negotiation import Accepted, accepted
from projects.sim_cluster.api.requests import Outcome, Page
from projects.sim_cluster.api.routing import PageNotFoundError, Target, flag, target_of
from projects.sim_cluster.api.store import encode
from projects.sim_cluster.api.subresources import SCALE
from projects.sim_cluster.api.tables import partial, table
from projects.sim_cluster.api.watches import INITIAL_EVENTS_END, Event, Watch

_HEADERS: Final = {"Cache-Control": "no-cache, private"}
_TEXT: Final = "text/plain; charset=utf-8"
_LEAST_PARTS: Final = {"api": 3, "apis": 4}


class HttpApi:
    """The ASGI application."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ApiError as error:
            response = _json(encode(error.status()), error.code)
        except PageNotFoundError:
            response = Response("404 page not found\n", 404, _HEADERS, _TEXT)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        path = request.url.path
        user = user_of(request.scope.get("certificate"), request.headers.get("authorization", ""), self.api.tokens, self.api.now)
        if user == ANONYMOUS and not path.startswith(OPEN_PATHS):
            raise self._refused(request, path)
        parts = [part for part in path.split("/") if part]
        if parts and len(parts) >= _LEAST_PARTS.get(parts[0], 99):
            return await self._resource(request, target_of(path, self.api.registry), user)
        return self._document(request, path, parts)

    def _refused(self, request: Request, path: str) -> ApiError:
        verb = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(request.method, "get")
        parts = [part for part in path.split("/") if part]
        if not parts or len(parts) < _LEAST_PARTS.get(parts[0], 99):
            return ApiError(403, "Forbidden", f'forbidden: User "{ANONYMOUS}" cannot {verb} path "{path}"', {})
        target = target_of(path, self.api.registry)
        verb = "list" if verb == "get" and not target.name else verb
        where = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
        named = f' "{target.name}"' if target.name else ""
        kind = target.kind
        message = f'{kind.qualified}{named} is forbidden: User "{ANONYMOUS}" cannot {verb} resource "{kind.resource}" in API group "{kind.group}" {where}'
        return ApiError(403, "Forbidden", message, ({"name": target.name} if target.name else {}) | {"kind": kind.resource})

    def _document(self, request: Request, path: str, parts: list[str]) -> Response:
        registry = self.api.registry
        match parts:
            case ["healthz" | "livez" | "readyz", *_]:
                return Response("ok", 200, _HEADERS, _TEXT)
            case ["version"]:
                return _json(json.dumps(self.api.recorded.version, indent=2).encode())
            case []:
                return _json(encode(discovery.root_paths(registry)))
            case ["openapi", "v2"]:
                return _json(self.api.documents.v2())
            case ["openapi", "v3"]:
                return _json(self.api.documents.index())
            case ["openapi", "v3", *rest] if (document := self.api.documents.group_version("/".join(rest))) is not None:
                return _json(document)
            case ["api" | "apis" as root] if accepted(request.headers.get("accept", "")).form == "APIGroupDiscoveryList":
                body = encode(discovery.aggregated(registry, legacy=root == "api"))
                return Response(body, 200, _HEADERS | {"Vary": "Accept", "Content-Type": discovery.AGGREGATED})
            case ["api"]:
                return _json(encode(discovery.api_versions(request.url.netloc)))
            case ["apis"]:
                return _json(encode(discovery.group_list(registry)))
            case ["api", version] if (listed := discovery.resource_list(registry, "", version)) is not None:
                return _json(encode(listed))
            case ["apis", group] if (shown := discovery.group(registry, group)) is not None:
                return _json(encode(shown))
            case ["apis", group, version] if (listed := discovery.resource_list(registry, group, version)) is not None:
                return _json(encode(listed))
        raise PageNotFoundError(path)

    async def _resource(self, request: Request, target: Target, user: str) -> Response:
        chosen = accepted(request.headers.get("accept", ""))
        verb = _verb(request, target)
        offered = target.kind.subresources[target.subresource].verbs if target.subresource else target.kind.verbs
        if verb not in offered:
            raise method_not_allowed()
        if target.subresource in _SERVED:
            return await self._subresource(request, target, verb, user, chosen)
        handler: Callable[..., Awaitable[Response]] = getattr(self, f"_{verb}")
        return await handler(request, target, user, chosen)

    async def _get(self, _request: Request, target: Target, _user: str, chosen: Accepted) -> Response:
        return self._answer(target, self.api.resources.get(target.kind, target.namespace, target.name), chosen)

    async def _list(self, request: Request, target: Target, _user: str, chosen: Accepted) -> Response:
        page = self.api.resources.list(target.kind, target.namespace, list_options(request, target))
        return self._page(page, chosen, request.query_params.get("includeObject", "Metadata"))

    async def _watch(self, request: Request, target: Target, _user: str, chosen: Accepted) -> Response:
        watch = Watch(self.api.store, target.kind, target.namespace, watch_options(request, target))
        lines = self._lines(watch, target, chosen, request.query_params.get("includeObject", "Metadata"))
        return StreamingResponse(lines, 200, _HEADERS, "application/json")

    async def _create(self, request: Request, target: Target, user: str, chosen: Accepted) -> Response:
        body = await read_body(request, target.kind, self.api.protobuf)
        done = self.api.resources.create(target.kind, target.namespace, body, write_options(request, target, user))
        return self._answer(target, done, chosen)

    async def _update(self, request: Request, target: Target, user: str, chosen: Accepted) -> Response:
        body = await read_body(request, target.kind, self.api.protobuf)
        options = write_options(request, target, user)
        return self._answer(target, self.api.resources.update(target.kind, target.namespace, target.name, body, options), chosen)

    async def _patch(self, request: Request, target: Target, user: str, chosen: Accepted) -> Response:
        patch_type, patch = await decode_patch(request)
        if patch_type == "strategic" and target.kind.custom:
            raise unsupported_media_type()
        options = write_options(request, target, user)
        done = self.api.resources.patch(target.kind, target.namespace, target.name, patch_type, patch, options)
        return self._answer(target, done, chosen)

    async def _delete(self, request: Request, target: Target, _user: str, chosen: Accepted) -> Response:
        options = await delete_options(request, self.api.protobuf)
        return self._answer(target, self.api.resources.delete(target.kind, target.namespace, target.name, options), chosen)

    async def _deletecollection(self, request: Request, target: Target, _user: str, chosen: Accepted) -> Response:
        options = await delete_options(request, self.api.protobuf)
        which = list_options(request, target)
        return self._page(self.api.resources.delete_collection(target.kind, target.namespace, which, options), chosen, "Metadata")

    async def _subresource(self, request: Request, target: Target, verb: str, user: str, chosen: Accepted) -> Response:
        subresources, where = self.api.subresources, (target.kind, target.namespace, target.name)
        if target.subresource == "log":
            text = subresources.log(*where, request.query_params.get("container", ""))
            return Response(text, 200, _HEADERS, "text/plain")
        options = write_options(request, target, user)
        if target.subresource == SCALE and verb == "get":
            done = subresources.read_scale(*where)
        elif target.subresource == SCALE:
            patch_type, body = await decode_patch(request) if verb == "patch" else (None, await read_body(request, target.kind, self.api.protobuf))
            done = subresources.write_scale(*where, patch_type, body, options)
        else:
            body = await read_body(request, target.kind, self.api.protobuf)
            if target.subresource == "eviction":
                done = subresources.evict(*where, body, dry_run=options.dry_run)
            elif target.subresource == "binding":
                done = subresources.bind(*where, body, options)
            else:
                done = subresources.token(*where, body)
        return self._answer(target, done, chosen)

    def _answer(self, target: Target, done: Outcome, chosen: Accepted) -> Response:
        body = done.json if done.json is not None and not chosen.form else None
        obj: Any = done.object
        if chosen.form == "Table" and obj.get("kind") != "Status" and not target.subresource:
            obj = table(target.kind, [obj], self.api.now(), {"resourceVersion": obj["metadata"]["resourceVersion"]}, "Metadata")
        elif chosen.form == "PartialObjectMetadata" and obj.get("kind") != "Status":
            obj = partial(obj)
        response = _yaml(obj) if chosen.yaml else _json(body or encode(obj))
        response.status_code = 201 if done.created else 200
        for warning in done.warnings:
            escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
            response.headers.append("Warning", f'299 - "{escaped}"')
        return response

    def _page(self, page: Page, chosen: Accepted, include: str) -> Response:
        metadata: dict[str, Any] = {"resourceVersion": str(page.version)}
        if page.continue_token:
            metadata |= {"continue": page.continue_token, "remainingItemCount": page.remaining}
        kind = page.kind
        objects = [kind.served(stored.object) for stored in page.items] if chosen.form or chosen.yaml else []
        if chosen.form == "Table":
            return _json(encode(table(kind, objects, self.api.now(), metadata, include)))
        if chosen.form.startswith("Partial"):
            items = [partial(obj) for obj in objects]
            return _json(encode({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items}))
        head = {"kind": kind.list_kind or f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
        if chosen.yaml:
            return _yaml(head | {"items": objects})
        bodies = (s.json if (shown := kind.served(s.object)) is s.object else encode(shown) for s in page.items)
        return _json(encode(head)[:-1] + b',"items":[' + b",".join(bodies) + b"]}")

    async def _lines(self, watch: Watch, target: Target, chosen: Accepted, include: str) -> AsyncIterator[bytes]:
        headed = True
        async for batch in watch.batches():
            lines = []
            for event in batch:
                body = self._event_object(event, target, chosen, include, headed=headed)
                headed = headed and chosen.form != "Table"
                lines.append(b'{"type":"%s","object":%s}\n' % (event.type.encode(), body))
            yield b"".join(lines)

    def _event_object(self, event: Event, target: Target, chosen: Accepted, include: str, *, headed: bool) -> bytes:
        kind = target.kind
        if event.stored is None:
            metadata: dict[str, Any] = {"resourceVersion": str(event.version), "creationTimestamp": None}
            if event.initial_end:
                metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
            obj: dict[str, Any] = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
            return encode(obj if chosen.form != "Table" else table(kind, [], 0, {"resourceVersion": str(event.version)}, include, headed=headed))
        obj = kind.served(event.stored.object)
        if chosen.form == "Table":
            return encode(table(kind, [obj], self.api.now(), {"resourceVersion": str(event.version)}, include, headed=headed))
        if chosen.form.startswith("Partial"):
            return encode(partial(obj))
        return event.stored.json if obj is event.stored.object else encode(obj)


_SERVED: Final = frozenset({"scale", "eviction", "binding", "log", "token"})


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
    if (verb := verbs.get((request.method, single))) is None or (request.method == "POST" and not single and target.kind.namespaced and not target.namespace):
        raise method_not_allowed()
    return verb


def _json(body: bytes, code: int = 200) -> Response:
    return Response(body, code, _HEADERS, "application/json")


def _yaml(obj: Any) -> Response:
    import yaml  # noqa: PLC0415 - rarely asked for

    return Response(yaml.safe_dump(obj, sort_keys=False), 200, _HEADERS, "application/yaml")
