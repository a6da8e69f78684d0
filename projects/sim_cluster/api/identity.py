"""Who asks: a client certificate, a bearer token, or nobody; and who is asked for, when somebody acts for another.

Called by `http` for every request. What one may do is another matter: `authorization`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from projects.sim_cluster.api.errors import unauthorized

AUDIENCE: Final = "https://kubernetes.default.svc"
ACCOUNT: Final = "system:serviceaccount:"
MASTERS: Final = "system:masters"
_AUTHENTICATED: Final = "system:authenticated"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody: a name, and the groups that this is in."""

    name: str
    groups: tuple[str, ...]

    def as_info(self) -> dict[str, Any]:
        """Return it as reviews tell it."""
        return {"username": self.name, "groups": list(self.groups)}


ANONYMOUS: Final = User("system:anonymous", ("system:unauthenticated",))
ADMINISTRATOR: Final = User("kubernetes-admin", (MASTERS, _AUTHENTICATED))


def component(name: str) -> User:
    """Return a part of the cluster itself, which may do everything."""
    return User(f"system:{name}", (MASTERS,))


def user_of(certificate: Mapping[str, Any] | None, authorization: str, now: Callable[[], float]) -> User:
    """Return who asks; raise Unauthorized for a token that nobody issued."""
    if certificate:
        parts = [pair for part in certificate.get("subject") or () for pair in part]
        names = [value for key, value in parts if key == "commonName"]
        if names:
            groups = [str(value) for key, value in parts if key == "organizationName"]
            return User(str(names[0]), (*groups, _AUTHENTICATED))
    if not authorization:
        return ANONYMOUS
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorized()
    return named(_account(token, now()))


def named(name: str, groups: Iterable[str] = ()) -> User:
    """Return somebody by name; a service account is in the groups of those, unless others are given."""
    given = tuple(groups)
    if name == ANONYMOUS.name:
        return User(name, given or ANONYMOUS.groups)
    if name.startswith(ACCOUNT) and not given:
        namespace = name.removeprefix(ACCOUNT).partition(":")[0]
        given = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(name, given if _AUTHENTICATED in given else (*given, _AUTHENTICATED))


def _account(token: str, now: float) -> str:
    """Return the service account that a token of ours names."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        if parts[2] == "simulated" and claims["exp"] > now:
            return str(claims["sub"])
    except (IndexError, KeyError, ValueError, TypeError, binascii.Error):
        raise unauthorized() from None
    raise unauthorized()
