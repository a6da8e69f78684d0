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
from projects.sim_cluster.api.scales import patch_at, replicas_patch, scale_of
from projects.sim_cluster.api.timestamps import timestamp
from projects.sim_cluster.api.token_requests import answer_request
from projects.sim_cluster.api.webhooks.attributes import Form
from projects.sim_cluster.api.write_warnings import telling

_EVICTION: Final = Form("policy", "v1", "Eviction")
_BINDING: Final = Form("", "v1", "Binding")
_TOKEN: Final = Form("authentication.k8s.io", "v1", "TokenRequest")


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

    async def write_scale(
        self, kind: Kind, namespace: str, name: str, patch_type: PatchType | None, body: Any, options: WriteOptions
    ) -> Outcome:
        """Change the replicas of an object through its scale, by PUT (no patch type) or PATCH."""
        before = scale_of(kind, self.resources.get(kind, namespace, name).object)
        wanted = body
        if patch_type == "apply":
            return await self._apply_scale(kind, namespace, name, body, options)
        if patch_type is not None:
            wanted = json_patch(before, body) if patch_type == "json" else merge_patch(before, body)
        version = (wanted.get("metadata") or {}).get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        given = (wanted.get("metadata") or {}).get("name") or name
        if given != name:
            raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
        replicas = _replicas(wanted, name)
        patch = replicas_patch(kind, replicas)
        done = await self.resources.patch(kind, namespace, name, "merge", patch, options)
        return Outcome(scale_of(kind, done.object), warnings=done.warnings)

    async def _apply_scale(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        """Apply the replicas of an object; a conflict is told of the Scale, which is what was applied."""
        path = (kind.scale or ScalePaths()).spec
        head = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {"name": name}}
        try:
            done = await self.resources.patch(
                kind, namespace, name, "apply", head | patch_at(path, _replicas(body, name)), options
            )
        except ApiError as error:
            text = json.dumps([error.message, error.details])
            text = text.replace(f"using {kind.api_version}", "using autoscaling/v1").replace(path, ".spec.replicas")
            message, details = json.loads(text)
            raise ApiError(error.code, error.reason, message, details) from None
        return Outcome(scale_of(kind, done.object), warnings=done.warnings)

    async def evict(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        """Delete a pod as ``kubectl drain`` does, unless a budget would be violated."""
        self.resources.get(kind, namespace, name)
        options = replace(options, subresource="eviction")
        body, warnings = await self._admitted(kind, namespace, name, body, options, _EVICTION)
        pod = self.resources.get(kind, namespace, name).object
        done = await evict(self.resources, self.now(), kind, pod, body, dry_run=options.dry_run)
        return replace(done, warnings=[*warnings, *done.warnings])

    async def _admitted(
        self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions, form: Form
    ) -> tuple[Any, list[str]]:
        """Return what is created on a subresource as webhooks leave it, and what they warn of."""
        hooks = self.resources.writer.hooks
        if options.internal or not hooks.concern(kind):
            return body, []
        given = body or {}
        head = {"kind": form.kind, "apiVersion": f"{form.group}/{form.version}" if form.group else form.version}
        metadata = {**(given.get("metadata") or {}), "name": name, "namespace": namespace}
        with telling() as warnings:
            obj = head | given | {"metadata": metadata}
            admitted = await hooks.admit_unstored(kind, namespace, name, obj, options, warnings, form)
        return admitted, warnings

    async def bind(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        """Put a pod on the node that a Binding names."""
        node = ((body or {}).get("target") or {}).get("name")
        if not node:
            raise bad_request("Binding needs a target")
        options = replace(options, subresource="binding")
        _body, warnings = await self._admitted(kind, namespace, name, body, options, _BINDING)
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
        await self.resources.patch(kind, namespace, name, "merge", patch, options)
        return Outcome(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201},
            created=True,
            warnings=warnings,
        )

    async def bind_named(self, namespace: str, body: Object, options: WriteOptions) -> Outcome:
        """Put the pod that a Binding is named after on the node that it names."""
        pods = self.resources.registry.find("", "v1", "pods")
        assert pods is not None
        return await self.bind(pods, namespace, body["metadata"].get("name", ""), body, replace(options, internal=True))

    async def token(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        """Answer a TokenRequest with a token that names the account."""
        self.resources.stored(kind, namespace, name)
        body, warnings = await self._admitted(
            kind, namespace, name, body, replace(options, subresource="token"), _TOKEN
        )
        self.resources.stored(kind, namespace, name)
        return replace(answer_request(namespace, name, body, options, self.now()), warnings=warnings)
