"""The provisioners of StorageClasses, which a cloud brings: they make the volumes that claims ask for, and delete those released.

They see the cluster as an external provisioner does, so they play on either API: a claim that names them waits for them.
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.cache import key_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import annotations_of
from projects.sim_cluster.behaviours.pod_volumes import SELECTED_NODE, claim_reference, waits_for_consumer
from projects.sim_cluster.behaviours.resources import CLAIMS, STORAGE_CLASSES, VOLUMES
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every

ASKED: Final = "volume.kubernetes.io/storage-provisioner"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"


async def provision(world: World, claim: Object) -> float | None:
    """Make the volume of a claim, after the time that takes."""
    metadata, spec = claim["metadata"], claim["spec"]
    annotations = metadata.get("annotations") or {}
    provisioner = annotations.get(ASKED)
    pending = (claim.get("status") or {}).get("phase", "Pending") == "Pending" and not spec.get("volumeName")
    if provisioner is None or not pending or metadata.get("deletionTimestamp"):
        return None
    if waits_for_consumer(world, claim) and SELECTED_NODE not in annotations:
        return None
    name = f"pvc-{metadata['uid']}"
    if world.cache(VOLUMES).get("", name) is not None:
        return None
    if (left := seconds_of(metadata["creationTimestamp"]) + world.timings.claim_bind - world.now) > 0:
        return left
    world.tell(
        claim, "Provisioning", f'External provisioner is provisioning volume for claim "{"/".join(key_of(claim))}"'
    )
    if await world.ensure(VOLUMES, _volume(world, claim, name, provisioner)):
        world.tell(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}")
    return None


def _volume(world: World, claim: Object, name: str, provisioner: str) -> Object:
    metadata, spec = claim["metadata"], claim["spec"]
    found = world.cache(STORAGE_CLASSES).get("", spec.get("storageClassName") or "") or {}
    made = {
        "capacity": {"storage": ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")},
        "accessModes": spec.get("accessModes"),
        "claimRef": claim_reference(claim),
        "persistentVolumeReclaimPolicy": found.get("reclaimPolicy", "Delete"),
        "storageClassName": spec.get("storageClassName"),
        "volumeMode": spec.get("volumeMode"),
        "csi": {"driver": provisioner, "volumeHandle": f"simulated-{metadata['uid']}"},
    }
    annotations = {PROVISIONED_BY: provisioner}
    named = {"name": name, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": named, "spec": made}


def is_provisioned(volume: Object) -> bool:
    """Return whether a provisioner has made a volume."""
    return PROVISIONED_BY in annotations_of(volume)


async def reclaim(world: World, volume: Object) -> None:
    """Delete a volume that was provisioned and whose claim is gone, when it is not to be kept."""
    released = (volume.get("status") or {}).get("phase") == "Released"
    going = volume["metadata"].get("deletionTimestamp")
    if (
        released
        and is_provisioned(volume)
        and not going
        and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
    ):
        await world.delete(VOLUMES, volume)


PROVISIONER: Final = Behaviour(
    "provisioner",
    CLAIMS,
    provision,
    manager="csi-provisioner",
    woken_by=(Wake(STORAGE_CLASSES, every(CLAIMS)),),
    reads=(VOLUMES,),
    component="csi-provisioner",
)
RECLAIMER: Final = Behaviour("reclaimer", VOLUMES, reclaim, manager="csi-provisioner")
