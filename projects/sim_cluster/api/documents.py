"""The paths that describe the API itself: health, version, discovery, OpenAPI. Called by `http`."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from projects.sim_cluster.api import discovery
from projects.sim_cluster.api.answers import HEADERS, TEXT, json_response
from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.errors import no_such_resource
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.negotiation import accepted
from projects.sim_cluster.api.routing import PageNotFoundError
from projects.sim_cluster.api.store import encode


def document(api: Api, request: Request, parts: list[str]) -> Response:
    """Answer a path that names no resource."""
    match parts:
        case ["healthz" | "livez" | "readyz", *checks]:
            return _health(api, request, parts[0], "/".join(checks))
        case ["version"]:
            return Response(json.dumps(api.recorded.version, indent=2), 200, HEADERS, "application/json")
        case []:
            return json_response(encode(discovery.root_paths(api.registry, api.recorded.root_paths)))
        case ["openapi", *rest]:
            return _openapi(api, request, rest)
        case ["api" | "apis", *_]:
            return _discovery(api, request, parts)
    raise PageNotFoundError


def _health(api: Api, request: Request, root: str, check: str) -> Response:
    if check and f"/{root}/{check}" not in api.recorded.root_paths:
        raise PageNotFoundError
    text = api.recorded.health[root] if "verbose" in request.query_params and not check else "ok"
    return Response(text, 200, HEADERS | {"X-Content-Type-Options": "nosniff"}, TEXT)


def _openapi(api: Api, request: Request, parts: list[str]) -> Response:
    match parts:
        case ["v2"]:
            return _described(request, api.documents.v2(), api.documents.hash("v2"))
        case ["v3"]:
            return Response(api.documents.index(), 200, HEADERS, TEXT)
        case ["v3", *rest] if (found := api.documents.group_version("/".join(rest))) is not None:
            return _described(request, found, api.documents.hash("/".join(rest)))
    return Response("", 404, HEADERS)


def _described(request: Request, body: bytes, fingerprint: str) -> Response:
    """Return a document under its hash: who asks with it may keep what he got, who asks with an old one is sent on."""
    headers = {**HEADERS, "ETag": f'"{fingerprint}"', "Vary": "Accept"}
    asked = request.query_params.get("hash")
    if asked and asked != fingerprint:
        return Response("", 301, headers | {"Location": f"{request.url.path}?hash={fingerprint}"})
    if asked:
        headers["Cache-Control"] = "public, immutable"
    if request.headers.get("if-none-match", "").removeprefix("W/") == headers["ETag"]:
        return Response("", 304, headers)
    return Response(body, 200, headers, "application/json")


def _discovery(api: Api, request: Request, parts: list[str]) -> Response:
    if len(parts) == 1 and accepted(request).form == "APIGroupDiscoveryList":
        response = json_response(encode(discovery.aggregated(api.registry, legacy=parts[0] == "api")))
        response.headers.update({"Vary": "Accept", "Content-Type": discovery.AGGREGATED})
        return response
    found: Object | None = None
    match parts:
        case ["api"]:
            found = discovery.api_versions(request.url.netloc)
        case ["apis"]:
            found = discovery.group_list(api.registry)
        case ["api", version]:
            found = discovery.resource_list(api.registry, "", version)
        case ["apis", group]:
            found = discovery.group(api.registry, group)
        case ["apis", group, version]:
            found = discovery.resource_list(api.registry, group, version)
    if found is None and len(parts) > len(["apis"]) and (parts[0] == "api" or discovery.group(api.registry, parts[1])):
        raise no_such_resource()
    if found is None:
        raise PageNotFoundError
    return json_response(encode(found))
