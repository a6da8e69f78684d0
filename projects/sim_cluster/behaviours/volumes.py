"""Claims: each one gets a volume of its own, as a dynamic provisioner would make it, and takes it along when it goes."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import CLAIMS, VOLUMES
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World


async def provision(world: World, claim: Object) -> float | None:
    """Bind a claim to a new volume."""
    metadata, spec = claim["metadata"], claim["spec"]
    if metadata.get("deletionTimestamp") or (claim.get("status") or {}).get("phase") != "Pending":
        return None
    if (left := seconds_of(metadata["creationTimestamp"]) + world.timings.claim_bind - world.now) > 0:
        return left
    name = spec.get("volumeName") or f"pvc-{metadata['uid']}"
    capacity = {"storage": ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")}
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }
    volume = {"capacity": capacity, "accessModes": spec.get("accessModes"), "claimRef": reference, "persistentVolumeReclaimPolicy": "Delete",
              "storageClassName": spec.get("storageClassName"), "hostPath": {"path": f"/simulated/{name}"}}  # fmt: skip
    await world.ensure(
        VOLUMES, {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume}
    )
    bound = world.cache(VOLUMES).get("", name)
    if bound is not None:
        await world.set_status(VOLUMES, bound, {"phase": "Bound"})
    if not spec.get("volumeName"):
        claim = await world.patch(CLAIMS, claim, {"spec": {"volumeName": name}})
    await world.set_status(
        CLAIMS, claim, {"phase": "Bound", "accessModes": spec.get("accessModes"), "capacity": capacity}
    )
    return None


async def reclaim(world: World, volume: Object) -> None:
    """Delete a volume whose claim is gone."""
    spec = volume["spec"]
    claim = spec.get("claimRef")
    if (
        not claim
        or spec.get("persistentVolumeReclaimPolicy") != "Delete"
        or volume["metadata"].get("deletionTimestamp")
    ):
        return
    present = world.cache(CLAIMS).get(claim["namespace"], claim["name"])
    if present is None or present["metadata"]["uid"] != claim.get("uid"):
        await world.delete(VOLUMES, volume)


def _volume_of(_world: World, claim: Object) -> list[Key]:
    name = claim["spec"].get("volumeName")
    return [("", name)] if name else []


CLAIM: Final = Behaviour("claims", CLAIMS, provision, reads=(VOLUMES,))
VOLUME: Final = Behaviour("volumes", VOLUMES, reclaim, woken_by=(Wake(CLAIMS, _volume_of),))
