"""The pods of a Job by state, and what has been counted of them: what is gone since stays counted. Used by `jobs` and `job_status`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.job_policies import numbers_of, verdict
from projects.sim_cluster.behaviours.metadata import annotations_of
from projects.sim_cluster.behaviours.pods import is_active, is_ready, pod_phase
from projects.sim_cluster.behaviours.resources import PODS
from projects.sim_cluster.behaviours.unit import World

INDEX: Final = "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True)
class JobPods:
    """The pods of a job by state.

    Attributes:
      job: The job.
      active: Those that run or will.
      done: Those that have succeeded.
      broken: Those that have failed, but for those whose failure does not count.
      ignored: Those whose failure does not count.
      indexed: Whether each has a number of its own.
    """

    job: Object
    active: list[Object]
    done: list[Object]
    broken: list[Object]
    ignored: list[Object]
    indexed: bool

    @cached_property
    def done_indexes(self) -> set[int]:
        """The indexes that have succeeded; none of a job that has no indexes."""
        if not self.indexed:
            return set()
        return numbers_of(self._told("completedIndexes") or "") | {int(index_of(pod)) for pod in self.done}

    @property
    def succeeded(self) -> int:
        """How many have succeeded, those that are gone since too."""
        return len(self.done_indexes) if self.indexed else max(len(self.done), self._told("succeeded") or 0)

    @property
    def failed(self) -> int:
        """How many have failed, those that are gone since too."""
        return max(len(self.broken), self._told("failed") or 0)

    @property
    def ready(self) -> int:
        """How many are Ready."""
        return sum(1 for pod in self.active if is_ready(pod))

    @cached_property
    def failed_indexes(self) -> set[str]:
        """The indexes that have failed more often than each of them may."""
        limit = self.job["spec"].get("backoffLimitPerIndex")
        if limit is None:
            return set()
        times = Counter(index_of(pod) for pod in self.broken)
        ended = {index_of(pod) for pod in self.broken if verdict(self.job, pod).action == "FailIndex"}
        known = {str(number) for number in numbers_of(self._told("failedIndexes") or "")}
        return known | ended | {index for index, count in times.items() if count > limit}

    def _told(self, field: str) -> Any:
        return (self.job.get("status") or {}).get(field)


def pods_of(world: World, job: Object) -> JobPods:
    """Return the pods of a job as they are now."""
    pods = world.cache(PODS).owned_by(job)
    failed = [pod for pod in pods if pod_phase(pod) == "Failed"]
    ignored = [pod for pod in failed if verdict(job, pod).action == "Ignore"]
    uncounted = {pod["metadata"]["uid"] for pod in ignored}
    return JobPods(
        job,
        [pod for pod in pods if is_active(pod)],
        [pod for pod in pods if pod_phase(pod) == "Succeeded"],
        [pod for pod in failed if pod["metadata"]["uid"] not in uncounted],
        ignored,
        job["spec"].get("completionMode") == "Indexed",
    )


def index_of(pod: Object) -> str:
    """Return the index of a pod; its name when it has none."""
    return str(annotations_of(pod).get(INDEX, pod["metadata"]["name"]))
