"""DaemonSets and their pods, as operators make and watch them. Used by `nfd` and `gpu_operator`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.interface import Object, Resource
from projects.sim_cluster.behaviours.metadata import annotations_of, labels_of
from projects.sim_cluster.behaviours.resources import PODS
from projects.sim_cluster.behaviours.unit import Keys, World, owner_reference

APP: Final = "app"
_APPLIED: Final = "rehearsal.foresail.io/last-applied-hash"


def component(kind: str, owner: Object, namespace: str, name: str, pod_spec: Object, labels: dict[str, str]) -> Object:
    """Return a Deployment or a DaemonSet of an operand, selected by its ``app`` label."""
    chosen = {APP: name} | labels
    spec: Object = {
        "selector": {"matchLabels": {APP: name}},
        "template": {"metadata": {"labels": chosen}, "spec": pod_spec},
    }
    if kind == "Deployment":
        spec["replicas"] = 1
    metadata = {"name": name, "namespace": namespace, "labels": chosen, "ownerReferences": [owner_reference(owner)]}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


async def keep(world: World, resource: Resource, wanted: Object) -> None:
    """Create what an operand consists of, or bring it back to what is wanted when that has changed.

    What others change in it stays, as a restart by ``kubectl rollout restart`` does: only the hash of what was applied counts.
    """
    digest = hashlib.sha256(json.dumps(wanted["spec"], sort_keys=True).encode()).hexdigest()[:16]
    annotations = {_APPLIED: digest}
    if await world.ensure(resource, wanted | {"metadata": wanted["metadata"] | {"annotations": annotations}}):
        return
    found = world.cache(resource).get(wanted["metadata"]["namespace"], wanted["metadata"]["name"])
    if found is not None and annotations_of(found).get(_APPLIED) != digest:
        spec = {"template": wanted["spec"]["template"]}
        await world.patch(resource, found, {"metadata": {"annotations": annotations}, "spec": spec})


def is_rolled_out(daemon_set: Object) -> bool:
    """Return whether each pod of a DaemonSet is available and of the newest template."""
    status = daemon_set.get("status") or {}
    desired = status.get("desiredNumberScheduled", 0)
    if status.get("observedGeneration") != daemon_set["metadata"]["generation"]:
        return False
    return bool(desired == status.get("numberAvailable", 0) == status.get("updatedNumberScheduled", 0))


def ready_pod(world: World, node: str, app: str) -> Object | None:
    """Return the Ready pod of an app on a node."""
    for pod in world.cache(PODS).on_node(node):
        if is_of(app, pod) and is_true(pod, "Ready") and not pod["metadata"].get("deletionTimestamp"):
            return pod
    return None


def is_of(app: str, obj: Object) -> bool:
    """Return whether an object has the ``app`` label of an operand."""
    return labels_of(obj).get(APP) == app


def node_of(*apps: str) -> Keys:
    """Wake the node of a pod that belongs to one of some apps."""

    def keys(_world: World, pod: Object) -> Iterable[Key]:
        if any(is_of(app, pod) for app in apps) and (node := pod["spec"].get("nodeName")):
            yield "", node

    return keys
