"""ReplicaSets: as many pods as they say."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.conditions import condition, with_conditions
from projects.sim_cluster.behaviours.interface import Object, RefusedError
from projects.sim_cluster.behaviours.pods import (
    counted,
    created,
    deleted,
    is_active,
    is_ready,
    not_created,
    pod_from,
    retry_after,
)
from projects.sim_cluster.behaviours.resources import PODS, REPLICA_SETS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys

_FAILURE: Final = "ReplicaFailure"


async def replicate(world: World, replica_set: Object) -> float | None:
    """Make or delete the pods that are missing or too many, and count the others."""
    pods = world.cache(PODS).owned_by(replica_set)
    active = [pod for pod in pods if is_active(pod)]
    wanted = replica_set["spec"].get("replicas", 1)
    failure: Object | None = None
    if not replica_set["metadata"].get("deletionTimestamp"):
        failure = await _create(world, replica_set, wanted - len(active))
        for pod in sorted(active, key=_first_to_go)[: len(active) - wanted] if len(active) > wanted else ():
            await world.delete(PODS, pod)
            world.tell(replica_set, *deleted(pod))
    wait = await _count(world, replica_set, failure)
    again = retry_after(world, condition(replica_set, _FAILURE)) if failure else None
    return min((each for each in (wait, again) if each is not None), default=None)


async def _create(world: World, replica_set: Object, missing: int) -> Object | None:
    """Make pods until all are there or one is refused; return the condition that says so."""
    prefix = f"{replica_set['metadata']['name']}-"
    for _ in range(missing):
        try:
            pod = await world.create(PODS, pod_from(replica_set["spec"]["template"], replica_set, generateName=prefix))
        except RefusedError as refused:
            world.tell(replica_set, *not_created(refused), type="Warning")
            return {"type": _FAILURE, "status": "True", "reason": "FailedCreate", "message": str(refused)}
        world.tell(replica_set, *created(pod))
    return None


def _first_to_go(pod: Object) -> tuple[bool, bool, str]:
    """Pods without a node go first, then those that are not Ready, then the youngest."""
    inverted = "".join(chr(0x10FFFF - ord(letter)) for letter in pod["metadata"]["creationTimestamp"])
    return bool(pod["spec"].get("nodeName")), is_ready(pod), inverted


async def _count(world: World, replica_set: Object, failure: Object | None) -> float | None:
    pods = world.cache(PODS).owned_by(replica_set)
    count = counted(pods, replica_set["spec"].get("minReadySeconds", 0), world.now)
    await world.set_status(REPLICA_SETS, replica_set, {
        "replicas": count.all,
        "fullyLabeledReplicas": count.all or None,
        "readyReplicas": count.ready or None,
        "availableReplicas": count.available or None,
        "terminatingReplicas": count.terminating,
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
    "replica sets", REPLICA_SETS, replicate, woken_by=(Wake(PODS, owner_keys),), component="replicaset-controller"
)
