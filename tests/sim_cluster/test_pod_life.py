"""The life of pods as a kubelet tells it, in process and on a fast clock; the states that clients see in between are in the store's record."""

from collections.abc import Callable
from typing import Any

import pytest

from projects.sim_cluster.behaviours.kubelet.backoff import BackOff
from projects.sim_cluster.behaviours.programs import Line, PodFault, Program
from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.timings import Timings
from projects.sim_cluster.options import MAX_SPEED
from tests.sim_cluster.test_workloads import Stage, play_with

Pod = dict[str, Any]


def pod(name: str, *inits: dict[str, Any], **spec: Any) -> Pod:
    container = {"name": "c", "image": "registry.example.com/work:1"} | spec.pop("container", {})
    spec = {"containers": [container], **spec} | ({"initContainers": list(inits)} if inits else {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def states(stage: Stage, name: str, field: str = "containerStatuses") -> list[str]:
    """Return the states that the first container of a pod went through."""
    found: list[str] = []
    for change in stage.changes:
        seen = change.now.object
        if change.storage != ("", "pods") or seen["metadata"]["name"] != name:
            continue
        for status in (seen["status"].get(field) or ())[:1]:
            ((kind, detail),) = status["state"].items()
            text = detail.get("reason") or (f"{kind}, ready" if status["ready"] else kind)
            if not found or found[-1] != text:
                found.append(text)
    return found


def phase(stage: Stage, name: str) -> str:
    return str((stage.get("pods", name) or {"status": {}})["status"].get("phase"))


def first(stage: Stage, name: str) -> dict[str, Any]:
    statuses = (stage.get("pods", name) or {"status": {}})["status"].get("containerStatuses")
    return statuses[0] if statuses else {}


def conditions(stage: Stage, name: str) -> dict[str, tuple[str, str]]:
    found = stage.get("pods", name)
    assert found is not None
    return {each["type"]: (each["status"], each.get("reason", "")) for each in found["status"]["conditions"]}


def messages(stage: Stage, reason: str) -> list[str]:
    return [event["message"] for event in stage.all("events") if event["reason"] == reason]


def run(script: Callable[[Stage], Any], *programs: Program, speed: float = MAX_SPEED, **timings: Any) -> None:
    play_with(script, Settings(Timings(**timings), programs), speed)


def test_a_pod_is_created_pulled_started_ready() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p"))
        await stage.until("ready", lambda: first(stage, "p").get("ready"))
        assert states(stage, "p") == ["ContainerCreating", "running, ready"]
        assert conditions(stage, "p") == dict.fromkeys(
            ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), ("True", "")
        )
        status = stage.get("pods", "p")["status"]  # type: ignore[index]
        assert [each["type"] for each in status["conditions"]][-1] == "PodScheduled"
        assert status["containerStatuses"][0]["containerID"].startswith("containerd://")
        await stage.until("told", lambda: messages(stage, "Started"))
        assert messages(stage, "Pulling") == ['Pulling image "registry.example.com/work:1"']

    run(script)


def test_init_containers_run_one_after_the_other_and_a_sidecar_stays() -> None:
    async def script(stage: Stage) -> None:
        inits = [
            {"name": "one", "image": "i"},
            {"name": "side", "image": "i", "restartPolicy": "Always"},
            {"name": "two", "image": "i"},
        ]
        stage.create("pods", pod("p", *inits, restartPolicy="Never"))
        await stage.until("done", lambda: phase(stage, "p") == "Succeeded")
        assert states(stage, "p") == ["PodInitializing", "running, ready", "Completed"]
        assert states(stage, "p", "initContainerStatuses") == ["PodInitializing", "running", "Completed"]
        ends = {}
        for status in stage.get("pods", "p")["status"]["initContainerStatuses"]:  # type: ignore[index]
            ends[status["name"]] = status["state"]["terminated"]
        assert seconds_of(ends["one"]["finishedAt"]) <= seconds_of(ends["two"]["startedAt"])
        assert seconds_of(ends["side"]["finishedAt"]) >= seconds_of(ends["two"]["finishedAt"])

    run(script, Program(container="c", runs=3))


def test_an_init_container_that_fails_fails_a_pod_that_is_not_restarted() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p", {"name": "one", "image": "broken"}, restartPolicy="Never"))
        await stage.until("failed", lambda: phase(stage, "p") == "Failed")
        assert states(stage, "p") == ["PodInitializing"]
        assert conditions(stage, "p")["Initialized"] == ("False", "ContainersNotInitialized")

    run(script, Program(image="broken", runs=1, exit_code=2))


def test_a_program_exits_as_it_says() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p", restartPolicy="Never"))
        await stage.until("failed", lambda: phase(stage, "p") == "Failed")
        last = first(stage, "p")["state"]["terminated"]
        assert (last["exitCode"], last["reason"], last["message"]) == (3, "Error", "no input")
        assert 19 <= seconds_of(last["finishedAt"]) - seconds_of(last["startedAt"]) <= 60
        assert conditions(stage, "p")["Ready"] == ("False", "PodFailed")

    run(script, Program(image="*/work:*", runs=20, exit_code=3, message="no input", prints=(Line("hello"),)))


def test_a_crash_loop_backs_off_longer_each_time() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p"))
        await stage.until("restarts", lambda: first(stage, "p").get("restartCount") == 3)
        assert states(stage, "p")[-3:-1] == ["Error", "CrashLoopBackOff"]
        assert first(stage, "p")["lastState"]["terminated"]["exitCode"] == 1
        waits = [
            change.now.object["status"]["containerStatuses"][0]["state"].get("waiting", {}).get("message", "").split(" ")[1]
            for change in stage.changes
            if change.storage == ("", "pods") and "back-off" in str(change.now.object["status"])
            and "waiting" in change.now.object["status"]["containerStatuses"][0]["state"]
        ]  # fmt: skip
        assert list(dict.fromkeys(waits)) == ["10s", "20s"]
        assert phase(stage, "p") == "Running"

    run(script, Program(faults=(PodFault("crash", after=2),)))


def test_a_fault_of_the_first_starts_is_over_after_them() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p", restartPolicy="OnFailure"))
        await stage.until("done", lambda: phase(stage, "p") == "Succeeded")
        assert first(stage, "p")["restartCount"] == 2
        assert first(stage, "p")["lastState"]["terminated"]["reason"] == "OOMKilled"

    run(script, Program(runs=3, faults=(PodFault("oom", first=2),)))


def test_an_image_that_cannot_be_pulled_backs_off_until_it_can() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p"))
        await stage.until("ready", lambda: first(stage, "p").get("ready"))
        failing = ["ErrImagePull", "ImagePullBackOff"]
        assert states(stage, "p") == ["ContainerCreating", *failing, *failing, "running, ready"]
        await stage.until("told", lambda: messages(stage, "Started"))
        assert {"Error: ErrImagePull", "Error: ImagePullBackOff"} < set(messages(stage, "Failed"))

    run(script, Program(faults=(PodFault("image-pull", first=2),)))


def test_a_pod_that_never_gets_ready_runs() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p"))
        await stage.until("unhealthy", lambda: messages(stage, "Unhealthy"))
        assert phase(stage, "p") == "Running"
        assert conditions(stage, "p")["Ready"] == ("False", "ContainersNotReady")

    run(script, Program(faults=(PodFault("never-ready"),)))


def test_a_pod_is_evicted() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p"))
        await stage.until("failed", lambda: phase(stage, "p") == "Failed")
        status = stage.get("pods", "p")["status"]  # type: ignore[index]
        assert (status["reason"], conditions(stage, "p")["DisruptionTarget"]) == (
            "Evicted",
            ("True", "TerminationByKubelet"),
        )

    run(script, Program(faults=(PodFault("evicted"),)))


def test_readiness_waits_for_the_probe() -> None:
    async def script(stage: Stage) -> None:
        probe = {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 30}
        stage.create("pods", pod("p", container={"readinessProbe": probe}))
        await stage.until("ready", lambda: first(stage, "p").get("ready"))
        assert states(stage, "p") == ["ContainerCreating", "running", "running, ready"]
        found = stage.get("pods", "p")
        assert found is not None
        turned = next(each["lastTransitionTime"] for each in found["status"]["conditions"] if each["type"] == "Ready")
        assert seconds_of(turned) - seconds_of(first(stage, "p")["state"]["running"]["startedAt"]) >= 29

    run(script)


def test_a_deadline_ends_a_pod() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p", activeDeadlineSeconds=20, restartPolicy="Never"))
        await stage.until("failed", lambda: phase(stage, "p") == "Failed")
        assert stage.get("pods", "p")["status"]["reason"] == "DeadlineExceeded"  # type: ignore[index]

    run(script)


def test_a_deleted_pod_gets_unready_and_goes() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p"))
        await stage.until("ready", lambda: first(stage, "p").get("ready"))
        stage.delete("pods", "p")
        await stage.until("gone", lambda: stage.get("pods", "p") is None)
        assert states(stage, "p")[-1] == "Completed"
        await stage.until("told", lambda: messages(stage, "Killing") == ["Stopping container c"])

    run(script)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_chance_decides(probability: float) -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", pod("p", restartPolicy="Never"))
        await stage.until("over", lambda: phase(stage, "p") in {"Failed", "Succeeded"})
        assert phase(stage, "p") == ("Failed" if probability else "Succeeded")

    run(script, Program(runs=3, faults=(PodFault("crash", probability=probability),)))


def test_a_back_off_doubles_and_forgets() -> None:
    backoff = BackOff()
    assert backoff.left(0, 0) == 0
    for number, wait in enumerate([10, 20, 40, 80, 160, 300, 300]):
        backoff.raise_(number)
        assert backoff.left(number, number) == wait
    assert backoff.left(700, 700) == 0
