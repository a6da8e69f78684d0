"""Deployments: a ReplicaSet for each revision, rolled over within what may surge and what may be missing."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.behaviours.conditions import condition, newest_last, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.pods import share, template_hash
from projects.sim_cluster.behaviours.resources import DEPLOYMENTS, REPLICA_SETS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys, owner_reference

HASH: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"


async def roll_out(world: World, deployment: Object) -> None:
    """Take a rollout one step further, and say where it stands."""
    if deployment["metadata"].get("deletionTimestamp"):
        return
    sets = sorted(world.cache(REPLICA_SETS).owned_by(deployment), key=_revision)
    current = next((rs for rs in sets if _template(rs) == deployment["spec"]["template"]), None)
    if deployment["spec"].get("paused") and current is None:
        await _report(world, deployment, sets, None)
        return
    if current is None:
        current = await _new_set(world, deployment, sets)
        sets.append(current)
    old = [rs for rs in sets if rs is not current]
    current = await _mark_revision(world, deployment, current, old)
    await _scale(world, deployment, current, old)
    await _forget_old(world, deployment, old)
    known = [
        world.cache(REPLICA_SETS).get(rs["metadata"]["namespace"], rs["metadata"]["name"]) or rs
        for rs in (*old, current)
    ]
    await _report(world, deployment, known, known[-1])


def _revision(replica_set: Object) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))


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
    copied = {key: value for key, value in (deployment["metadata"].get("annotations") or {}).items()
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
    if any((current["metadata"].get("annotations") or {}).get(key) != value for key, value in annotations.items()):
        current = await world.patch(REPLICA_SETS, current, {"metadata": {"annotations": annotations}})
    if (deployment["metadata"].get("annotations") or {}).get(REVISION) != str(revision):
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


async def _report(world: World, deployment: Object, sets: list[Object], current: Object | None) -> None:
    def total(field: str) -> int:
        return sum(int((rs.get("status") or {}).get(field, 0)) for rs in sets)

    wanted, available = deployment["spec"]["replicas"], total("availableReplicas")
    updated = int((current.get("status") or {}).get("replicas", 0)) if current else 0
    replicas = total("replicas")
    unavailable = sum(map(_replicas, sets)) - available
    done = current is not None and updated == replicas == available == wanted
    now = world.timestamp
    found = with_conditions(
        deployment, now, _availability(deployment, available), _progress(deployment, current, done=done)
    )
    await world.set_status(DEPLOYMENTS, deployment, {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": replicas or None,
        "updatedReplicas": updated or None,
        "readyReplicas": total("readyReplicas") or None,
        "availableReplicas": available or None,
        "unavailableReplicas": max(0, unavailable) or None,
        "terminatingReplicas": total("terminatingReplicas"),
        "conditions": _with_update_times(deployment, newest_last(deployment, found), now),
    })  # fmt: skip


def _progress(deployment: Object, current: Object | None, *, done: bool) -> Object:
    if current is None:
        return {
            "type": "Progressing",
            "status": "Unknown",
            "reason": "DeploymentPaused",
            "message": "Deployment is paused",
        }
    name = f'ReplicaSet "{current["metadata"]["name"]}"'
    if done or (
        condition(deployment, "Progressing").get("reason") == "NewReplicaSetAvailable"
        and _same_set(deployment, current)
    ):
        return {
            "type": "Progressing",
            "status": "True",
            "reason": "NewReplicaSetAvailable",
            "message": f"{name} has successfully progressed.",
        }
    return {
        "type": "Progressing",
        "status": "True",
        "reason": "ReplicaSetUpdated",
        "message": f"{name} is progressing.",
    }


def _same_set(deployment: Object, current: Object) -> bool:
    return f'"{current["metadata"]["name"]}"' in str(condition(deployment, "Progressing").get("message"))


def _availability(deployment: Object, available: int) -> Object:
    enough = available >= deployment["spec"]["replicas"] - _unavailable(deployment)
    if enough:
        return {
            "type": "Available",
            "status": "True",
            "reason": "MinimumReplicasAvailable",
            "message": "Deployment has minimum availability.",
        }
    return {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
            "message": "Deployment does not have minimum availability."}  # fmt: skip


def _with_update_times(deployment: Object, found: list[Object], now: str) -> list[Object]:
    old: dict[str, Any] = {entry["type"]: entry for entry in (deployment.get("status") or {}).get("conditions") or ()}
    for entry in found:
        same = all(old.get(entry["type"], {}).get(key) == entry.get(key) for key in ("status", "reason", "message"))
        entry["lastUpdateTime"] = old[entry["type"]]["lastUpdateTime"] if same else now
    return found


DEPLOYMENT: Final = Behaviour(
    "deployments",
    DEPLOYMENTS,
    roll_out,
    woken_by=(Wake(REPLICA_SETS, owner_keys),),
    component="deployment-controller",
)
