"""Jobs: pods until enough have succeeded, until one failed too often, or until the deadline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.behaviours.conditions import condition, is_true, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.job_policies import success_rule, verdict
from projects.sim_cluster.behaviours.pods import create_told, created, deleted, is_active, is_ready, pod_from
from projects.sim_cluster.behaviours.resources import JOBS, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys

_INDEX: Final = "batch.kubernetes.io/job-completion-index"
_VARIABLE: Final = "JOB_COMPLETION_INDEX"
_LONGEST_BACKOFF: Final = 600.0


@dataclass(frozen=True)
class _Pods:
    """The pods of a job by state."""

    active: list[Object]
    done: list[Object]
    broken: list[Object]
    ignored: list[Object]
    indexed: bool

    @property
    def succeeded(self) -> int:
        return len({_index(pod) for pod in self.done}) if self.indexed else len(self.done)

    @property
    def failed(self) -> int:
        return len(self.broken)

    @property
    def ready(self) -> int:
        return sum(1 for pod in self.active if is_ready(pod))


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _pods(world: World, job: Object) -> _Pods:
    pods = world.cache(PODS).owned_by(job)
    failed = [pod for pod in pods if _phase(pod) == "Failed"]
    ignored = [pod for pod in failed if verdict(job, pod).action == "Ignore"]
    return _Pods(
        [pod for pod in pods if is_active(pod)],
        [pod for pod in pods if _phase(pod) == "Succeeded"],
        [pod for pod in failed if pod not in ignored],
        ignored,
        job["spec"].get("completionMode") == "Indexed",
    )


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
    started = (job.get("status") or {}).get("startTime")
    if started is None or is_true(job, "Suspended"):
        started = world.timestamp
    pods = _pods(world, job)
    deadline = job["spec"].get("activeDeadlineSeconds")
    left = seconds_of(started) + deadline - world.now if deadline is not None else None
    if left is not None and left <= 0:
        await _fail(world, job, pods, "DeadlineExceeded", "Job was active longer than specified deadline")
        return None
    if ending := _ending(job, pods):
        await _fail(world, job, pods, *ending)
        return None
    completions = _wanted(job, pods)
    if pods.succeeded >= completions:
        await _complete(world, job, pods, "CompletionsReached", "Reached expected number of succeeded pods")
        return None
    if (rule := success_rule(job, {int(_index(pod)) for pod in pods.done} if pods.indexed else set())) is not None:
        await _complete(world, job, pods, "SuccessPolicy", f"Matched rules at index {rule}")
        return None
    wait = await _start_pods(world, job, pods, completions)
    await _report(world, job, started)
    return min((each for each in (left, wait) if each is not None), default=None)


def _wanted(job: Object, pods: _Pods) -> int:
    """Return how many pods have to succeed; of a work queue one, and all that have been started beside it."""
    completions = job["spec"].get("completions")
    if completions is None:
        return pods.succeeded + len(pods.active) if pods.succeeded else int(job["spec"].get("parallelism", 1))
    return int(completions)


def _failed_indexes(job: Object, pods: _Pods) -> set[str]:
    """Return the indexes that have failed more often than each of them may."""
    limit = job["spec"].get("backoffLimitPerIndex")
    if limit is None:
        return set()
    times = Counter(_index(pod) for pod in pods.broken)
    ended = {_index(pod) for pod in pods.broken if verdict(job, pod).action == "FailIndex"}
    return ended | {index for index, count in times.items() if count > limit}


def _ending(job: Object, pods: _Pods) -> tuple[str, str] | None:
    """Return reason and message of the failure of a job whose pods have failed too often."""
    spec, lost = job["spec"], _failed_indexes(job, pods)
    for found in (verdict(job, pod) for pod in pods.broken):
        if found.action == "FailJob":
            return "PodFailurePolicy", found.message
    if pods.failed > spec.get("backoffLimit", 6):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    if lost and len(lost) > spec.get("maxFailedIndexes", len(lost)):
        return "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"
    if lost and len(lost) + pods.succeeded >= spec.get("completions", 1):
        return "FailedIndexes", "Job has failed indexes"
    return None


def _ended_at(pod: Object) -> float:
    """Return when a pod ended: as its containers say, or its condition; a pod that says nothing never ran."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [end for each in statuses if (end := ((each.get("state") or {}).get("terminated") or {}).get("finishedAt"))]
    last = max(ends, default=None) or condition(pod, "Ready").get("lastTransitionTime")
    return seconds_of(last or pod["metadata"]["creationTimestamp"])


def _delay(world: World, pods: _Pods, index: str | None = None) -> float:
    """Return how long to wait before the next try: longer with each failure since the last success."""
    of_index = [pod for pod in (*pods.broken, *pods.ignored) if index is None or _index(pod) == index]
    since = 0.0 if index else max(map(_ended_at, pods.done), default=0.0)
    failures = [end for end in map(_ended_at, of_index) if end > since]
    if not failures:
        return 0.0
    step = min(world.timings.job_backoff * 2.0 ** (len(failures) - 1), _LONGEST_BACKOFF)
    return max(failures) + step - world.now


async def _start_pods(world: World, job: Object, pods: _Pods, completions: int) -> float | None:
    """Make the pods that may run now; return in how many seconds more may."""
    missing = max(0, min(job["spec"].get("parallelism", 1), completions - pods.succeeded) - len(pods.active))
    if pods.indexed:
        return await _start_indexed(world, job, pods, _free(job, pods, completions), missing)
    if missing and (wait := _delay(world, pods)) > 0:
        return wait
    for _ in range(missing):
        made = pod_from(job["spec"]["template"], job, generateName=f"{job['metadata']['name']}-")
        world.tell(job, *created(await create_told(world, job, made)))
    return None


def _free(job: Object, pods: _Pods, completions: int) -> list[str]:
    """Return the indexes that neither have a pod nor are settled."""
    taken = {_index(pod) for pod in (*pods.active, *pods.done)} | _failed_indexes(job, pods)
    return [str(number) for number in range(completions) if str(number) not in taken]


async def _start_indexed(world: World, job: Object, pods: _Pods, free: list[str], most: int) -> float | None:
    alone = job["spec"].get("backoffLimitPerIndex") is not None
    waits = {index: _delay(world, pods, index if alone else None) for index in free}
    for index in [index for index in free if waits[index] <= 0][:most]:
        world.tell(job, *created(await create_told(world, job, _indexed_pod(job, job["spec"]["template"], index))))
    return min((wait for wait in waits.values() if wait > 0), default=None)


def _indexed_pod(job: Object, template: Object, index: str) -> Object:
    name = job["metadata"]["name"]
    metadata = dict(template.get("metadata") or {})
    metadata["annotations"] = (metadata.get("annotations") or {}) | {_INDEX: index}
    spec = template["spec"] | {"hostname": f"{name}-{index}"}
    for field in ("initContainers", "containers"):
        if field in spec:
            spec[field] = [_told_index(container) for container in spec[field]]
    return pod_from({"metadata": metadata, "spec": spec}, job, {_INDEX: index}, generateName=f"{name}-{index}-")


def _told_index(container: Object) -> Object:
    variables = container.get("env") or []
    if any(each["name"] == _VARIABLE for each in variables):
        return container
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{_INDEX}']"}}
    return container | {"env": [*variables, {"name": _VARIABLE, "valueFrom": source}]}


def _spans(indexes: set[str]) -> str:
    """Return numbers as a job's status lists them: ``0,2-4``."""
    numbers = sorted(map(int, indexes))
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    return ",".join(
        str(start) if start == end else f"{start}{',' if end == start + 1 else '-'}{end}"
        for start, end in zip(starts, ends, strict=True)
    )


def _indexes(job: Object, pods: _Pods) -> Object:
    """Return which indexes are done, and, when each has a limit of its own, which have failed."""
    if not pods.indexed:
        return {}
    failed = _spans(_failed_indexes(job, pods)) if job["spec"].get("backoffLimitPerIndex") is not None else None
    return {"completedIndexes": _spans({_index(pod) for pod in pods.done}) or None, "failedIndexes": failed}


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


async def _suspend(world: World, job: Object) -> None:
    await _delete(world, job, _pods(world, job).active)
    if not is_true(job, "Suspended"):
        world.tell(job, "Suspended", "Job suspended")
    suspended = {"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"}
    conditions = with_conditions(job, world.timestamp, suspended)
    await world.set_status(JOBS, job, {"active": None, "ready": 0, "conditions": conditions})


async def _complete(world: World, job: Object, pods: _Pods, reason: str, message: str) -> None:
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
        "succeeded": pods.succeeded or None,
        "failed": pods.failed + len(pods.active) or None,
        "uncountedTerminatedPods": {},
        "conditions": conditions,
    }
    await world.set_status(JOBS, job, status | more | _indexes(job, pods))


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
