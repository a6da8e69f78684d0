"""What a request asks for, as far as its line and headers tell: the API's own attributes of it. Used by `choosing`.

It knows no kinds: it has to stand before a real API as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import parse_qs

from starlette.types import Scope

from projects.sim_cluster.api.paths import OF_MANY, OF_NAMESPACES, VERBS, in_group_version, parts_of

_HEALTH: Final = ("/healthz", "/livez", "/readyz")


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
    verb = VERBS.get(scope["method"], "get")
    if (named := in_group_version(parts_of(path))) is None:
        about: Literal["discovery", "health"] = "health" if path.startswith(_HEALTH) else "discovery"
        return Asked(about, verb, path, user_agent=agent)
    group, _, rest = named
    return _of_objects(scope, verb, group, rest, agent)


def _of_objects(scope: Scope, verb: str, group: str, rest: list[str], agent: str) -> Asked:
    query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    if watched := rest[0] == "watch":
        rest = rest[1:] or [""]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and (group or rest[2] not in OF_NAMESPACES):  # noqa: PLR2004
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    if verb == "get" and (watched or query.get("watch", "").lower() in {"1", "true"}):
        verb = "watch"
    elif not name:
        verb = OF_MANY.get(verb, verb)
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
