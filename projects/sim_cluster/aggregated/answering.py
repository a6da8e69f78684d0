"""What a route of the layer is declared with: the paths it answers, what one has to be allowed, how it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from projects.sim_cluster.behaviours.interface import Cluster, Object, Resource


@dataclass(frozen=True)
class Asked:
    """A request that a route answers: the cluster, the request, the named parts of its path, who is asking."""

    cluster: Cluster
    request: Request
    parts: dict[str, str]
    user: Object

    async def get(self, resource: Resource, name: str) -> Object:
        """Return an object of the namespace of the path; raise when there is none."""
        for obj in await self.cluster.list(resource, self.parts.get("namespace", "")):
            if obj["metadata"]["name"] == name:
                return obj
        raise not_found(resource, name)

    async def body(self) -> Object:
        """Return the request's body, a JSON object."""
        try:
            found = json.loads(await self.request.body() or b"{}")
        except ValueError:
            raise RouteError(400, "BadRequest", "the object provided is unrecognized (must be of type JSON)") from None
        if not isinstance(found, dict):
            raise RouteError(400, "BadRequest", "the object provided is unrecognized (must be of type JSON)")
        return found


@dataclass(frozen=True)
class Route:
    """Paths that are answered here.

    Args:
      methods: The methods.
      path: A pattern of whole paths; its named groups are the parts.
      answer: What answers.
      attributes: What one has to be allowed: ``verb``, ``group``, ``resource``, ``subresource``; nothing when it is empty.
    """

    methods: frozenset[str]
    path: re.Pattern[str]
    answer: Callable[[Asked], Awaitable[Response]]
    attributes: dict[str, str] = field(default_factory=dict)


class RouteError(Exception):
    """An answer that is a ``Status`` of failure."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.details = code, reason, details or {}

    def response(self) -> Response:
        """Return it as an answer."""
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": str(self), "reason": self.reason,
                  "details": self.details, "code": self.code}  # fmt: skip
        return json_answer(status, self.code)


def not_found(resource: Resource, name: str) -> RouteError:
    """Return what is said of an object that is not there."""
    qualified = f"{resource.name}.{resource.group}"
    return RouteError(
        404,
        "NotFound",
        f'{qualified} "{name}" not found',
        {"name": name, "group": resource.group, "kind": resource.name},
    )


def json_answer(document: Object, code: int = 200) -> Response:
    """Return a document as an answer."""
    return Response(json.dumps(document), code, media_type="application/json")
