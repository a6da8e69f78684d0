"""``buildconfigs/NAME/instantiate`` and ``…/instantiatebinary`` start builds, ``builds/NAME/log`` tells of them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from projects.sim_cluster.aggregated.answering import Asked, Route, RouteError, json_answer
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.openshift.builds import ENDED, build_of
from projects.sim_cluster.behaviours.resources import BUILD_CONFIGS, BUILDS

_BASE: Final = r"/apis/build\.openshift\.io/v1/namespaces/(?P<namespace>[^/]+)"
_CONFIG: Final = {"verb": "create", "group": "build.openshift.io", "resource": "buildconfigs"}
_ON: Final = {"1", "true"}


async def instantiate(asked: Asked) -> Response:
    """Start the next build of a BuildConfig."""
    request = await asked.body()
    named = (request.get("metadata") or {}).get("name", asked.parts["name"])
    if named != asked.parts["name"]:
        raise RouteError(
            400,
            "BadRequest",
            f"name of the BuildRequest ({named}) does not match the name of the BuildConfig ({asked.parts['name']})",
        )
    return await _started(asked, request)


async def instantiate_binary(asked: Asked) -> Response:
    """Start a build from what is uploaded; nothing looks into it."""
    await asked.request.body()
    options = {key: asked.request.query_params[key] for key in ("asFile",) if key in asked.request.query_params}
    return await _started(asked, {"binary": options, "triggeredBy": [{"message": "Manually triggered"}]})


async def _started(asked: Asked, request: Object) -> Response:
    config = await asked.get(BUILD_CONFIGS, asked.parts["name"])
    made = await asked.cluster.create(BUILDS, build_of(config, request))
    last = (config.get("status") or {}).get("lastVersion", 0) + 1
    await asked.cluster.patch(
        BUILD_CONFIGS,
        config["metadata"]["namespace"],
        config["metadata"]["name"],
        {"status": {"lastVersion": last}},
        "status",
    )
    return json_answer(made, 201)


async def log(asked: Asked) -> Response:
    """Tell of a build; whoever follows hears of its end."""
    build = await asked.get(BUILDS, asked.parts["name"])
    follows = asked.request.query_params.get("follow", "") in _ON
    return StreamingResponse(_lines(asked, build, follows=follows), media_type="text/plain")


async def _lines(asked: Asked, build: Object, *, follows: bool) -> AsyncIterator[str]:
    name, kind = build["metadata"]["name"], (build["spec"].get("strategy") or {}).get("type", "Docker")
    yield f"Build {name}, strategy {kind}, simulated\n"
    if follows:
        build = await _ended(asked, build)
    status = build.get("status") or {}
    if status.get("phase") == "Complete":
        yield f"Pushing image {status.get('outputDockerImageReference', '')} ...\n"
        yield f"Successfully pushed {status.get('outputDockerImageReference', '')}@{status['output']['to']['imageDigest']}\nPush successful\n"
    elif status.get("phase") in ENDED:
        yield f"error: {status.get('message', status['phase'])}\n"


async def _ended(asked: Asked, build: Object) -> Object:
    async for batch in asked.cluster.watch(BUILDS):
        for happening in batch:
            if happening.object["metadata"]["uid"] != build["metadata"]["uid"]:
                continue
            build = happening.object
            if happening.type == "DELETED" or (build.get("status") or {}).get("phase") in ENDED:
                return build
    return build


BUILD_ROUTES: Final = (
    Route(frozenset({"POST"}), re.compile(rf"{_BASE}/buildconfigs/(?P<name>[^/]+)/instantiate"), instantiate, _CONFIG | {"subresource": "instantiate"}),
    Route(frozenset({"POST"}), re.compile(rf"{_BASE}/buildconfigs/(?P<name>[^/]+)/instantiatebinary"), instantiate_binary,
          _CONFIG | {"subresource": "instantiatebinary"}),
    Route(frozenset({"GET"}), re.compile(rf"{_BASE}/builds/(?P<name>[^/]+)/log"), log,
          {"verb": "get", "group": "build.openshift.io", "resource": "builds", "subresource": "log"}),
)  # fmt: skip
