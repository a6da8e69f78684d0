"""The paths that describe the API itself: health, version, discovery, OpenAPI. Called by `http`."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from projects.sim_cluster.api import discovery
from projects.sim_cluster.api.answers import HEADERS, TEXT, json_response
from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.negotiation import accepted
from projects.sim_cluster.api.routing import PageNotFoundError
from projects.sim_cluster.api.store import encode


def document(api: Api, request: Request, parts: list[str]) -> Response:
    """Answer a path that names no resource."""
    match parts:
        case ["healthz" | "livez" | "readyz", *_]:
            return Response("ok", 200, HEADERS, TEXT)
        case ["version"]:
            return json_response(json.dumps(api.recorded.version, indent=2).encode())
        case []:
            return json_response(encode(discovery.root_paths(api.registry)))
        case ["openapi", *rest]:
            return _openapi(api, rest)
        case ["api" | "apis", *_]:
            return _discovery(api, request, parts)
    raise PageNotFoundError


def _openapi(api: Api, parts: list[str]) -> Response:
    match parts:
        case ["v2"]:
            return json_response(api.documents.v2())
        case ["v3"]:
            return json_response(api.documents.index())
        case ["v3", *rest] if (found := api.documents.group_version("/".join(rest))) is not None:
            return json_response(found)
    raise PageNotFoundError


def _discovery(api: Api, request: Request, parts: list[str]) -> Response:
    if len(parts) == 1 and accepted(request.headers.get("accept", "")).form == "APIGroupDiscoveryList":
        body = encode(discovery.aggregated(api.registry, legacy=parts[0] == "api"))
        return Response(body, 200, {**HEADERS, "Vary": "Accept", "Content-Type": discovery.AGGREGATED})
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
    if found is None:
        raise PageNotFoundError
    return json_response(encode(found))
