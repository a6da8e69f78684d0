"""The subresources that are more than another way to write an object: scale, eviction, binding, token.

`http` calls `serve`; ``status``, ``finalize`` and ``approval`` are plain writes and do not come here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError, bad_request, conflict
from projects.sim_cluster.api.evictions import evict
from projects.sim_cluster.api.identity import AUDIENCE
from projects.sim_cluster.api.kinds import Kind, Object, ScalePaths
from projects.sim_cluster.api.patches import json_patch, merge_patch
from projects.sim_cluster.api.requests import Outcome, PatchType, WriteOptions
from projects.sim_cluster.api.resources import Resources
from projects.sim_cluster.api.selectors import selector_text
from projects.sim_cluster.api.timestamps import timestamp

SCALE: Final = "scale"
_MINUTES: Final = 3600


def _at(obj: Any, path: str) -> Any:
    for part in path.strip(".").split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def _patch_at(path: str, value: Any) -> Object:
    for part in reversed(path.strip(".").split(".")):
        value = {part: value}
    return dict(value)


def scale_of(kind: Kind, obj: Object) -> Object:
    """Return the ``Scale`` of an object."""
    paths = kind.scale or ScalePaths()
    metadata = {
        key: obj["metadata"][key]
        for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if key in obj["metadata"]
    }
    selector = selector_text(
        _at(obj, paths.selector) if kind.custom and paths.selector else (obj.get("spec") or {}).get("selector")
    )
    status: Object = {"replicas": _at(obj, paths.status) or 0}
    if selector and (not kind.custom or paths.selector):
        status["selector"] = selector
    replicas = _at(obj, paths.spec)
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


class Subresources:
    """Serves the subresources of objects."""

    def __init__(self, resources: Resources, now: Callable[[], float]) -> None:
        self.resources, self.now = resources, now

    def read_scale(self, kind: Kind, namespace: str, name: str) -> Outcome:
        """Return the scale of an object."""
        return Outcome(scale_of(kind, self.resources.get(kind, namespace, name).object))

    def write_scale(
        self, kind: Kind, namespace: str, name: str, patch_type: PatchType | None, body: Any, options: WriteOptions
    ) -> Outcome:
        """Change the replicas of an object through its scale, by PUT (no patch type) or PATCH."""
        before = scale_of(kind, self.resources.get(kind, namespace, name).object)
        wanted = body
        if patch_type is not None:
            wanted = json_patch(before, body) if patch_type == "json" else merge_patch(before, body)
        version = (wanted.get("metadata") or {}).get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or replicas < 0:
            raise bad_request(
                f'Scale.autoscaling "{name}" is invalid: spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0'
            )
        patch = _patch_at((kind.scale or ScalePaths()).spec, replicas)
        done = self.resources.patch(kind, namespace, name, "merge", patch, options)
        return Outcome(scale_of(kind, done.object))

    def evict(self, kind: Kind, namespace: str, name: str, body: Any, *, dry_run: bool) -> Outcome:
        """Delete a pod as ``kubectl drain`` does, unless a budget would be violated."""
        pod = self.resources.get(kind, namespace, name).object
        return evict(self.resources, self.now(), kind, pod, body, dry_run=dry_run)

    def bind(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        """Put a pod on the node that a Binding names."""
        node = ((body or {}).get("target") or {}).get("name")
        if not node:
            raise bad_request("Binding needs a target")
        pod = self.resources.get(kind, namespace, name).object
        if assigned := pod["spec"].get("nodeName"):
            why = f'pod {name} is already assigned to node "{assigned}"'
            raise conflict(kind, name, why, "binding")
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": timestamp(self.now()),
        }
        others = [entry for entry in pod["status"].get("conditions") or () if entry["type"] != "PodScheduled"]
        patch = {"spec": {"nodeName": node}, "status": {"conditions": [*others, scheduled]}}
        self.resources.patch(kind, namespace, name, "merge", patch, replace(options, subresource="binding"))
        return Outcome(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, created=True
        )

    def bind_named(self, namespace: str, body: Object, options: WriteOptions) -> Outcome:
        """Put the pod that a Binding is named after on the node that it names."""
        pods = self.resources.registry.find("", "v1", "pods")
        assert pods is not None
        return self.bind(pods, namespace, body["metadata"].get("name", ""), body, options)

    def token(self, kind: Kind, namespace: str, name: str, body: Any) -> Outcome:
        """Answer a TokenRequest with a token that names the account; the API accepts it as that account."""
        self.resources.stored(kind, namespace, name)
        seconds = ((body or {}).get("spec") or {}).get("expirationSeconds") or _MINUTES
        if seconds < 600:  # noqa: PLR2004 - the API's own bound
            raise ApiError(422, "Invalid", 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: '
                           f"{seconds}: may not specify a duration less than 10 minutes")  # fmt: skip
        until = self.now() + seconds
        claims = {"sub": f"system:serviceaccount:{namespace}:{name}", "exp": int(until)}
        parts = [{"alg": "none"}, claims]
        token = (
            ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
            + ".simulated"
        )
        spec = {"audiences": [AUDIENCE], "expirationSeconds": seconds, "boundObjectRef": None}
        answer = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {"name": name, "namespace": namespace},
                  "spec": spec, "status": {"token": token, "expirationTimestamp": timestamp(until)}}  # fmt: skip
        return Outcome(answer, created=True)
