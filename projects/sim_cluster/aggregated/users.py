"""``users/~``: who is asking, as ``oc whoami`` wants to know."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from projects.sim_cluster.aggregated.answering import Asked, Route, json_answer
from projects.sim_cluster.behaviours.interface import Resource

USERS: Final = Resource("user.openshift.io", "v1", "users")


async def whoami(asked: Asked) -> Response:
    """Return the user who asks; one who never logged in has no object and is made up from the credentials."""
    name, groups = asked.user["username"], asked.user.get("groups") or []
    known = [user for user in await asked.cluster.list(USERS) if user["metadata"]["name"] == name]
    user = known[0] if known else {"metadata": {"name": name, "creationTimestamp": None}, "identities": None}
    return json_answer({"kind": "User", "apiVersion": "user.openshift.io/v1"} | user | {"groups": groups})


USER_ROUTES: Final = (Route(frozenset({"GET"}), re.compile(r"/apis/user\.openshift\.io/v1/users/~"), whoami),)
