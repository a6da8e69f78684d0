"""Jobs: pods until enough have succeeded, until one failed too often, or until the deadline."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.conditions import condition, is_true
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.job_pods import INDEX, JobPods, index_of, pods_of
from projects.sim_cluster.behaviours.job_policies import success_rule, verdict
from projects.sim_cluster.behaviours.job_status import complete, fail, report, suspend
from projects.sim_cluster.behaviours.pods import admitting, create_told, created, pod_from
from projects.sim_cluster.behaviours.resources import JOBS, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys

_VARIABLE: Final = "JOB_COMPLETION_INDEX"
_LONGEST_BACKOFF: Final = 600.0


async def work_off(world: World, job: Object) -> float | None:
    """Make the pods that are still needed, and end the job when its time has come."""
    if job["metadata"].get("deletionTimestamp"):
        return None
    if is_true(job, "Complete") or is_true(job, "Failed"):
        return await _expire(world, job)
    if job["spec"].get("suspend"):
        await suspend(world, job)
        return None
    started = (job.get("status") or {}).get("startTime")
    if started is None or is_true(job, "Suspended"):
        started = world.timestamp
    pods = pods_of(world, job)
    deadline = job["spec"].get("activeDeadlineSeconds")
    left = seconds_of(started) + deadline - world.now if deadline is not None else None
    completions = _wanted(job, pods)
    if failure := _failure(job, pods, is_late=left is not None and left <= 0):
        await fail(world, job, pods, *failure)
        return None
    if success := _success(job, pods, completions):
        await complete(world, job, pods, *success)
        return None
    wait = await _start_pods(world, job, pods, completions)
    await report(world, job, started)
    return min((each for each in (left, wait) if each is not None), default=None)


def _wanted(job: Object, pods: JobPods) -> int:
    """Return how many pods have to succeed; of a work queue one, and all that have been started beside it."""
    completions = job["spec"].get("completions")
    if completions is None:
        return pods.succeeded + len(pods.active) if pods.succeeded else int(job["spec"].get("parallelism", 1))
    return int(completions)


def _success(job: Object, pods: JobPods, completions: int) -> tuple[str, str] | None:
    """Return reason and message of the success of a job of whose pods enough have succeeded."""
    if pods.succeeded >= completions:
        return "CompletionsReached", "Reached expected number of succeeded pods"
    if (rule := success_rule(job, pods.done_indexes)) is not None:
        return "SuccessPolicy", f"Matched rules at index {rule}"
    return None


def _failure(job: Object, pods: JobPods, *, is_late: bool) -> tuple[str, str] | None:
    """Return reason and message of the failure of a job that is past its deadline, or whose pods have failed too often."""
    if is_late:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    spec, lost = job["spec"], pods.failed_indexes
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


def _delay(world: World, pods: JobPods, index: str | None = None) -> float:
    """Return how long to wait before the next try: longer with each failure since the last success."""
    of_index = [pod for pod in (*pods.broken, *pods.ignored) if index is None or index_of(pod) == index]
    since = 0.0 if index else max(map(_ended_at, pods.done), default=0.0)
    failures = [end for end in map(_ended_at, of_index) if end > since]
    if not failures:
        return 0.0
    step = min(world.timings.job_backoff * 2.0 ** (len(failures) - 1), _LONGEST_BACKOFF)
    return max(failures) + step - world.now


async def _start_pods(world: World, job: Object, pods: JobPods, completions: int) -> float | None:
    """Make the pods that may run now; return in how many seconds more may."""
    missing = max(0, min(job["spec"].get("parallelism", 1), completions - pods.succeeded) - len(pods.active))
    if pods.indexed:
        return await _start_indexed(world, job, pods, _free(pods, completions), missing)
    if missing and (wait := _delay(world, pods)) > 0:
        return wait
    for _ in range(missing):
        made = pod_from(job["spec"]["template"], job, generateName=f"{job['metadata']['name']}-")
        world.tell(job, *created(await create_told(world, job, made)))
    return None


def _free(pods: JobPods, completions: int) -> list[str]:
    """Return the indexes that neither have a pod nor are settled."""
    taken = {index_of(pod) for pod in pods.active} | {str(number) for number in pods.done_indexes} | pods.failed_indexes
    return [str(number) for number in range(completions) if str(number) not in taken]


async def _start_indexed(world: World, job: Object, pods: JobPods, free: list[str], most: int) -> float | None:
    alone = job["spec"].get("backoffLimitPerIndex") is not None
    waits = {index: _delay(world, pods, index if alone else None) for index in free}
    for index in [index for index in free if waits[index] <= 0][:most]:
        world.tell(job, *created(await create_told(world, job, _indexed_pod(job, job["spec"]["template"], index))))
    return min((wait for wait in waits.values() if wait > 0), default=None)


def _indexed_pod(job: Object, template: Object, index: str) -> Object:
    name = job["metadata"]["name"]
    metadata = dict(template.get("metadata") or {})
    metadata["annotations"] = (metadata.get("annotations") or {}) | {INDEX: index}
    spec = template["spec"] | {"hostname": f"{name}-{index}"}
    for field in ("initContainers", "containers"):
        if field in spec:
            spec[field] = [_told_index(container) for container in spec[field]]
    return pod_from({"metadata": metadata, "spec": spec}, job, {INDEX: index}, generateName=f"{name}-{index}-")


def _told_index(container: Object) -> Object:
    variables = container.get("env") or []
    if any(each["name"] == _VARIABLE for each in variables):
        return container
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
    return container | {"env": [*variables, {"name": _VARIABLE, "valueFrom": source}]}


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


JOB: Final = Behaviour(
    "jobs",
    JOBS,
    work_off,
    woken_by=(Wake(PODS, owner_keys), *admitting(JOBS)),
    component="job-controller",
)
