"""ReplicaSets: as many pods as they say."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.pods import counted, created, deleted, is_active, is_ready, pod_from
from projects.sim_cluster.behaviours.resources import PODS, REPLICA_SETS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys


async def replicate(world: World, replica_set: Object) -> float | None:
    """Make or delete the pods that are missing or too many, and count the others."""
    pods = world.cache(PODS).owned_by(replica_set)
    active = [pod for pod in pods if is_active(pod)]
    wanted = replica_set["spec"].get("replicas", 1)
    if not replica_set["metadata"].get("deletionTimestamp"):
        for _ in range(wanted - len(active)):
            prefix = f"{replica_set['metadata']['name']}-"
            pod = await world.create(PODS, pod_from(replica_set["spec"]["template"], replica_set, generateName=prefix))
            world.tell(replica_set, *created(pod))
        for pod in sorted(active, key=_first_to_go)[: len(active) - wanted] if len(active) > wanted else ():
            await world.delete(PODS, pod)
            world.tell(replica_set, *deleted(pod))
    return await _count(world, replica_set)


def _first_to_go(pod: Object) -> tuple[bool, bool, str]:
    """Pods without a node go first, then those that are not Ready, then the youngest."""
    inverted = "".join(chr(0x10FFFF - ord(letter)) for letter in pod["metadata"]["creationTimestamp"])
    return bool(pod["spec"].get("nodeName")), is_ready(pod), inverted


async def _count(world: World, replica_set: Object) -> float | None:
    pods = world.cache(PODS).owned_by(replica_set)
    count = counted(pods, replica_set["spec"].get("minReadySeconds", 0), world.now)
    await world.set_status(REPLICA_SETS, replica_set, {
        "replicas": count.all,
        "fullyLabeledReplicas": count.all or None,
        "readyReplicas": count.ready or None,
        "availableReplicas": count.available or None,
        "terminatingReplicas": count.terminating,
        "observedGeneration": replica_set["metadata"]["generation"],
    })  # fmt: skip
    return count.wait


REPLICA_SET: Final = Behaviour(
    "replica sets", REPLICA_SETS, replicate, woken_by=(Wake(PODS, owner_keys),), component="replicaset-controller"
)
