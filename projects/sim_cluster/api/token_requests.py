"""The tokens of service accounts: a TokenRequest answered. `subresources` calls `answer_request`; `identity` reads the tokens."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.errors import Cause, invalid_nameless, invalid_value
from projects.sim_cluster.api.identity import AUDIENCE
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.requests import Outcome, WriteOptions
from projects.sim_cluster.api.timestamps import timestamp

_GROUP: Final = "authentication.k8s.io"
_HOUR: Final = 3600
_LEAST: Final = 600
_MOST: Final = 2**32


def answer_request(namespace: str, name: str, body: Any, options: WriteOptions, now: float) -> Outcome:
    """Return a TokenRequest with a token that names the account; the API accepts it as that account until it expires."""
    asked = (body or {}).get("spec") or {}
    seconds = asked.get("expirationSeconds") or _HOUR
    if found := list(_causes(body, name, seconds)):
        raise invalid_nameless(_GROUP, "TokenRequest", found, name if found[0].field == "metadata.name" else "")
    until = now + seconds
    claims = {"sub": f"system:serviceaccount:{namespace}:{name}", "exp": int(until)}
    token = ".".join([_part({"alg": "none"}), _part(claims), "simulated"])
    owner = {"manager": options.manager, "operation": "Update", "apiVersion": f"{_GROUP}/v1", "time": timestamp(now),
             "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:expirationSeconds": {}}}, "subresource": "token"}  # fmt: skip
    metadata = {"name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": timestamp(now)}
    spec = {"audiences": asked.get("audiences") or [AUDIENCE], "expirationSeconds": seconds, "boundObjectRef": None}
    status = {"token": token, "expirationTimestamp": timestamp(until)}
    answer = {"kind": "TokenRequest", "apiVersion": f"{_GROUP}/v1", "metadata": metadata | {"managedFields": [owner]}}
    return Outcome(answer | {"spec": spec, "status": status}, created=True)


def _part(content: Object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _causes(body: Any, name: str, seconds: int) -> Iterator[Cause]:
    given = ((body or {}).get("metadata") or {}).get("name") or name
    if given != name:
        yield invalid_value("metadata.name", shown(given), "must match the service account name if specified")
    elif seconds < _LEAST:
        yield invalid_value("spec.expirationSeconds", str(seconds), "may not specify a duration less than 10 minutes")
    elif seconds > _MOST:
        yield invalid_value(
            "spec.expirationSeconds", str(seconds), "may not specify a duration larger than 2^32 seconds"
        )
