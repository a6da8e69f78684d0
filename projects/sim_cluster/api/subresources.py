"""The subresources that are more than another way to write an object: scale, eviction, binding, token.

`http` calls `serve`; ``status``, ``finalize`` and ``approval`` are plain writes and do not come here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError, bad_request, conflict, invalid_nameless, invalid_value
from projects.sim_cluster.api.evictions import evict
from projects.sim_cluster.api.kinds import Kind, Object, ScalePaths
from projects.sim_cluster.api.patches import json_patch, merge_patch
from projects.sim_cluster.api.requests import Outcome, PatchType, WriteOptions
from projects.sim_cluster.api.resources import Resources
from projects.sim_cluster.api.selectors import selector_text
from projects.sim_cluster.api.timestamps import timestamp
from projects.sim_cluster.api.token_requests import answer_request

SCALE: Final = "scale"


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


def _replicas(scale: Object, name: str) -> int:
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request(
            f"json: cannot unmarshal {type(replicas).__name__} into Go struct field ScaleSpec.spec.replicas of type int32"
        )
    if replicas < 0:
        cause = invalid_value("spec.replicas", str(replicas), "must be greater than or equal to 0")
        raise invalid_nameless("autoscaling", "Scale", [cause], name)
    return replicas


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
        if patch_type == "apply":
            return self._apply_scale(kind, namespace, name, body, options)
        if patch_type is not None:
            wanted = json_patch(before, body) if patch_type == "json" else merge_patch(before, body)
        version = (wanted.get("metadata") or {}).get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        given = (wanted.get("metadata") or {}).get("name") or name
        if given != name:
            raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
        replicas = _replicas(wanted, name)
        patch = _patch_at((kind.scale or ScalePaths()).spec, replicas)
        done = self.resources.patch(kind, namespace, name, "merge", patch, options)
        return Outcome(scale_of(kind, done.object))

    def _apply_scale(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        """Apply the replicas of an object; a conflict is told of the Scale, which is what was applied."""
        path = (kind.scale or ScalePaths()).spec
        head = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {"name": name}}
        try:
            done = self.resources.patch(
                kind, namespace, name, "apply", head | _patch_at(path, _replicas(body, name)), options
            )
        except ApiError as error:
            text = json.dumps([error.message, error.details])
            text = text.replace(f"using {kind.api_version}", "using autoscaling/v1").replace(path, ".spec.replicas")
            message, details = json.loads(text)
            raise ApiError(error.code, error.reason, message, details) from None
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

    def token(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        """Answer a TokenRequest with a token that names the account."""
        self.resources.stored(kind, namespace, name)
        return answer_request(namespace, name, body, options, self.now())
