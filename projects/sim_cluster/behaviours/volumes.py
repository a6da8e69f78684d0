"""Claims and volumes: a claim gets the smallest volume that fits, or, of a class that has a provisioner, one made for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projects.sim_cluster.behaviours.cache import Key, key_of
from projects.sim_cluster.behaviours.interface import Object, Resource
from projects.sim_cluster.behaviours.label_selectors import selects
from projects.sim_cluster.behaviours.metadata import annotations_of, labels_of
from projects.sim_cluster.behaviours.pod_volumes import SELECTED_NODE, claim_names, claim_reference, waits_for_consumer
from projects.sim_cluster.behaviours.pods import has_ended
from projects.sim_cluster.behaviours.provisioner import ASKED, NO_PROVISIONER, is_provisioned
from projects.sim_cluster.behaviours.quantities import amount
from projects.sim_cluster.behaviours.resources import CLAIMS, PODS, STORAGE_CLASSES, VOLUMES
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World

_CLAIM_PROTECTION: Final = "kubernetes.io/pvc-protection"
_VOLUME_PROTECTION: Final = "kubernetes.io/pv-protection"
_BOUND_BY_US: Final = {"pv.kubernetes.io/bound-by-controller": "yes"}
_BIND_COMPLETED: Final = {"pv.kubernetes.io/bind-completed": "yes"}
_UNBOUND: Final = "no persistent volumes available for this claim and no storage class is set"
_EXTERNAL: Final = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system administrator. "
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered."
)
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


async def claim_volume(world: World, claim: Object) -> None:
    """Bind a claim to a volume; one that is deleted goes when no pod uses it any more."""
    if claim["metadata"].get("deletionTimestamp"):
        await _let_claim_go(world, claim)
        return
    claim = await _protect(world, CLAIMS, claim, _CLAIM_PROTECTION)
    if (claim.get("status") or {}).get("phase") == "Pending":
        await _find(world, await _of_default_class(world, claim))


async def _of_default_class(world: World, claim: Object) -> Object:
    """Give a claim that names no class the newest one that is the default, when there is one."""
    if claim["spec"].get("storageClassName") is not None:
        return claim
    marked = [
        each for each in world.cache(STORAGE_CLASSES)
        if annotations_of(each).get(_DEFAULT_CLASS) == "true"
    ]  # fmt: skip
    if not marked:
        return claim
    newest = max(marked, key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]))
    return await world.patch(CLAIMS, claim, {"spec": {"storageClassName": newest["metadata"]["name"]}})


async def _find(world: World, claim: Object) -> None:
    """Bind a claim to what there is for it: the volume that it names, or the best that fits, or have one made."""
    if name := claim["spec"].get("volumeName"):
        volume = world.cache(VOLUMES).get("", name)
        if volume is not None and _is_free(volume, claim):
            await _bind(world, claim, volume)
        elif volume is not None:
            world.tell(claim, "FailedBinding", f'volume "{name}" already bound to a different claim.', type="Warning")
        return
    waits = waits_for_consumer(world, claim) and SELECTED_NODE not in annotations_of(claim)
    fitting = [volume for volume in world.cache(VOLUMES) if _fits(volume, claim)]
    if waits and not any(_is_made_for(volume, claim) for volume in fitting):
        world.tell(claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    elif fitting:
        await _bind(world, claim, min(fitting, key=_preference))
    else:
        await _have_made(world, claim)


def _is_made_for(volume: Object, claim: Object) -> bool:
    return bool((volume["spec"].get("claimRef") or {}).get("uid") == claim["metadata"]["uid"])


async def _have_made(world: World, claim: Object) -> None:
    """Name the provisioner that is to make a volume for a claim, or say why there is none."""
    if not (name := claim["spec"].get("storageClassName")):
        world.tell(claim, "FailedBinding", _UNBOUND)
        return
    found = world.cache(STORAGE_CLASSES).get("", name)
    if found is None:
        missing = f'storageclass.storage.k8s.io "{name}" not found'
        world.tell(claim, "ProvisioningFailed", missing, type="Warning")
        return
    provisioner = found.get("provisioner", NO_PROVISIONER)
    if provisioner == NO_PROVISIONER:
        world.tell(claim, "FailedBinding", "no persistent volumes available for this claim and no provisioner is set")
        return
    if ASKED in annotations_of(claim):
        return
    marks = {ASKED: provisioner, ASKED.replace("volume.", "volume.beta.", 1): provisioner}
    claim = await world.patch(CLAIMS, claim, {"metadata": {"annotations": marks}})
    world.tell(claim, "ExternalProvisioning", _EXTERNAL.format(provisioner))


def _is_free(volume: Object, claim: Object) -> bool:
    """Return whether no other claim has a volume; one may be kept for a claim by name."""
    held = volume["spec"].get("claimRef")
    if volume["metadata"].get("deletionTimestamp"):
        return False
    if not held:
        return True
    named = (held.get("namespace"), held.get("name")) == key_of(claim)
    return named and held.get("uid") in {None, claim["metadata"]["uid"]}


def _storage(volume: Object) -> int:
    return amount((volume["spec"].get("capacity") or {}).get("storage"))


def _preference(volume: Object) -> tuple[bool, int, str]:
    return not volume["spec"].get("claimRef"), _storage(volume), volume["metadata"]["name"]


def _fits(volume: Object, claim: Object) -> bool:
    offered, asked = volume["spec"], claim["spec"]
    return (
        _is_free(volume, claim)
        and (offered.get("storageClassName") or "") == (asked.get("storageClassName") or "")
        and offered.get("volumeMode") == asked.get("volumeMode")
        and set(asked.get("accessModes") or ()) <= set(offered.get("accessModes") or ())
        and _storage(volume) >= amount(((asked.get("resources") or {}).get("requests") or {}).get("storage"))
        and (asked.get("selector") is None or selects(asked["selector"], labels_of(volume)))
    )


async def _bind(world: World, claim: Object, volume: Object) -> None:
    """Tie both to each other: the volume first, so that no other claim takes it."""
    if (volume["spec"].get("claimRef") or {}).get("uid") != claim["metadata"]["uid"]:
        tie = {"metadata": {"annotations": _BOUND_BY_US}, "spec": {"claimRef": claim_reference(claim)}}
        volume = await world.patch(VOLUMES, volume, tie)
    await world.set_status(VOLUMES, volume, {"phase": "Bound"})
    annotations = _BIND_COMPLETED if claim["spec"].get("volumeName") else _BIND_COMPLETED | _BOUND_BY_US
    tie = {"metadata": {"annotations": annotations}, "spec": {"volumeName": volume["metadata"]["name"]}}
    claim = await world.patch(CLAIMS, claim, tie)
    offered = {key: volume["spec"].get(key) for key in ("accessModes", "capacity")}
    await world.set_status(CLAIMS, claim, {"phase": "Bound"} | offered)


def _uses(pod: Object, claim: str) -> bool:
    return not has_ended(pod) and claim in claim_names(pod)


async def _let_claim_go(world: World, claim: Object) -> None:
    namespace, name = key_of(claim)
    if not any(_uses(pod, name) for pod in world.cache(PODS).in_namespace(namespace)):
        await _unprotect(world, CLAIMS, claim, _CLAIM_PROTECTION)


async def _protect(world: World, resource: Resource, obj: Object, finalizer: str) -> Object:
    finalizers = obj["metadata"].get("finalizers") or []
    if finalizer in finalizers:
        return obj
    return await world.patch(resource, obj, {"metadata": {"finalizers": [*finalizers, finalizer]}})


async def _unprotect(world: World, resource: Resource, obj: Object, finalizer: str) -> None:
    finalizers = obj["metadata"].get("finalizers") or []
    if finalizer in finalizers:
        rest = [each for each in finalizers if each != finalizer]
        await world.patch(resource, obj, {"metadata": {"finalizers": rest or None}})


async def keep_volume(world: World, volume: Object) -> None:
    """Say of a volume that it may be claimed; when its claim is gone, delete it or keep what it holds."""
    is_claimed = _is_claimed(world, volume)
    if volume["metadata"].get("deletionTimestamp"):
        if not is_claimed:
            await _unprotect(world, VOLUMES, volume, _VOLUME_PROTECTION)
        return
    volume = await _protect(world, VOLUMES, volume, _VOLUME_PROTECTION)
    if not (volume["spec"].get("claimRef") or {}).get("uid"):
        await world.set_status(VOLUMES, volume, {"phase": "Available"})
    elif is_claimed:
        return
    elif volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete" and not is_provisioned(volume):
        await world.delete(VOLUMES, volume)
    else:
        await world.set_status(VOLUMES, volume, {"phase": "Released"})


def _is_claimed(world: World, volume: Object) -> bool:
    held = volume["spec"].get("claimRef") or {}
    claim = world.cache(CLAIMS).get(held.get("namespace", ""), held.get("name", ""))
    return claim is not None and claim["metadata"]["uid"] == held.get("uid")


def _volume_of(_world: World, claim: Object) -> list[Key]:
    name = claim["spec"].get("volumeName")
    return [("", name)] if name else []


def _pending(world: World, volume: Object) -> Iterable[Key]:
    """Wake the claims that a volume which is free may be for."""
    held = volume["spec"].get("claimRef") or {}
    if held.get("uid") and (volume.get("status") or {}).get("phase") != "Bound":
        return [(held.get("namespace", ""), held.get("name", ""))]
    if (volume.get("status") or {}).get("phase") == "Available":
        return _all_pending(world, volume)
    return []


def _all_pending(world: World, _class: Object) -> Iterable[Key]:
    return [key_of(claim) for claim in world.cache(CLAIMS) if (claim.get("status") or {}).get("phase") == "Pending"]


def _claims_of(_world: World, pod: Object) -> Iterable[Key]:
    return [(pod["metadata"]["namespace"], name) for name in claim_names(pod)]


CLAIM: Final = Behaviour(
    "claims",
    CLAIMS,
    claim_volume,
    woken_by=(Wake(VOLUMES, _pending), Wake(PODS, _claims_of), Wake(STORAGE_CLASSES, _all_pending)),
    component="persistentvolume-controller",
)
VOLUME: Final = Behaviour("volumes", VOLUMES, keep_volume, woken_by=(Wake(CLAIMS, _volume_of),))
