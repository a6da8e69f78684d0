"""ReplicaSets, and the ReplicationControllers that they have replaced: as many pods as they say."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.conditions import condition, with_conditions
from projects.sim_cluster.behaviours.interface import Object, RefusedError
from projects.sim_cluster.behaviours.pods import (
    Counted,
    admitting,
    counted,
    counted_from,
    create_told,
    created,
    deleted,
    is_active,
    is_ready,
    pod_from,
    retry_after,
    state_of,
)
from projects.sim_cluster.behaviours.resources import PODS, REPLICA_SETS, REPLICATION_CONTROLLERS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys

_FAILURE: Final = "ReplicaFailure"


async def replicate(world: World, replica_set: Object) -> float | None:
    """Make or delete the pods that are missing or too many, and count the others."""
    failure: Object | None = None
    if not replica_set["metadata"].get("deletionTimestamp"):
        missing = replica_set["spec"].get("replicas", 1) - _counted(world, replica_set).all
        failure = await _create(world, replica_set, missing)
        for pod in _too_many(world, replica_set, -missing):
            await world.delete(PODS, pod)
            world.tell(replica_set, *deleted(pod))
    wait = await _report(world, replica_set, failure)
    again = retry_after(world, condition(replica_set, _FAILURE)) if failure else None
    return min((each for each in (wait, again) if each is not None), default=None)


async def _create(world: World, replica_set: Object, missing: int) -> Object | None:
    """Make pods until all are there or one is refused; return the condition that says so."""
    prefix = f"{replica_set['metadata']['name']}-"
    for _ in range(missing):
        try:
            made = pod_from(replica_set["spec"]["template"], replica_set, generateName=prefix)
            pod = await create_told(world, replica_set, made)
        except RefusedError as refused:
            return {"type": _FAILURE, "status": "True", "reason": "FailedCreate", "message": str(refused)}
        world.tell(replica_set, *created(pod))
    return None


def _too_many(world: World, replica_set: Object, number: int) -> list[Object]:
    if number <= 0:
        return []
    active = [pod for pod in world.cache(PODS).owned_by(replica_set) if is_active(pod)]
    return sorted(active, key=_first_to_go)[:number]


def _first_to_go(pod: Object) -> tuple[bool, bool, float]:
    """Pods without a node go first, then those that are not Ready, then the youngest."""
    return bool(pod["spec"].get("nodeName")), is_ready(pod), -seconds_of(pod["metadata"]["creationTimestamp"])


def _counted(world: World, replica_set: Object) -> Counted:
    """Count the pods; with thousands of them, and a look at each change of one, it must not take a look at all."""
    pods = world.cache(PODS)
    if wait := replica_set["spec"].get("minReadySeconds", 0):
        return counted(pods.owned_by(replica_set), wait, world.now)
    return counted_from(pods.tally(replica_set, state_of))


async def _report(world: World, replica_set: Object, failure: Object | None) -> float | None:
    count = _counted(world, replica_set)
    is_set = replica_set["kind"] == "ReplicaSet"
    await world.set_status(REPLICA_SETS if is_set else REPLICATION_CONTROLLERS, replica_set, {
        "replicas": count.all,
        "fullyLabeledReplicas": count.all or None,
        "readyReplicas": count.ready or None,
        "availableReplicas": count.available or None,
        **({"terminatingReplicas": count.terminating} if is_set else {}),
        "observedGeneration": replica_set["metadata"]["generation"],
        "conditions": _conditions(world, replica_set, failure) or None,
    })  # fmt: skip
    return count.wait


def _conditions(world: World, replica_set: Object, failure: Object | None) -> list[Object]:
    """Return the conditions of a set; why it cannot make pods is told once, not in the words of each try."""
    if failure is not None:
        return with_conditions(replica_set, world.timestamp, condition(replica_set, _FAILURE) or failure)
    return [each for each in (replica_set.get("status") or {}).get("conditions") or () if each["type"] != _FAILURE]


REPLICA_SET: Final = Behaviour(
    "replica sets",
    REPLICA_SETS,
    replicate,
    woken_by=(Wake(PODS, owner_keys), *admitting(REPLICA_SETS)),
    component="replicaset-controller",
)
REPLICATION_CONTROLLER: Final = Behaviour(
    "replication controllers",
    REPLICATION_CONTROLLERS,
    replicate,
    woken_by=(Wake(PODS, owner_keys), *admitting(REPLICATION_CONTROLLERS)),
    component="replication-controller",
)
