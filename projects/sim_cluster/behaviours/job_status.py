"""What a Job says of itself, and how it ends: counts, indexes, conditions, events. Used by `jobs`."""

from __future__ import annotations

from collections.abc import Iterable

from projects.sim_cluster.behaviours.conditions import is_true, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.job_pods import JobPods, pods_of
from projects.sim_cluster.behaviours.pods import deleted
from projects.sim_cluster.behaviours.resources import JOBS, PODS
from projects.sim_cluster.behaviours.unit import World


def _spans(indexes: Iterable[str | int]) -> str:
    """Return numbers as a job's status lists them: ``0,2-4``."""
    numbers = sorted(map(int, indexes))
    there = set(numbers)
    starts = [number for number in numbers if number - 1 not in there]
    ends = [number for number in numbers if number + 1 not in there]
    return ",".join(
        str(start) if start == end else f"{start}{',' if end == start + 1 else '-'}{end}"
        for start, end in zip(starts, ends, strict=True)
    )


def _indexes(job: Object, pods: JobPods) -> Object:
    """Return which indexes are done, and, when each has a limit of its own, which have failed."""
    if not pods.indexed:
        return {}
    failed = _spans(pods.failed_indexes) if job["spec"].get("backoffLimitPerIndex") is not None else None
    return {"completedIndexes": _spans(pods.done_indexes) or None, "failedIndexes": failed}


async def report(world: World, job: Object, started: str) -> None:
    """Say how far a job is that goes on."""
    pods = pods_of(world, job)
    if is_true(job, "Suspended"):
        world.tell(job, "Resumed", "Job resumed")
    await world.set_status(JOBS, job, {
        "startTime": started,
        "active": len(pods.active) or None,
        "ready": pods.ready,
        "terminating": 0,
        "succeeded": pods.succeeded or None,
        "failed": pods.failed or None,
        "uncountedTerminatedPods": {},
        "conditions": _resumed(world, job),
        **_indexes(job, pods),
    })  # fmt: skip


def _resumed(world: World, job: Object) -> list[Object] | None:
    if not is_true(job, "Suspended"):
        return (job.get("status") or {}).get("conditions")
    return with_conditions(
        job, world.timestamp, {"type": "Suspended", "status": "False", "reason": "JobResumed", "message": "Job resumed"}
    )


async def _delete(world: World, job: Object, pods: list[Object]) -> None:
    for pod in pods:
        await world.delete(PODS, pod)
        world.tell(job, *deleted(pod))


async def suspend(world: World, job: Object) -> None:
    """Stop a job that is to wait."""
    await _delete(world, job, pods_of(world, job).active)
    if not is_true(job, "Suspended"):
        world.tell(job, "Suspended", "Job suspended")
    suspended = {"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"}
    conditions = with_conditions(job, world.timestamp, suspended)
    await world.set_status(JOBS, job, {"active": None, "ready": 0, "conditions": conditions})


async def complete(world: World, job: Object, pods: JobPods, reason: str, message: str) -> None:
    """End a job that has done its work."""
    now = world.timestamp
    await _delete(world, job, pods.active)
    world.tell(job, "Completed", "Job completed")
    ended = {
        "status": "True",
        "reason": reason,
        "message": message,
        "lastProbeTime": now,
    }
    conditions = with_conditions(job, now, {"type": "SuccessCriteriaMet"} | ended, {"type": "Complete"} | ended)
    status: Object = {
        "startTime": (job.get("status") or {}).get("startTime") or now,
        "completionTime": now,
        "active": None,
        "ready": 0,
    }
    more: Object = {
        "succeeded": pods.succeeded,
        "failed": pods.failed or None,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "conditions": conditions,
    }
    await world.set_status(JOBS, job, status | more | _indexes(job, pods))


async def fail(world: World, job: Object, pods: JobPods, reason: str, message: str) -> None:
    """End a job that will not do its work any more."""
    now = world.timestamp
    await _delete(world, job, pods.active)
    world.tell(job, reason, message, type="Warning")
    ended = {"status": "True", "reason": reason, "message": message, "lastProbeTime": now}
    conditions = with_conditions(job, now, {"type": "FailureTarget"} | ended, {"type": "Failed"} | ended)
    status: Object = {
        "startTime": (job.get("status") or {}).get("startTime") or now,
        "active": None,
        "ready": 0,
        "terminating": 0,
    }
    more: Object = {
        "succeeded": pods.succeeded or None,
        "failed": pods.failed + len(pods.active) or None,
        "uncountedTerminatedPods": {},
        "conditions": conditions,
    }
    await world.set_status(JOBS, job, status | more | _indexes(job, pods))
