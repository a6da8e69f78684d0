"""What READY, STATUS and RESTARTS of a pod say in every state that its containers can have; recorded from Kubernetes 1.35."""

from typing import Any

import pytest

from projects.sim_cluster.api.pod_printer import pod_cells

FINISHED = "2026-11-22T10:00:00Z"


def container(
    name: str = "c",
    *,
    ready: bool = False,
    restarts: int = 0,
    last: Any = None,
    started: bool | None = None,
    **state: Any,
) -> dict[str, Any]:
    found = {"name": name, "ready": ready, "restartCount": restarts, "state": state, "lastState": last or {}}
    return found if started is None else found | {"started": started}


def waits(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason}}


def ended(reason: str, code: int = 0, signal: int = 0) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "signal": signal, "finishedAt": FINISHED}}


RUNS: dict[str, Any] = {"running": {"startedAt": FINISHED}}
READY = [{"type": "Ready", "status": "True"}]
UNREADY = [{"type": "Ready", "status": "False"}]
INITIALIZING = [container(**waits("PodInitializing"))]


def pod(phase: str, containers: list[Any], inits: list[Any] | None = None, **status: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"name": each["name"]} for each in containers] or [{"name": "c"}]}
    spec["initContainers"] = [
        {"name": each["name"]} | ({"restartPolicy": "Always"} if each.get("started") else {}) for each in inits or ()
    ]
    told = {"phase": phase, "containerStatuses": containers, "initContainerStatuses": inits or [], **status}
    return {"metadata": {"name": "p"}, "spec": spec, "status": told}


ERROR = ended("Error", 1)
I_DONE, I_WAITS = container("i", **ended("Completed")), container("j", **waits("PodInitializing"))
DONE_BESIDE = [container(ready=True, **RUNS), container("d", **ended("Completed"))]
CASES: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "creating": (pod("Pending", [container(**waits("ContainerCreating"))]), ("0/1", "ContainerCreating", "0")),
    "pull": (pod("Pending", [container(**waits("ImagePullBackOff"))]), ("0/1", "ImagePullBackOff", "0")),
    "crash": (pod("Running", [container(restarts=3, last=ERROR, **waits("CrashLoopBackOff"))], conditions=UNREADY),
              ("0/1", "CrashLoopBackOff", "3 (32m ago)")),
    "error": (pod("Running", [container(restarts=1, last=ERROR, **ERROR)], conditions=UNREADY), ("0/1", "Error", "1 (32m ago)")),
    "completed": (pod("Succeeded", [container(**ended("Completed"))]), ("0/1", "Completed", "0")),
    "oom": (pod("Failed", [container(**ended("OOMKilled", 137))]), ("0/1", "OOMKilled", "0")),
    "signal": (pod("Failed", [container(**ended("", 0, 9))]), ("0/1", "Signal:9", "0")),
    "code": (pod("Failed", [container(**ended("", 3))]), ("0/1", "ExitCode:3", "0")),
    "evicted": (pod("Failed", [container(**ended("Error", 137))], reason="Evicted"), ("0/1", "Error", "0")),
    "evicted early": (pod("Failed", [], reason="Evicted"), ("0/1", "Evicted", "0")),
    "running": (pod("Running", [container(ready=True, **RUNS)], conditions=READY), ("1/1", "Running", "0")),
    "not ready": (pod("Running", [container(**RUNS)], conditions=UNREADY), ("0/1", "Running", "0")),
    "one is done": (pod("Running", DONE_BESIDE, conditions=UNREADY), ("1/2", "NotReady", "0")),
    "one is done, ready": (pod("Running", DONE_BESIDE, conditions=READY), ("1/2", "Running", "0")),
    "init": (pod("Pending", INITIALIZING, [container("i", **waits("PodInitializing")), I_WAITS]), ("0/1", "Init:0/2", "0")),
    "init, second": (pod("Pending", INITIALIZING, [I_DONE, container("j", **RUNS)]), ("0/1", "Init:1/2", "0")),
    "init failed": (pod("Pending", INITIALIZING, [container("i", restarts=1, **ERROR), I_WAITS]), ("0/1", "Init:Error", "1")),
    "init crashes": (pod("Pending", INITIALIZING, [
        container("i", restarts=2, last=ERROR, **waits("CrashLoopBackOff")), I_WAITS]), ("0/1", "Init:CrashLoopBackOff", "2 (32m ago)")),
    "init done": (pod("Pending", INITIALIZING, [I_DONE, container("j", **ended("Completed"))]), ("0/1", "PodInitializing", "0")),
    "init code": (pod("Pending", INITIALIZING, [container("i", **ended("", 5)), I_WAITS]), ("0/1", "Init:ExitCode:5", "0")),
    "gated": (pod("Pending", [], conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
              ("0/1", "SchedulingGated", "0")),
    "lost": (pod("Running", [container(ready=True, **RUNS)], reason="NodeLost"), ("1/1", "NodeLost", "0")),
    "sidecar": (pod("Running", [container(ready=True, **RUNS)], [
        container("i", ready=True, started=True, **RUNS), container("j", **ended("Completed"))], conditions=READY), ("2/2", "Running", "0")),
    "sidecar first": (pod("Pending", INITIALIZING, [container("i", started=True, **RUNS), container("j", **RUNS)]),
                      ("0/2", "Init:1/2", "0")),
    "restarted": (pod("Running", [container(ready=True, restarts=4, last=ERROR, **RUNS)], conditions=READY),
                  ("1/1", "Running", "4 (32m ago)")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_row_of_a_pod(name: str) -> None:
    obj, expected = CASES[name]
    now = 1795341600 + 32 * 60
    assert tuple(pod_cells(obj, now)[1:4]) == expected
