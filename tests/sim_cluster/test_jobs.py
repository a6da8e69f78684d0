"""How Jobs try again and end; what was asked of a real controller of Kubernetes 1.35 is what these expect."""

from functools import partial
from typing import Any

from tests.sim_cluster.test_workloads import TEMPLATE, Stage, play, status

JOBS = "batch/jobs"
INDEX = "batch.kubernetes.io/job-completion-index"


def job(name: str, **spec: Any) -> dict[str, Any]:
    """Return a job whose pods nobody schedules, so that the test says how they end."""
    template = {"spec": TEMPLATE["spec"] | {"restartPolicy": "Never", "schedulerName": "nobody"}}
    return {"metadata": {"name": name}, "spec": {"template": template, **spec}}


def pods_of(stage: Stage, index: str = "") -> list[dict[str, Any]]:
    pods = [p for p in stage.pods() if not index or p["metadata"]["annotations"][INDEX] == index]
    return sorted(pods, key=lambda p: int(p["metadata"]["resourceVersion"]))


def has_pods(stage: Stage, number: int) -> bool:
    return len(stage.pods()) == number


def end(stage: Stage, index: str, phase: str) -> None:
    """End the pod of an index that has not ended."""
    pod = next(p for p in pods_of(stage, index) if p["status"]["phase"] == "Pending")
    stage.patch("pods", pod["metadata"]["name"], {"status": {"phase": phase}}, "status")


def reasons(stage: Stage, name: str) -> dict[str, str]:
    return {c["type"]: c["reason"] for c in status(stage, JOBS, name).get("conditions", ())}


def test_indexes_are_listed_in_spans_and_told_to_their_containers() -> None:
    async def script(stage: Stage) -> None:
        stage.create(JOBS, job("j", completions=7, parallelism=7, completionMode="Indexed"))
        await stage.until("pods", lambda: len(stage.pods()) == 7)
        for index in "012456":
            end(stage, index, "Succeeded")
        await stage.until("spans", lambda: status(stage, JOBS, "j").get("completedIndexes") == "0-2,4-6")
        end(stage, "3", "Succeeded")
        await stage.until("complete", lambda: "Complete" in reasons(stage, "j"))
        assert status(stage, JOBS, "j")["completedIndexes"] == "0-6"
        variable = pods_of(stage)[0]["spec"]["containers"][0]["env"][0]
        assert variable["name"] == "JOB_COMPLETION_INDEX"
        assert variable["valueFrom"]["fieldRef"]["fieldPath"] == f"metadata.labels['{INDEX}']"

    play(script)


def test_two_neighbours_are_no_span() -> None:
    async def script(stage: Stage) -> None:
        stage.create(JOBS, job("j", completions=2, parallelism=2, completionMode="Indexed"))
        await stage.until("pods", lambda: len(stage.pods()) == 2)
        for index in "01":
            end(stage, index, "Succeeded")
        await stage.until("complete", lambda: status(stage, JOBS, "j").get("completedIndexes") == "0,1")

    play(script)


def test_a_pod_that_failed_is_tried_again_after_a_while_that_doubles() -> None:
    async def script(stage: Stage) -> None:
        stage.create(JOBS, job("j", backoffLimit=2))
        begun = stage.cluster.clock.now()
        for tries in range(1, 4):
            await stage.until("a pod", partial(has_pods, stage, tries))
            end(stage, "", "Failed")
        waited = stage.cluster.clock.now() - begun
        await stage.until("given up", lambda: reasons(stage, "j").get("Failed") == "BackoffLimitExceeded")
        assert waited >= 10 + 20 - 2, "times are kept to the second"
        assert status(stage, JOBS, "j")["failed"] == 3

    play(script, speed=60)


def test_an_index_that_has_failed_for_good_lets_the_others_go_on() -> None:
    async def script(stage: Stage) -> None:
        limits = {"backoffLimitPerIndex": 0, "maxFailedIndexes": 2, "backoffLimit": 2147483647}
        stage.create(JOBS, job("j", completions=3, parallelism=3, completionMode="Indexed", **limits))
        await stage.until("pods", lambda: len(stage.pods()) == 3)
        end(stage, "1", "Failed")
        await stage.until("said", lambda: status(stage, JOBS, "j").get("failedIndexes") == "1")
        assert not reasons(stage, "j")
        for index in "02":
            end(stage, index, "Succeeded")
        await stage.until("over", lambda: reasons(stage, "j").get("Failed"))
        assert reasons(stage, "j") == {"FailureTarget": "FailedIndexes", "Failed": "FailedIndexes"}
        found = status(stage, JOBS, "j")
        assert (found["completedIndexes"], found["failedIndexes"], found["succeeded"]) == ("0,2", "1", 2)

    play(script)


def has_succeeded(stage: Stage, number: int) -> bool:
    return bool(status(stage, JOBS, "j").get("succeeded") == number)


def fail(stage: Stage, pod: dict[str, Any], code: int = 1, condition: str = "") -> None:
    ended = {"name": "c", "image": "i:1", "imageID": "", "ready": False, "restartCount": 0,
             "state": {"terminated": {"exitCode": code, "reason": "Error"}}}  # fmt: skip
    found = [{"type": condition, "status": "True"}] if condition else []
    patch = {"status": {"phase": "Failed", "containerStatuses": [ended], "conditions": found}}
    stage.patch("pods", pod["metadata"]["name"], patch, "status")


def policy(action: str, **rule: Any) -> dict[str, Any]:
    rule = rule or {"onExitCodes": {"operator": "In", "values": [42]}}
    return {"rules": [{"action": action, **rule}]}


def test_a_failure_that_ends_the_job() -> None:
    async def script(stage: Stage) -> None:
        stage.create(JOBS, job("j", parallelism=2, completions=2, podFailurePolicy=policy("FailJob")))
        await stage.until("pods", lambda: has_pods(stage, 2))
        pod = pods_of(stage)[0]
        fail(stage, pod, 42)
        await stage.until("failed", lambda: reasons(stage, "j").get("Failed") == "PodFailurePolicy")
        message = f"Container c for pod default/{pod['metadata']['name']} failed with exit code 42 matching FailJob rule at index 0"
        assert {each["message"] for each in status(stage, JOBS, "j")["conditions"]} == {message}
        assert status(stage, JOBS, "j")["failed"] == 2

    play(script)


def test_a_failure_that_does_not_count() -> None:
    async def script(stage: Stage) -> None:
        ignored = policy("Ignore", onPodConditions=[{"type": "DisruptionTarget", "status": "True"}])
        stage.create(JOBS, job("j", backoffLimit=0, podFailurePolicy=ignored))
        await stage.until("a pod", lambda: has_pods(stage, 1))
        fail(stage, pods_of(stage)[0], condition="DisruptionTarget")
        await stage.until("another pod", lambda: has_pods(stage, 2))
        assert "failed" not in status(stage, JOBS, "j")
        fail(stage, next(pod for pod in stage.pods() if pod["status"]["phase"] == "Pending"))
        await stage.until("failed", lambda: reasons(stage, "j").get("Failed") == "BackoffLimitExceeded")

    play(script)


def test_a_failure_that_ends_its_index() -> None:
    async def script(stage: Stage) -> None:
        spec = {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 3}
        stage.create(JOBS, job("j", podFailurePolicy=policy("FailIndex"), **spec))
        await stage.until("pods", lambda: has_pods(stage, 2))
        fail(stage, pods_of(stage, "0")[0], 42)
        await stage.until("failed index", lambda: status(stage, JOBS, "j").get("failedIndexes") == "0")
        end(stage, "1", "Succeeded")
        await stage.until("failed", lambda: reasons(stage, "j").get("Failed") == "FailedIndexes")

    play(script)


def test_a_job_succeeds_by_its_policy() -> None:
    async def script(stage: Stage) -> None:
        rules = {"rules": [{"succeededIndexes": "0,2", "succeededCount": 1}]}
        stage.create(JOBS, job("j", completions=3, parallelism=3, completionMode="Indexed", successPolicy=rules))
        await stage.until("pods", lambda: has_pods(stage, 3))
        end(stage, "1", "Succeeded")
        await stage.until("one done", lambda: status(stage, JOBS, "j").get("completedIndexes") == "1")
        end(stage, "2", "Succeeded")
        await stage.until("complete", lambda: reasons(stage, "j").get("Complete") == "SuccessPolicy")
        assert status(stage, JOBS, "j")["completedIndexes"] == "1,2"
        assert {each["message"] for each in status(stage, JOBS, "j")["conditions"]} == {"Matched rules at index 0"}
        await stage.until(
            "no pods that run", lambda: all(pod["status"]["phase"] == "Succeeded" for pod in stage.pods())
        )

    play(script)


def test_a_work_queue_is_done_when_one_has_succeeded_and_all_have_ended() -> None:
    async def script(stage: Stage) -> None:
        stage.create(JOBS, job("j", parallelism=3))
        await stage.until("pods", lambda: has_pods(stage, 3))
        for number in range(3):
            pod = next(pod for pod in stage.pods() if pod["status"]["phase"] == "Pending")
            stage.patch("pods", pod["metadata"]["name"], {"status": {"phase": "Succeeded"}}, "status")
            await stage.until("counted", partial(has_succeeded, stage, number + 1))
        assert reasons(stage, "j").get("Complete") == "CompletionsReached"
        assert has_pods(stage, 3)

    play(script)


def test_what_is_gone_stays_counted() -> None:
    async def script(stage: Stage) -> None:
        spec = {"completions": 3, "parallelism": 3, "completionMode": "Indexed"}
        stage.create(JOBS, job("indexed", **spec))
        await stage.until("pods", lambda: has_pods(stage, 3))
        end(stage, "1", "Succeeded")
        await stage.until("one done", lambda: status(stage, JOBS, "indexed").get("completedIndexes") == "1")
        gone = pods_of(stage, "1")[0]["metadata"]["name"]
        stage.delete("pods", gone)
        end(stage, "0", "Failed")
        await stage.until("counted", lambda: status(stage, JOBS, "indexed").get("failed") == 1)
        failed = next(pod for pod in pods_of(stage, "0") if pod["status"]["phase"] == "Failed")
        stage.delete("pods", failed["metadata"]["name"])
        await stage.until("another try", lambda: [p["status"]["phase"] for p in pods_of(stage, "0")] == ["Pending"])
        end(stage, "0", "Succeeded")
        await stage.until("two done", lambda: status(stage, JOBS, "indexed").get("completedIndexes") == "0,1")
        assert pods_of(stage, "1") == []
        assert status(stage, JOBS, "indexed")["failed"] == 1

    play(script)
