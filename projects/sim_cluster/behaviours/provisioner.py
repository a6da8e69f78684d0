"""What a storage driver's provisioner does where the control plane has a volume controller of its own: it makes volumes, and removes them.

`real_api` plays it. On the simulated API `volumes` plays the volume controller as well, and makes the volumes itself.
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import CLAIMS, STORAGE_CLASSES, VOLUMES
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every

_ASKED: Final = "volume.kubernetes.io/storage-provisioner"
_NODE: Final = "volume.kubernetes.io/selected-node"
_BY: Final = "pv.kubernetes.io/provisioned-by"


async def provision(world: World, claim: Object) -> float | None:
    """Make the volume that the volume controller asks for by an annotation of a claim; the controller binds the two."""
    metadata, spec = claim["metadata"], claim["spec"]
    annotations = metadata.get("annotations") or {}
    driver, storage_class = (
        annotations.get(_ASKED),
        world.cache(STORAGE_CLASSES).get("", spec.get("storageClassName", "")),
    )
    if not driver or storage_class is None or spec.get("volumeName") or metadata.get("deletionTimestamp"):
        return None
    if storage_class.get("volumeBindingMode") == "WaitForFirstConsumer" and _NODE not in annotations:
        return None
    if (left := seconds_of(metadata["creationTimestamp"]) + world.timings.claim_bind - world.now) > 0:
        return left
    await world.ensure(VOLUMES, _volume(claim, storage_class, driver))
    return None


def _volume(claim: Object, storage_class: Object, driver: str) -> Object:
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"} | {
        key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion")
    }
    return {
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "annotations": {_BY: driver}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]}, "accessModes": spec["accessModes"], "claimRef": reference,
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"), "volumeMode": spec.get("volumeMode", "Filesystem"),
            "storageClassName": spec["storageClassName"], "csi": {"driver": driver, "volumeHandle": name},
        },
    }  # fmt: skip


async def reclaim(world: World, volume: Object) -> None:
    """Remove a volume whose claim is gone, when it is to go with it."""
    released = (volume.get("status") or {}).get("phase") == "Released"
    ours = _BY in (volume["metadata"].get("annotations") or {})
    going = volume["metadata"].get("deletionTimestamp")
    if released and ours and not going and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
        await world.delete(VOLUMES, volume)


PROVISIONER: Final = Behaviour(
    "provisioner",
    CLAIMS,
    provision,
    manager="csi-provisioner",
    woken_by=(Wake(STORAGE_CLASSES, every(CLAIMS)),),
    reads=(VOLUMES,),
)
RECLAIMER: Final = Behaviour("reclaimer", VOLUMES, reclaim, manager="csi-provisioner")
