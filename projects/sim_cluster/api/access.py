"""Who a request is from, and that this one may make it. Called by `http` before anything else.

How a path says what is wanted of which resource: k8s.io/apiserver pkg/endpoints/request, as it is called there, request info.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import HTTPConnection

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.authorization import Attributes
from projects.sim_cluster.api.errors import bad_request
from projects.sim_cluster.api.identity import ACCOUNT, User, named, user_of
from projects.sim_cluster.api.paths import OF_MANY, OF_NAMESPACES, VERBS, in_group_version, parts_of

_ON: Final = frozenset({"1", "true"})
_BY_NAME: Final = "metadata.name="


def user_who_may(api: Api, connection: HTTPConnection) -> User:
    """Return who makes a request, or for whom it is made; raise when that one may not."""
    headers = connection.headers
    user = user_of(connection.scope.get("certificate"), headers.get("authorization", ""), api.now)
    user = _acting_for(api, user, headers.get("impersonate-user", ""), headers.getlist("impersonate-group"))
    api.authorizer.check(user, wanted_by(connection.scope["method"], connection.url.path, connection.query_params))
    return user


def _acting_for(api: Api, user: User, name: str, groups: list[str]) -> User:
    """Return who somebody acts for, having looked whether that is allowed."""
    if not name and groups:
        listed = " ".join(f"{{Group  {each}    }}" for each in groups)
        raise bad_request(f"requested [{listed}] without impersonating a user")
    if not name:
        return user
    if name.startswith(ACCOUNT):
        namespace, _, account = name.removeprefix(ACCOUNT).partition(":")
        wanted = [Attributes("impersonate", resource="serviceaccounts", namespace=namespace, name=account)]
    else:
        wanted = [Attributes("impersonate", resource="users", name=name)]
    wanted += [Attributes("impersonate", resource="groups", name=each) for each in groups]
    for each in wanted:
        api.authorizer.check(user, each)
    return named(name, groups)


def wanted_by(method: str, path: str, query: Mapping[str, str]) -> Attributes:
    """Return what a request wants to do."""
    verb = VERBS.get(method, method.lower())
    if (named_in_path := in_group_version(parts_of(path))) is None:
        return Attributes(verb, path=path)
    group, _, rest = named_in_path
    if rest[0] == "watch" and len(rest) > 1:
        rest, query = rest[1:], {**query, "watch": "1"}
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in OF_NAMESPACES:  # noqa: PLR2004 - namespaces, its name, what is in it
            rest = rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    if verb == "get" and query.get("watch", "") in _ON:
        verb = "watch"
    elif not name:
        verb = OF_MANY.get(verb, verb)
    if not name and verb in {"list", "watch", "deletecollection"}:
        name = _selected(query.get("fieldSelector", ""))
    return Attributes(verb, group, resource, subresource, namespace, name)


def _selected(fields: str) -> str:
    """Return the name that a field selector chooses, if it does nothing else."""
    return fields.removeprefix(_BY_NAME).lstrip("=") if fields.startswith(_BY_NAME) and "," not in fields else ""
