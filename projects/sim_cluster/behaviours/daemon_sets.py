"""DaemonSets: one pod on every node that fits."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.controller_revisions import keep_revisions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.placement import matches_selector, untolerated
from projects.sim_cluster.behaviours.pods import (
    admitting,
    counted,
    create_told,
    created,
    deleted,
    is_active,
    is_ready,
    pod_from,
    share,
    template_hash,
)
from projects.sim_cluster.behaviours.resources import CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every, owner_keys

_HASH: Final = "controller-revision-hash"
_TOLERATED: Final = [
    {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}
    for name, effect in (
        ("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
    )
]  # fmt: skip


async def spread(world: World, daemon_set: Object) -> float | None:
    """Make the pods that are missing, delete those on nodes that do not fit, replace those of an old template."""
    if daemon_set["metadata"].get("deletionTimestamp"):
        return None
    eligible = [node["metadata"]["name"] for node in world.cache(NODES) if _fits(daemon_set, node)]
    placed = _by_node(world, daemon_set)
    await keep_revisions(
        world, daemon_set, _HASH, {pod["metadata"]["labels"].get(_HASH, "") for pod in placed.values()}
    )
    for node in sorted(eligible):
        if node not in placed:
            world.tell(daemon_set, *created(await create_told(world, daemon_set, _pod(daemon_set, node))))
    for node, pod in placed.items():
        if node not in eligible or not is_active(pod):
            await _remove(world, daemon_set, pod)
    await _replace_old(world, daemon_set, [pod for node, pod in placed.items() if node in eligible])
    return await _report(world, daemon_set, eligible)


async def _remove(world: World, daemon_set: Object, pod: Object) -> None:
    if not pod["metadata"].get("deletionTimestamp"):
        await world.delete(PODS, pod)
        world.tell(daemon_set, *deleted(pod))


def _fits(daemon_set: Object, node: Object) -> bool:
    spec = daemon_set["spec"]["template"]["spec"]
    tolerant = spec | {"tolerations": [*(spec.get("tolerations") or ()), *_TOLERATED, _not_ready()]}
    return matches_selector(spec, node) and untolerated(tolerant, node) is None


def _not_ready() -> Object:
    return {"key": "node.kubernetes.io/not-ready", "operator": "Exists"}


def _node_of(pod: Object) -> str:
    """Return the node that a pod is on or is meant for."""
    if node := pod["spec"].get("nodeName"):
        return str(node)
    terms = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    return str(terms[0]["matchFields"][0]["values"][0])


def _by_node(world: World, daemon_set: Object) -> dict[str, Object]:
    return {_node_of(pod): pod for pod in world.cache(PODS).owned_by(daemon_set)}


def _pod(daemon_set: Object, node: str) -> Object:
    template = daemon_set["spec"]["template"]
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    spec = template["spec"] | {
        "affinity": (template["spec"].get("affinity") or {}) | affinity,
        "tolerations": [*(template["spec"].get("tolerations") or ()), *_TOLERATED],
    }
    labels = {_HASH: template_hash(template), "pod-template-generation": str(daemon_set["metadata"]["generation"])}
    return pod_from(template | {"spec": spec}, daemon_set, labels, generateName=f"{daemon_set['metadata']['name']}-")


def _is_current(daemon_set: Object, pod: Object) -> bool:
    return bool(pod["metadata"]["labels"].get(_HASH) == template_hash(daemon_set["spec"]["template"]))


async def _replace_old(world: World, daemon_set: Object, pods: list[Object]) -> None:
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return
    allowed = max(1, share((strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1), len(pods), up=True))
    missing = sum(1 for pod in pods if not is_ready(pod) or not is_active(pod))
    for pod in pods:
        if is_active(pod) and not _is_current(daemon_set, pod) and (missing < allowed or not is_ready(pod)):
            missing += is_ready(pod)
            await _remove(world, daemon_set, pod)


async def _report(world: World, daemon_set: Object, eligible: list[str]) -> float | None:
    placed = _by_node(world, daemon_set)
    right = [pod for node, pod in placed.items() if node in eligible and is_active(pod)]
    count = counted(right, daemon_set["spec"].get("minReadySeconds", 0), world.now)
    await world.set_status(DAEMON_SETS, daemon_set, {
        "currentNumberScheduled": len(right),
        "numberMisscheduled": sum(1 for node in placed if node not in eligible),
        "desiredNumberScheduled": len(eligible),
        "numberReady": count.ready,
        "observedGeneration": daemon_set["metadata"]["generation"],
        "updatedNumberScheduled": sum(1 for pod in right if _is_current(daemon_set, pod)) or None,
        "numberAvailable": count.available or None,
        "numberUnavailable": len(eligible) - count.available or None,
    })  # fmt: skip
    return count.wait


DAEMON_SET: Final = Behaviour(
    "daemon sets",
    DAEMON_SETS,
    spread,
    woken_by=(
        Wake(PODS, owner_keys),
        *admitting(DAEMON_SETS),
        Wake(NODES, every(DAEMON_SETS)),
    ),
    reads=(CONTROLLER_REVISIONS,),
    component="daemonset-controller",
)
