"""What the workload behaviours share about pods: made from a template, counted by state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from projects.sim_cluster.behaviours.cache import Key, key_of
from projects.sim_cluster.behaviours.conditions import condition, is_true
from projects.sim_cluster.behaviours.interface import Object, RefusedError, Resource
from projects.sim_cluster.behaviours.resources import NAMESPACES, PODS, RESOURCE_QUOTAS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Chore, Wake, World, of_namespace, owner_reference

_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_ENDED: Final = frozenset({"Succeeded", "Failed"})
_FIRST_RETRY: Final = 1.0
_LAST_RETRY: Final = 300.0


def template_hash(template: Object) -> str:
    """Return the name part that stands for a pod template."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:10])


def pod_from(template: Object, owner: Object, labels: dict[str, str] | None = None, **metadata: Any) -> Object:
    """Return a pod of an owner, as its template says; `metadata` names it."""
    made = template.get("metadata") or {}
    given: dict[str, Any] = {
        "namespace": owner["metadata"]["namespace"],
        "ownerReferences": [owner_reference(owner)],
    } | metadata
    given["labels"] = (made.get("labels") or {}) | (labels or {})
    if annotations := made.get("annotations"):
        given["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "Pod", "metadata": given, "spec": template["spec"]}


def created(pod: Object) -> tuple[str, str]:
    """Return reason and message of the event by which a controller tells that it has made a pod."""
    return "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}"


def deleted(pod: Object) -> tuple[str, str]:
    """Return reason and message of the event by which a controller tells that it has deleted a pod."""
    return "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}"


async def create_told(world: World, owner: Object, pod: Object, refused_as: str = "Error creating: {error}") -> Object:
    """Make a pod of an owner; one that is refused is told by an event, and raised."""
    try:
        return await world.create(PODS, pod)
    except RefusedError as refused:
        world.tell(owner, "FailedCreate", refused_as.format(error=refused), type="Warning")
        raise


def admitting(workloads: Resource) -> tuple[Wake, ...]:
    """Return what has controllers try again whose pods were refused: a quota changes, or the labels of their namespace do."""
    return tuple(Wake(resource, of_namespace(workloads)) for resource in (RESOURCE_QUOTAS, NAMESPACES))


def retry_after(world: World, failing: Object) -> Chore:
    """Return after how many seconds a controller tries again what a condition says is refused: each time twice as long."""
    since = failing.get("lastTransitionTime")
    return Chore(min(max(world.now - seconds_of(since), _FIRST_RETRY), _LAST_RETRY) if since else _FIRST_RETRY)


def pod_phase(pod: Object) -> str:
    """Return the phase that a pod's status says; empty when it says none."""
    return str((pod.get("status") or {}).get("phase", ""))


def has_ended(pod: Object) -> bool:
    """Return whether a pod has succeeded or failed."""
    return pod_phase(pod) in _ENDED


def is_active(pod: Object) -> bool:
    """Return whether a pod runs or will."""
    return not has_ended(pod) and not pod["metadata"].get("deletionTimestamp")


def pods_of_node(world: World, node: Object) -> list[Key]:
    """Wake the pods of a node."""
    return [key_of(pod) for pod in world.cache(PODS).on_node(node["metadata"]["name"])]


def is_ready(pod: Object) -> bool:
    """Return whether a pod is Ready."""
    return is_true(pod, "Ready")


@dataclass(frozen=True)
class Counted:
    """How many pods are in which state."""

    all: int
    ready: int
    available: int
    terminating: int
    wait: float | None  # seconds until another one counts as available


def counted(pods: Iterable[Object], min_ready_seconds: int, now: float) -> Counted:
    """Count pods; a pod is available when it has been Ready for long enough."""
    total = ready = available = terminating = 0
    waits = []
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp"):
            terminating += 1
        if not is_active(pod):
            continue
        total += 1
        if is_ready(pod):
            ready += 1
            left = (
                seconds_of(condition(pod, "Ready")["lastTransitionTime"]) + min_ready_seconds - now
                if min_ready_seconds
                else 0
            )
            if left <= 0:
                available += 1
            else:
                waits.append(left)
    return Counted(total, ready, available, terminating, min(waits, default=None))


class State(NamedTuple):
    """What of a pod its controller counts."""

    active: bool
    ready: bool
    terminating: bool


def state_of(pod: Object) -> State:
    """Return the state of a pod as its controller sees it."""
    return State(is_active(pod), is_ready(pod), bool(pod["metadata"].get("deletionTimestamp")))


def counted_from(tally: Mapping[State, int]) -> Counted:
    """Return the same as `counted` from a tally by `state_of`, for an owner whose Ready pods are available at once."""
    total = sum(number for state, number in tally.items() if state.active)
    ready = sum(number for state, number in tally.items() if state.active and state.ready)
    terminating = sum(number for state, number in tally.items() if state.terminating)
    return Counted(total, ready, ready, terminating, None)


def share(value: Any, total: int, *, up: bool) -> int:
    """Return a number or a percentage of a total, rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        parts = int(value[:-1]) * total
        return -(-parts // 100) if up else parts // 100
    return int(value)
