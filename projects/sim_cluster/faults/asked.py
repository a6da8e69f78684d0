"""What a request asks for, as far as its line and headers tell: the API's own attributes of it. Used by `choosing`.

It knows no kinds: it has to stand before a real API as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import parse_qs

from starlette.types import Scope

_HEALTH: Final = ("/healthz", "/livez", "/readyz")
_METHODS: Final = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OF_MANY: Final = {"get": "list", "delete": "deletecollection"}
_OF_NAMESPACES: Final = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class Asked:
    """The attributes of a request."""

    about: Literal["objects", "discovery", "health"]
    verb: str
    path: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    selectors: str = ""
    version: str = ""
    """The resourceVersion that a watch begins at or a list is of, or the page that it goes on from."""
    user_agent: str = ""

    @property
    def identity(self) -> str:
        """What makes it the very same request when it is made again."""
        what = (self.group, self.resource, self.subresource, self.namespace, self.name, self.selectors)
        return "\n".join((self.verb, *what, "" if self.about == "objects" else self.path, self.user_agent))

    def named(self, name: str) -> Asked:
        """Return it with the name of what it is about."""
        return replace(self, name=name)


def asked_of(scope: Scope) -> Asked:
    """Return what a request asks for."""
    path: str = scope["path"]
    agent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")
    parts = [part for part in path.split("/") if part]
    verb = _METHODS.get(scope["method"], "get")
    if parts[:1] == ["api"] and len(parts) > 2:  # noqa: PLR2004 - /api/v1/pods
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:  # noqa: PLR2004 - /apis/apps/v1/deployments
        group, rest = parts[1], parts[3:]
    else:
        about: Literal["discovery", "health"] = "health" if path.startswith(_HEALTH) else "discovery"
        return Asked(about, verb, path, user_agent=agent)
    return _of_objects(scope, verb, group, rest, agent)


def _of_objects(scope: Scope, verb: str, group: str, rest: list[str], agent: str) -> Asked:
    query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    if watched := rest[0] == "watch":
        rest = rest[1:] or [""]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and (group or rest[2] not in _OF_NAMESPACES):  # noqa: PLR2004
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    if verb == "get" and (watched or query.get("watch", "").lower() in {"1", "true"}):
        verb = "watch"
    elif not name:
        verb = _OF_MANY.get(verb, verb)
    version = query.get("continue") or query.get("resourceVersion", "")
    return Asked(
        about="objects",
        verb=verb,
        path=scope["path"],
        group=group,
        resource=rest[0],
        subresource="/".join(rest[2:]),
        namespace=namespace,
        name=name,
        selectors="&".join(query.get(key, "") for key in ("labelSelector", "fieldSelector")),
        version="" if version == "0" else version,
        user_agent=agent,
    )
