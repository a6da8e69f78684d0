"""Deployments: a ReplicaSet for each revision, rolled over within what may surge and what may be missing."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.cache import key_of
from projects.sim_cluster.behaviours.deployment_status import report
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import annotations_of
from projects.sim_cluster.behaviours.pods import share, template_hash
from projects.sim_cluster.behaviours.resources import DEPLOYMENTS, REPLICA_SETS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys, owner_reference

HASH: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"


async def roll_out(world: World, deployment: Object) -> float | None:
    """Take a rollout one step further, and say where it stands."""
    if deployment["metadata"].get("deletionTimestamp"):
        return None
    sets = sorted(world.cache(REPLICA_SETS).owned_by(deployment), key=_revision)
    current = next((rs for rs in sets if _template(rs) == deployment["spec"]["template"]), None)
    if deployment["spec"].get("paused"):
        await _scale_paused(world, deployment, sets, current)
        return await report(world, deployment, sets, current, _unavailable(deployment), is_new=False)
    if is_new := current is None:
        current = await _new_set(world, deployment, sets)
        sets.append(current)
    assert current is not None
    old = [rs for rs in sets if rs is not current]
    current = await _mark_revision(world, deployment, current, old)
    await _scale(world, deployment, current, old)
    await _forget_old(world, deployment, old)
    known = [world.cache(REPLICA_SETS).get(*key_of(rs)) or rs for rs in (*old, current)]
    return await report(world, deployment, known, known[-1], _unavailable(deployment), is_new=is_new)


async def _scale_paused(world: World, deployment: Object, sets: list[Object], current: Object | None) -> None:
    """Give a Deployment that is paused its size, but no other pods: its newest set that has pods, or its current one, takes it."""
    sized = [rs for rs in sets if _replicas(rs)] or ([current] if current else sets[-1:])
    others = sum(map(_replicas, sized[:-1]))
    for replica_set in sized[-1:]:
        await _resize(world, deployment, replica_set, max(0, deployment["spec"]["replicas"] - others))


def _revision(replica_set: Object) -> int:
    return int(annotations_of(replica_set).get(REVISION, 0))


def _template(replica_set: Object) -> Object:
    """Return the template of a ReplicaSet as its Deployment has it."""
    template = dict(replica_set["spec"]["template"])
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    return template | {"metadata": metadata}


async def _new_set(world: World, deployment: Object, old: list[Object]) -> Object:
    spec, metadata = deployment["spec"], deployment["metadata"]
    marked = {HASH: template_hash(spec["template"])}
    inner = dict(spec["template"].get("metadata") or {})
    inner["labels"] = (inner.get("labels") or {}) | marked
    selector = dict(spec["selector"])
    selector["matchLabels"] = (selector.get("matchLabels") or {}) | marked
    replicas = spec["replicas"] if not old else 0
    made = await world.create(REPLICA_SETS, {
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{marked[HASH]}", "namespace": metadata["namespace"], "labels": inner["labels"],
            "annotations": _annotations(deployment, max(map(_revision, old), default=0) + 1),
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": replicas, "selector": selector, "template": spec["template"] | {"metadata": inner},
            "minReadySeconds": spec.get("minReadySeconds"),
        },
    })  # fmt: skip
    _tell_size(world, deployment, made, 0, replicas)
    return made


def _annotations(deployment: Object, revision: int) -> dict[str, str]:
    wanted = deployment["spec"]["replicas"]
    copied = {key: value for key, value in annotations_of(deployment).items()
              if key not in {REVISION, "kubectl.kubernetes.io/last-applied-configuration"}}  # fmt: skip
    return copied | {
        REVISION: str(revision),
        "deployment.kubernetes.io/desired-replicas": str(wanted),
        "deployment.kubernetes.io/max-replicas": str(wanted + _surge(deployment)),
    }


async def _mark_revision(world: World, deployment: Object, current: Object, old: list[Object]) -> Object:
    """Number the current set after all others; a set that comes back (an undo) gets a new number."""
    newest = max(map(_revision, old), default=0)
    revision = _revision(current) if _revision(current) > newest else newest + 1
    annotations = _annotations(deployment, revision)
    if any(annotations_of(current).get(key) != value for key, value in annotations.items()):
        current = await world.patch(REPLICA_SETS, current, {"metadata": {"annotations": annotations}})
    if annotations_of(deployment).get(REVISION) != str(revision):
        marked = {"metadata": {"annotations": {REVISION: str(revision)}}}
        await world.patch(DEPLOYMENTS, deployment, marked, "status")  # so that its generation stays
    return current


def _rolling(deployment: Object) -> Object:
    return dict((deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {})


def _surge(deployment: Object) -> int:
    return share(_rolling(deployment).get("maxSurge", 0), deployment["spec"]["replicas"], up=True)


def _unavailable(deployment: Object) -> int:
    missing = share(_rolling(deployment).get("maxUnavailable", 0), deployment["spec"]["replicas"], up=False)
    return missing if missing or _surge(deployment) else 1


async def _scale(world: World, deployment: Object, current: Object, old: list[Object]) -> None:
    wanted = deployment["spec"]["replicas"]
    if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        await _recreate(world, deployment, current, old)
        return
    total = sum(_present(rs) for rs in (*old, current))
    room = wanted + _surge(deployment) - total
    size = _replicas(current)
    target = wanted if not any(map(_replicas, old)) else min(wanted, size + max(0, room))
    await _resize(world, deployment, current, target if size < wanted or not old else min(size, wanted))
    spare = sum(_available(rs) for rs in (*old, current)) - (wanted - _unavailable(deployment))
    for replica_set in old:
        unready = _replicas(replica_set) - _available(replica_set)
        less = min(_replicas(replica_set), unready + max(0, spare))
        spare -= max(0, less - unready)
        await _resize(world, deployment, replica_set, _replicas(replica_set) - less)


async def _recreate(world: World, deployment: Object, current: Object, old: list[Object]) -> None:
    for replica_set in old:
        await _resize(world, deployment, replica_set, 0)
    if not any(
        (rs.get("status") or {}).get("replicas") or (rs.get("status") or {}).get("terminatingReplicas") for rs in old
    ):
        await _resize(world, deployment, current, deployment["spec"]["replicas"])


def _replicas(replica_set: Object) -> int:
    return int(replica_set["spec"].get("replicas", 1))


def _present(replica_set: Object) -> int:
    """Return how many pods a set has or wants, whichever is more: those to be deleted still count."""
    return max(_replicas(replica_set), int((replica_set.get("status") or {}).get("replicas", 0)))


def _available(replica_set: Object) -> int:
    return int((replica_set.get("status") or {}).get("availableReplicas", 0))


async def _resize(world: World, deployment: Object, replica_set: Object, replicas: int) -> None:
    if _replicas(replica_set) != replicas:
        await world.patch(REPLICA_SETS, replica_set, {"spec": {"replicas": replicas}})
        _tell_size(world, deployment, replica_set, _replicas(replica_set), replicas)


def _tell_size(world: World, deployment: Object, replica_set: Object, before: int, after: int) -> None:
    if before != after:
        named = f"replica set {replica_set['metadata']['name']} from {before} to {after}"
        world.tell(deployment, "ScalingReplicaSet", f"Scaled {'up' if after > before else 'down'} {named}")


async def _forget_old(world: World, deployment: Object, old: list[Object]) -> None:
    idle = [rs for rs in old if not _replicas(rs) and not (rs.get("status") or {}).get("replicas")]
    for replica_set in idle[: max(0, len(idle) - deployment["spec"].get("revisionHistoryLimit", 10))]:
        await world.delete(REPLICA_SETS, replica_set)


DEPLOYMENT: Final = Behaviour(
    "deployments",
    DEPLOYMENTS,
    roll_out,
    woken_by=(Wake(REPLICA_SETS, owner_keys),),
    component="deployment-controller",
)
