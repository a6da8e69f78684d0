"""What a Deployment says of its rollout: counts, and the conditions Available, Progressing, ReplicaFailure. Used by `deployments`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.behaviours.conditions import condition, newest_last, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import DEPLOYMENTS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import World

_NO_DEADLINE: Final = 2**31 - 1
_PAUSED: Final = {"status": "Unknown", "reason": "DeploymentPaused", "message": "Deployment is paused"}
_RESUMED: Final = {"status": "Unknown", "reason": "DeploymentResumed", "message": "Deployment is resumed"}
_TIMED_OUT: Final = "ProgressDeadlineExceeded"
_DONE: Final = "NewReplicaSetAvailable"


async def report(
    world: World, deployment: Object, sets: list[Object], current: Object | None, missing: int, *, is_new: bool
) -> float | None:
    """Write the status; `missing` pods may lack. Return in how many seconds the rollout would be late."""
    counts = _counts(sets, current)
    now = world.timestamp
    wanted = [_availability(deployment, counts["availableReplicas"], missing), *_failures(sets)]
    progress = _progress(world, deployment, current, counts, is_new=is_new)
    if progress is not None:
        wanted.append(progress)
    left_out = {"ReplicaFailure"} - {each["type"] for each in wanted}
    if deadline(deployment) is None:
        left_out.add("Progressing")
    found = [each for each in with_conditions(deployment, now, *wanted) if each["type"] not in left_out]
    moved = progress is not None and _moves(deployment, counts)
    status = {key: value or None for key, value in counts.items()} | {
        "observedGeneration": deployment["metadata"]["generation"],
        "terminatingReplicas": _total(sets, "terminatingReplicas"),
        "conditions": _with_update_times(deployment, newest_last(deployment, found), now, moved=moved),
    }
    await world.set_status(DEPLOYMENTS, deployment, status)
    return _until_late(world, deployment | {"status": status})


def deadline(deployment: Object) -> float | None:
    """Return how many seconds a rollout may stand still; None for ever."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds is None or seconds >= _NO_DEADLINE else float(seconds)


def _total(sets: list[Object], field: str) -> int:
    return sum(int((rs.get("status") or {}).get(field) or 0) for rs in sets)


def _counts(sets: list[Object], current: Object | None) -> dict[str, int]:
    available = _total(sets, "availableReplicas")
    sizes = sum(int(rs["spec"].get("replicas", 1)) for rs in sets)
    return {
        "replicas": _total(sets, "replicas"),
        "updatedReplicas": _total([current], "replicas") if current else 0,
        "readyReplicas": _total(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sizes - available),
    }


def _failures(sets: list[Object]) -> list[Object]:
    """Return the first condition by which a set says that it cannot make its pods."""
    found = [condition(rs, "ReplicaFailure") for rs in reversed(sets)]
    return [{key: each[key] for key in ("type", "status", "reason", "message")} for each in found if each][:1]


def _moves(deployment: Object, counts: dict[str, int]) -> bool:
    """Return whether a rollout has come further than its status says."""
    old = deployment.get("status") or {}

    def before(field: str) -> int:
        return int(old.get(field) or 0)

    return (
        any(counts[field] > before(field) for field in ("updatedReplicas", "readyReplicas", "availableReplicas"))
        or counts["replicas"] - counts["updatedReplicas"] < before("replicas") - before("updatedReplicas")
    )  # fmt: skip


def _progress(
    world: World, deployment: Object, current: Object | None, counts: dict[str, int], *, is_new: bool
) -> Object | None:
    """Return the condition Progressing; None leaves it as it is."""
    known = condition(deployment, "Progressing")
    if deadline(deployment) is None:
        return None
    if deployment["spec"].get("paused"):
        return None if known.get("reason") == _TIMED_OUT else _PAUSED | {"type": "Progressing"}
    if current is None:
        return None
    name = f'"{current["metadata"]["name"]}"'
    wanted = deployment["spec"]["replicas"]
    done = all(counts[field] == wanted for field in ("replicas", "updatedReplicas", "availableReplicas"))
    if is_new:
        return _state("True", "NewReplicaSetCreated", f"Created new replica set {name}")
    if done or (known.get("reason") == _DONE and name in known.get("message", "")
                and counts["replicas"] == counts["updatedReplicas"]):  # fmt: skip
        return _state("True", _DONE, f"ReplicaSet {name} has successfully progressed.")
    if _moves(deployment, counts):
        return _state("True", "ReplicaSetUpdated", f"ReplicaSet {name} is progressing.")
    if known.get("reason") == "DeploymentPaused":
        return _RESUMED | {"type": "Progressing"}
    left = _until_late(world, deployment)
    if known.get("reason") == _TIMED_OUT or (left is not None and left <= 0):
        return _state("False", _TIMED_OUT, f"ReplicaSet {name} has timed out progressing.")
    return None if known else _state("True", "FoundNewReplicaSet", f"Found new replica set {name}")


def _state(status: str, reason: str, message: str) -> Object:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message}


def _until_late(world: World, deployment: Object) -> float | None:
    known, seconds = condition(deployment, "Progressing"), deadline(deployment)
    if seconds is None or not known or known["reason"] in {_DONE, _TIMED_OUT, "DeploymentPaused"}:
        return None
    return seconds_of(known["lastUpdateTime"]) + seconds - world.now


def _availability(deployment: Object, available: int, missing: int) -> Object:
    if available >= deployment["spec"]["replicas"] - missing:
        return {
            "type": "Available",
            "status": "True",
            "reason": "MinimumReplicasAvailable",
            "message": "Deployment has minimum availability.",
        }
    return {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
            "message": "Deployment does not have minimum availability."}  # fmt: skip


def _with_update_times(deployment: Object, found: list[Object], now: str, *, moved: bool) -> list[Object]:
    old: dict[str, Any] = {entry["type"]: entry for entry in (deployment.get("status") or {}).get("conditions") or ()}
    for entry in found:
        same = all(old.get(entry["type"], {}).get(key) == entry.get(key) for key in ("status", "reason", "message"))
        still = same and not (moved and entry["type"] == "Progressing" and entry["reason"] == "ReplicaSetUpdated")
        entry["lastUpdateTime"] = old[entry["type"]]["lastUpdateTime"] if still else now
    return found
