"""Who asks: a client certificate, a bearer token, or nobody. Called by `http` for every request.

Everyone who is somebody may do everything; nobody may see the health and the version only.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from projects.sim_cluster.api.errors import unauthorized

AUDIENCE: Final = "https://kubernetes.default.svc"
_ACCOUNT: Final = "system:serviceaccount:"
ANONYMOUS: Final = "system:anonymous"
OPEN_PATHS: Final = ("/healthz", "/livez", "/readyz", "/version")


def user_of(
    certificate: Mapping[str, Any] | None, authorization: str, tokens: Mapping[str, str], now: Callable[[], float]
) -> str:
    """Return the name of the one who asks; raise Unauthorized for a token that nobody issued."""
    if certificate:
        for part in certificate.get("subject") or ():
            for key, value in part:
                if key == "commonName":
                    return str(value)
    if not authorization:
        return ANONYMOUS
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorized()
    if token in tokens:
        return tokens[token]
    return _account(token, now())


def groups_of(user: str) -> list[str]:
    """Return the groups of somebody, apart from the one of all who are somebody."""
    if not user.startswith(_ACCOUNT):
        return ["system:masters"]
    namespace = user.removeprefix(_ACCOUNT).partition(":")[0]
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]


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
