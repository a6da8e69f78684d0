"""The test itself: create some pods at once and measure how long each takes to get ready. Called by the skeleton's test.py."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.readiness import is_ready, standing
from projects.core.cluster.session import current_clock
from projects.core.cluster.watching import Follower
from projects.core.execution.cancellation import current_token
from projects.core.values.errors import TimedOut

LABEL = "foresail.skeleton/test"
FILE_NAME = "pod_startup.json"


class PodStartup(BaseModel):
    """The result of one test, as `pod_startup.json` holds it.

    Attributes:
      image: The image of the pods.
      pods: Seconds from the request that created a pod to the moment in which it was seen ready, by name.
      seconds: Seconds from the first request until the last pod was ready.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str
    pods: dict[str, float]
    seconds: float


def measure(directory: Path, *, namespace: str, count: int, image: str, timeout: float) -> PodStartup:
    """Create pods, wait until all are ready, and write what was measured.

    The clock is that of whoever waits for the cluster: a pod's own timestamps have a resolution of a second.

    Args:
      directory: Where `pod_startup.json` is written.
      namespace: Where the pods are created; it is made when it is missing.
      count: How many.
      image: Their image.
      timeout: Seconds until the last one has to be ready.

    Returns:
      The result.

    Raises:
      TimedOut: some pods were not ready in time; the message names them.
    """
    clock = current_clock()
    began = clock.now()
    names = [f"startup-{number}" for number in range(count)]
    context = copy_context()
    with ThreadPoolExecutor(1) as watcher:
        # The watch stands before the first pod is created, so that no pod is seen ready late.
        watched = watcher.submit(context.run, _ready_times, namespace, frozenset(names), began + timeout)
        created = _create(names, namespace, image)
        ready = watched.result()
    seconds = {name: ready[name] - created[name] for name in created}
    result = PodStartup(image=image, pods=seconds, seconds=max(ready.values()) - began)
    (directory / FILE_NAME).write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return result


def pod(name: str, namespace: str, image: str) -> dict[str, Any]:
    """Return the manifest of one pod of the test."""
    container = {"name": "pause", "image": image, "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {LABEL: "pod-startup"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


def _create(names: list[str], namespace: str, image: str) -> dict[str, float]:
    cluster, clock = Cluster(), current_clock()
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    created: dict[str, float] = {}
    for name in names:
        current_token().check()
        created[name] = clock.now()
        cluster.apply(pod(name, namespace, image))
    return created


def _ready_times(namespace: str, names: frozenset[str], deadline: float) -> dict[str, float]:
    ready: dict[str, float] = {}
    target = Target("Pod", "v1", namespace=namespace, labels=f"{LABEL}=pod-startup")
    follower, clock = Follower(Cluster(), target, deadline), current_clock()
    for pods in follower.states():
        current_token().check()
        now = clock.now()
        for each in pods:
            if is_ready(each):
                ready.setdefault(each["metadata"]["name"], now)
        if names <= ready.keys():
            return ready
    waiting = {name: standing(each) for name, each in follower.objects.items() if name not in ready}
    raise TimedOut(f"{len(names - ready.keys())} of {len(names)} pods were not ready in time: {json.dumps(waiting)}")
