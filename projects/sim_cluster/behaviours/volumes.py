"""Claims: each one gets a volume of its own, as a dynamic provisioner would make it."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import CLAIMS, VOLUMES
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, World


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


CLAIM: Final = Behaviour("claims", CLAIMS, provision, reads=(VOLUMES,))
