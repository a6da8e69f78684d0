"""Jobs: pods until enough have succeeded, until one failed too often, or until the deadline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.behaviours.conditions import is_true, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.pods import created, deleted, is_active, is_ready, pod_from
from projects.sim_cluster.behaviours.resources import JOBS, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys

_INDEX: Final = "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True)
class _Pods:
    """The pods of a job by state."""

    active: list[Object]
    succeeded: int
    failed: int

    @property
    def ready(self) -> int:
        return sum(1 for pod in self.active if is_ready(pod))


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _pods(world: World, job: Object) -> _Pods:
    pods = world.cache(PODS).owned_by(job)
    indexed = job["spec"].get("completionMode") == "Indexed"
    done = [pod for pod in pods if _phase(pod) == "Succeeded"]
    succeeded = len({_index(pod) for pod in done}) if indexed else len(done)
    return _Pods([pod for pod in pods if is_active(pod)], succeeded, sum(1 for pod in pods if _phase(pod) == "Failed"))


def _index(pod: Object) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(_INDEX, pod["metadata"]["name"]))


async def work_off(world: World, job: Object) -> float | None:
    """Make the pods that are still needed, and end the job when its time has come."""
    if job["metadata"].get("deletionTimestamp"):
        return None
    if is_true(job, "Complete") or is_true(job, "Failed"):
        return await _expire(world, job)
    if job["spec"].get("suspend"):
        await _suspend(world, job)
        return None
    started = (job.get("status") or {}).get("startTime") or world.timestamp
    pods = _pods(world, job)
    deadline = job["spec"].get("activeDeadlineSeconds")
    left = seconds_of(started) + deadline - world.now if deadline is not None else None
    if left is not None and left <= 0:
        await _fail(world, job, pods, "DeadlineExceeded", "Job was active longer than specified deadline")
        return None
    if pods.failed > job["spec"].get("backoffLimit", 6):
        await _fail(world, job, pods, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
        return None
    completions = job["spec"].get("completions") or 1
    if pods.succeeded >= completions:
        await _complete(world, job, pods)
        return None
    await _start_pods(world, job, pods, completions)
    await _report(world, job, started)
    return left


async def _start_pods(world: World, job: Object, pods: _Pods, completions: int) -> None:
    missing = min(job["spec"].get("parallelism", 1), completions - pods.succeeded) - len(pods.active)
    indexed = job["spec"].get("completionMode") == "Indexed"
    taken = {_index(pod) for pod in world.cache(PODS).owned_by(job) if is_active(pod) or _phase(pod) == "Succeeded"}
    free = [str(number) for number in range(completions) if str(number) not in taken]
    name = job["metadata"]["name"]
    for position in range(max(0, missing)):
        template = job["spec"]["template"]
        if not indexed:
            world.tell(job, *created(await world.create(PODS, pod_from(template, job, generateName=f"{name}-"))))
        elif position < len(free):
            world.tell(job, *created(await world.create(PODS, _indexed_pod(job, template, free[position]))))


def _indexed_pod(job: Object, template: Object, index: str) -> Object:
    name = job["metadata"]["name"]
    metadata = dict(template.get("metadata") or {})
    metadata["annotations"] = (metadata.get("annotations") or {}) | {_INDEX: index}
    spec = template["spec"] | {"hostname": f"{name}-{index}"}
    return pod_from({"metadata": metadata, "spec": spec}, job, {_INDEX: index}, generateName=f"{name}-{index}-")


async def _report(world: World, job: Object, started: str) -> None:
    pods = _pods(world, job)
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


async def _suspend(world: World, job: Object) -> None:
    await _delete(world, job, _pods(world, job).active)
    if not is_true(job, "Suspended"):
        world.tell(job, "Suspended", "Job suspended")
    suspended = {"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"}
    conditions = with_conditions(job, world.timestamp, suspended)
    await world.set_status(JOBS, job, {"active": None, "ready": 0, "startTime": None, "conditions": conditions})


async def _complete(world: World, job: Object, pods: _Pods) -> None:
    now = world.timestamp
    world.tell(job, "Completed", "Job completed")
    ended = {
        "status": "True",
        "reason": "CompletionsReached",
        "message": "Reached expected number of succeeded pods",
        "lastProbeTime": now,
    }
    conditions = with_conditions(job, now, {"type": "SuccessCriteriaMet"} | ended, {"type": "Complete"} | ended)
    status: Object = {
        "startTime": (job.get("status") or {}).get("startTime") or now,
        "completionTime": now,
        "active": None,
        "ready": 0,
    }
    if job["spec"].get("completionMode") == "Indexed":
        status["completedIndexes"] = f"0-{pods.succeeded - 1}" if pods.succeeded > 1 else "0"
    more: Object = {
        "succeeded": pods.succeeded,
        "failed": pods.failed or None,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "conditions": conditions,
    }
    await world.set_status(JOBS, job, status | more)


async def _fail(world: World, job: Object, pods: _Pods, reason: str, message: str) -> None:
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
        "failed": pods.failed + len(pods.active) or None,
        "uncountedTerminatedPods": {},
        "conditions": conditions,
    }
    await world.set_status(JOBS, job, status | more)


async def _expire(world: World, job: Object) -> float | None:
    seconds: float | None = job["spec"].get("ttlSecondsAfterFinished")
    if seconds is None:
        return None
    ends = [
        entry["lastTransitionTime"] for entry in job["status"]["conditions"] if entry["type"] in {"Complete", "Failed"}
    ]
    if (left := seconds_of(ends[0]) + seconds - world.now) > 0:
        return left
    for pod in world.cache(PODS).owned_by(job):
        await world.delete(PODS, pod)
    await world.delete(JOBS, job)
    return None


JOB: Final = Behaviour("jobs", JOBS, work_off, woken_by=(Wake(PODS, owner_keys),), component="job-controller")
