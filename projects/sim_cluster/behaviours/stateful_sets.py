"""StatefulSets: numbered pods, one after the other, each with its own claims."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.controller_revisions import keep_revisions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.pods import (
    admitting,
    counted,
    create_told,
    is_active,
    is_ready,
    pod_from,
    template_hash,
)
from projects.sim_cluster.behaviours.resources import CLAIMS, CONTROLLER_REVISIONS, PODS, STATEFUL_SETS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys, owner_reference

_HASH: Final = "controller-revision-hash"
_REVISION_HASH: Final = "controller.kubernetes.io/hash"


def _revision(stateful_set: Object) -> str:
    return f"{stateful_set['metadata']['name']}-{template_hash(stateful_set['spec']['template'])}"


def _hash(pod: Object) -> str:
    return str(labels_of(pod).get(_HASH, ""))


def _number(pod: Object) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


async def line_up(world: World, stateful_set: Object) -> float | None:
    """Take the set one pod closer to what it says."""
    if stateful_set["metadata"].get("deletionTimestamp"):
        return None
    pods = world.cache(PODS).owned_by(stateful_set)
    await keep_revisions(world, stateful_set, _REVISION_HASH, {_hash(pod).rpartition("-")[2] for pod in pods})
    await _move(world, stateful_set, {_number(pod): pod for pod in pods})
    return await _report(world, stateful_set)


async def _move(world: World, stateful_set: Object, pods: dict[int, Object]) -> None:
    spec = stateful_set["spec"]
    first = int((spec.get("ordinals") or {}).get("start", 0))
    wanted = range(first, first + spec["replicas"])
    at_once = spec.get("podManagementPolicy") == "Parallel"
    for number in wanted:
        pod = pods.get(number)
        if pod is None:
            await _create(world, stateful_set, number)
        elif not is_active(pod) and not pod["metadata"].get("deletionTimestamp"):
            await _delete(world, stateful_set, pod)
        if not at_once and (pod is None or not is_ready(pod) or pod["metadata"].get("deletionTimestamp")):
            return
    for number in sorted(pods.keys() - set(wanted), reverse=True):
        if not pods[number]["metadata"].get("deletionTimestamp"):
            await _delete(world, stateful_set, pods[number])
            await _forget_claims(world, stateful_set, number)
        if not at_once:
            return
    await _update(world, stateful_set, pods)


def _first_updated(stateful_set: Object) -> int:
    """Return the number from which on pods get the new template."""
    spec = stateful_set["spec"]
    partition = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    return int(partition) + int((spec.get("ordinals") or {}).get("start", 0))


def _revised(world: World, stateful_set: Object, number: int) -> tuple[str, Object]:
    """Return the revision of a pod, and its template: below the partition it is the one before."""
    wanted, current = _revision(stateful_set), (stateful_set.get("status") or {}).get("currentRevision", "")
    known = world.cache(CONTROLLER_REVISIONS).get(stateful_set["metadata"]["namespace"], current)
    if number >= _first_updated(stateful_set) or current == wanted or known is None:
        return wanted, stateful_set["spec"]["template"]
    template = known["data"]["spec"]["template"]
    return current, {key: value for key, value in template.items() if key != "$patch"}


async def _update(world: World, stateful_set: Object, pods: dict[int, Object]) -> None:
    """Replace one pod of an old template, the highest first; the others wait until all are Ready."""
    if (stateful_set["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return
    first = _first_updated(stateful_set)
    revision = _revision(stateful_set)
    for number in sorted(pods, reverse=True):
        pod = pods[number]
        if pod["metadata"].get("deletionTimestamp"):
            return
        if number >= first and labels_of(pod).get(_HASH) != revision:
            await _delete(world, stateful_set, pod)
            return
        if not is_ready(pod):
            return


async def _delete(world: World, stateful_set: Object, pod: Object) -> None:
    await world.delete(PODS, pod)
    told = f"Delete Pod {pod['metadata']['name']} in StatefulSet {stateful_set['metadata']['name']} successful"
    world.tell(stateful_set, "SuccessfulDelete", told)


async def _create(world: World, stateful_set: Object, number: int) -> None:
    name = f"{stateful_set['metadata']['name']}-{number}"
    spec = stateful_set["spec"]
    revision, template = _revised(world, stateful_set, number)
    labels = {
        _HASH: revision,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(number),
    }
    inner = (
        template["spec"] | {"hostname": name} | ({"subdomain": spec["serviceName"]} if spec.get("serviceName") else {})
    )
    volumes = list(inner.get("volumes") or ())
    for claim in spec.get("volumeClaimTemplates") or ():
        claimed = f"{claim['metadata']['name']}-{name}"
        if await _claim(world, stateful_set, claim, claimed):
            told = f"Create Claim {claimed} Pod {name} in StatefulSet {stateful_set['metadata']['name']} success"
            world.tell(stateful_set, "SuccessfulCreate", told)
        volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": claimed}})
    if volumes:
        inner["volumes"] = volumes
    made = pod_from(
        template | {"spec": inner}, stateful_set, labels, name=name, generateName=f"{stateful_set['metadata']['name']}-"
    )
    failed = f"create Pod {name} in StatefulSet {stateful_set['metadata']['name']} failed error: {{error}}"
    await create_told(world, stateful_set, made, failed)
    told = f"Create Pod {name} in StatefulSet {stateful_set['metadata']['name']} successful"
    world.tell(stateful_set, "SuccessfulCreate", told)


async def _claim(world: World, stateful_set: Object, claim: Object, name: str) -> bool:
    """Make the claim of a pod; return whether it was missing."""
    labels = {**(stateful_set["spec"]["selector"].get("matchLabels") or {}), **labels_of(claim)}
    metadata = {"name": name, "namespace": stateful_set["metadata"]["namespace"], "labels": labels}
    if _retention(stateful_set, "whenDeleted") == "Delete":
        metadata["ownerReferences"] = [owner_reference(stateful_set)]
    return await world.ensure(
        CLAIMS, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim["spec"]}
    )


def _retention(stateful_set: Object, when: str) -> str:
    return str((stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}).get(when, "Retain"))


async def _forget_claims(world: World, stateful_set: Object, number: int) -> None:
    """Delete the claims of a pod that is not wanted any more, when they are not to be kept; they go once it has."""
    if _retention(stateful_set, "whenScaled") != "Delete":
        return
    for claim in stateful_set["spec"].get("volumeClaimTemplates") or ():
        name = f"{claim['metadata']['name']}-{stateful_set['metadata']['name']}-{number}"
        if (found := world.cache(CLAIMS).get(stateful_set["metadata"]["namespace"], name)) is not None:
            await world.delete(CLAIMS, found)


async def _report(world: World, stateful_set: Object) -> float | None:
    pods = [pod for pod in world.cache(PODS).owned_by(stateful_set) if is_active(pod)]
    count = counted(pods, stateful_set["spec"].get("minReadySeconds", 0), world.now)
    revision = _revision(stateful_set)
    updated = sum(1 for pod in pods if labels_of(pod).get(_HASH) == revision)
    status = stateful_set.get("status") or {}
    done = updated == count.ready == stateful_set["spec"]["replicas"] == count.all
    current = revision if done else status.get("currentRevision", revision)
    await world.set_status(STATEFUL_SETS, stateful_set, {
        "observedGeneration": stateful_set["metadata"]["generation"],
        "replicas": count.all,
        "readyReplicas": count.ready or None,
        "availableReplicas": count.available,
        "currentReplicas": (updated if current == revision else count.all - updated) or None,
        "updatedReplicas": updated or None,
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": 0,
    })  # fmt: skip
    return count.wait


STATEFUL_SET: Final = Behaviour(
    "stateful sets",
    STATEFUL_SETS,
    line_up,
    woken_by=(Wake(PODS, owner_keys), *admitting(STATEFUL_SETS)),
    reads=(CLAIMS, CONTROLLER_REVISIONS),
    component="statefulset-controller",
)
