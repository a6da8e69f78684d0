"""The claims of a pod that is to be placed: whether they let it be, and, of those that wait for it, the node that they get.

Used by the scheduler, which does not bind a pod before its claims are bound.
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import annotations_of
from projects.sim_cluster.behaviours.resources import CLAIMS, STORAGE_CLASSES
from projects.sim_cluster.behaviours.unit import World

SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
_IMMEDIATE: Final = "pod has unbound immediate PersistentVolumeClaims"


def claim_names(pod: Object) -> list[str]:
    """Return the names of the claims that a pod uses."""
    volumes = pod["spec"].get("volumes") or ()
    return [each["persistentVolumeClaim"]["claimName"] for each in volumes if each.get("persistentVolumeClaim")]


def is_bound(claim: Object) -> bool:
    """Return whether a claim has its volume."""
    return (claim.get("status") or {}).get("phase") == "Bound"


def claim_reference(claim: Object) -> Object:
    """Return the reference by which a volume names its claim."""
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }


def waits_for_consumer(world: World, claim: Object) -> bool:
    """Return whether a claim is of a class whose volumes are bound once a pod that uses them has a node."""
    found = world.cache(STORAGE_CLASSES).get("", claim["spec"].get("storageClassName") or "")
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def why_claims_refuse(world: World, pod: Object) -> str:
    """Return why the claims of a pod do not let it be placed, in the scheduler's words; empty when they do."""
    for name in claim_names(pod):
        claim = world.cache(CLAIMS).get(pod["metadata"]["namespace"], name)
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if claim["metadata"].get("deletionTimestamp"):
            return f'persistentvolumeclaim "{name}" is being deleted'
        if not is_bound(claim) and not waits_for_consumer(world, claim):
            return _IMMEDIATE
    return ""


def _unbound(world: World, pod: Object) -> list[Object]:
    found = (world.cache(CLAIMS).get(pod["metadata"]["namespace"], name) for name in claim_names(pod))
    return [claim for claim in found if claim is not None and not is_bound(claim)]


def selected_node(world: World, pod: Object) -> str:
    """Return the node that was selected for a pod because of its claims, empty when none was."""
    annotations = (annotations_of(claim) for claim in _unbound(world, pod))
    return next((each[SELECTED_NODE] for each in annotations if SELECTED_NODE in each), "")


async def claims_are_bound(world: World, pod: Object, node: str) -> bool:
    """Have the claims that wait for a pod bound for a node; return whether there is none left."""
    unbound = _unbound(world, pod)
    for claim in unbound:
        if annotations_of(claim).get(SELECTED_NODE) != node:
            await world.patch(CLAIMS, claim, {"metadata": {"annotations": {SELECTED_NODE: node}}})
    return not unbound
