"""CronJobs: a Job at each time of their schedule, on the cluster's clock, and no more finished ones than they keep."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from projects.sim_cluster.behaviours.conditions import condition, is_true
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import CRON_JOBS, JOBS
from projects.sim_cluster.behaviours.schedules import next_time
from projects.sim_cluster.behaviours.timestamps import seconds_of, timestamp
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys, owner_reference

_SCHEDULED: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_FORBIDS: Final = "Not starting job because prior execution is running and concurrency policy is Forbid"
_MOST_MISSED: Final = 100


async def tick(world: World, cron: Object) -> float | None:
    """Start the Job that is due, and say when to look again."""
    if cron["metadata"].get("deletionTimestamp"):
        return None
    jobs = world.cache(JOBS).owned_by(cron)
    active = [job for job in jobs if not _is_finished(job)]
    _tell_finished(world, cron, jobs)
    await _tidy(world, cron, [job for job in jobs if _is_finished(job)])
    spec = cron["spec"]
    last = (cron.get("status") or {}).get("lastScheduleTime")
    if spec.get("suspend"):
        await _report(world, cron, active, last)
        return None
    due, following = _due(world, cron, last)
    if due is not None and (started := await _start(world, cron, active, due)) is not None:
        active, last = [*started], timestamp(due)
    await _report(world, cron, active, last)
    return None if following is None else following - world.now


def _is_finished(job: Object) -> bool:
    return is_true(job, "Complete") or is_true(job, "Failed")


def _due(world: World, cron: Object, last: str | None) -> tuple[float | None, float | None]:
    """Return the latest time that has come and was not served, and the next one."""
    schedule, zone = cron["spec"]["schedule"], _zone(cron)
    since = seconds_of(last or cron["metadata"]["creationTimestamp"])
    if (patience := cron["spec"].get("startingDeadlineSeconds")) is not None:
        since = max(since, world.now - patience)
    due, following = None, next_time(schedule, since, zone)
    for _ in range(_MOST_MISSED):
        if following is None or following > world.now:
            return due, following
        due, following = following, next_time(schedule, following, zone)
    return due, next_time(schedule, world.now, zone)


def _zone(cron: Object) -> tzinfo:
    name = cron["spec"].get("timeZone")
    return ZoneInfo(name) if name else UTC


async def _start(world: World, cron: Object, active: list[Object], due: float) -> list[Object] | None:
    """Start the Job of a time; return the Jobs that are active then, None when it was not started."""
    policy = cron["spec"].get("concurrencyPolicy", "Allow")
    if active and policy == "Forbid":
        world.tell(cron, "JobAlreadyActive", _FORBIDS)
        return None
    if policy == "Replace":
        for job in active:
            await world.delete(JOBS, job)
            world.tell(cron, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")
        active = []
    made = _job(cron, due)
    if not await world.ensure(JOBS, made):
        return active
    name = made["metadata"]["name"]
    world.tell(cron, "SuccessfulCreate", f"Created job {name}")
    begun = world.cache(JOBS).get(cron["metadata"]["namespace"], name)
    return [*active, *([begun] if begun else [])]


def _job(cron: Object, due: float) -> Object:
    template, metadata = cron["spec"]["jobTemplate"], cron["metadata"]
    given = template.get("metadata") or {}
    named = {
        "name": f"{metadata['name']}-{int(due) // 60}",
        "namespace": metadata["namespace"],
        "labels": given.get("labels") or {},
        "annotations": (given.get("annotations") or {}) | {_SCHEDULED: timestamp(due)},
        "ownerReferences": [owner_reference(cron)],
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": named, "spec": template["spec"]}


def _tell_finished(world: World, cron: Object, jobs: list[Object]) -> None:
    known = {each["uid"] for each in (cron.get("status") or {}).get("active") or ()}
    for job in jobs:
        if job["metadata"]["uid"] in known and _is_finished(job):
            state = "Complete" if is_true(job, "Complete") else "Failed"
            world.tell(cron, "SawCompletedJob", f"Saw completed job: {job['metadata']['name']}, condition: {state}")


async def _tidy(world: World, cron: Object, finished: list[Object]) -> None:
    """Delete the finished Jobs that are too many, the oldest first."""
    spec = cron["spec"]
    for kind, limit in (
        ("Complete", spec.get("successfulJobsHistoryLimit", 3)),
        ("Failed", spec.get("failedJobsHistoryLimit", 1)),
    ):
        ended = sorted(
            (job for job in finished if is_true(job, kind)), key=lambda job: job["metadata"]["creationTimestamp"]
        )
        for job in ended[: max(0, len(ended) - limit)]:
            await world.delete(JOBS, job)
            world.tell(cron, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")


async def _report(world: World, cron: Object, active: list[Object], last: str | None) -> None:
    ends = [
        condition(job, "Complete")["lastTransitionTime"]
        for job in world.cache(JOBS).owned_by(cron)
        if is_true(job, "Complete")
    ]
    known = (cron.get("status") or {}).get("lastSuccessfulTime")
    await world.set_status(CRON_JOBS, cron, {
        "active": [_reference(job) for job in active] or None,
        "lastScheduleTime": last,
        "lastSuccessfulTime": max([*ends, *([known] if known else [])], default=None),
    })  # fmt: skip


def _reference(job: Object) -> Object:
    named = {key: job["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
    return {"apiVersion": "batch/v1", "kind": "Job"} | named


CRON_JOB: Final = Behaviour(
    "cron jobs", CRON_JOBS, tick, woken_by=(Wake(JOBS, owner_keys),), component="cronjob-controller"
)
