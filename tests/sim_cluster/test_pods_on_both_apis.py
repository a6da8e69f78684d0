"""What becomes of pods whose programs end, fail, or never start: the same on the simulated API and on a real one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from projects.sim_cluster.behaviours.programs import PodFault, Program
from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.options import ClusterOptions
from tests.sim_cluster.conftest import BOTH_APIS, available, make_namespace, talking_to
from tests.sim_cluster.talk import Client

PROGRAMS = (
    Program(image="*/crashes:*", faults=(PodFault("crash", exit_code=3),)),
    Program(image="*/missing:*", faults=(PodFault("image-pull"),)),
    Program(image="*/greedy:*", faults=(PodFault("oom"),)),
    Program(image="*/unready:*", faults=(PodFault("never-ready"),)),
    Program(image="*/second-time:*", runs=5, faults=(PodFault("crash", first=1),)),
    Program(image="*/worker:*", runs=30),
)


@pytest.fixture(scope="module", params=BOTH_APIS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    options = ClusterOptions(
        api=available(request.param), platform="kubernetes", nodes=2, settings=Settings(programs=PROGRAMS)
    )
    with talking_to(options) as made:
        yield made


@pytest.fixture
def here(client: Client, new_name: Callable[[str], str]) -> str:
    return make_namespace(client, new_name("ns"))


def spec_of(image: str, **spec: Any) -> dict[str, Any]:
    probe = {"tcpSocket": {"port": 80}, "periodSeconds": 1}
    return {"containers": [{"name": "c", "image": f"r.example.com/{image}:1", "readinessProbe": probe}], **spec}


def start(client: Client, here: str, image: str, **spec: Any) -> str:
    client.post(f"/api/v1/namespaces/{here}/pods", {"metadata": {"name": image}, "spec": spec_of(image, **spec)})
    return f"/api/v1/namespaces/{here}/pods/{image}"


def container(pod: Any) -> dict[str, Any]:
    statuses: list[dict[str, Any]] = pod["status"].get("containerStatuses") or [{}]
    return statuses[0]


def reason(pod: Any, state: str = "state") -> str:
    return next((str(detail.get("reason", "")) for detail in container(pod).get(state, {}).values()), "")


def test_a_crash_loop_backs_off(client: Client, here: str) -> None:
    path = start(client, here, "crashes")
    looping = client.until(
        path, lambda pod: container(pod).get("restartCount", 0) >= 2 and reason(pod) == "CrashLoopBackOff", 60
    )
    assert container(looping)["lastState"]["terminated"]["exitCode"] == 3
    assert looping["status"]["phase"] == "Running"


def test_an_image_cannot_be_pulled(client: Client, here: str) -> None:
    path = start(client, here, "missing")
    waiting = client.until(path, lambda pod: reason(pod) == "ImagePullBackOff")
    assert waiting["status"]["phase"] == "Pending"


def test_a_container_is_killed_for_its_memory(client: Client, here: str) -> None:
    path = start(client, here, "greedy", restartPolicy="Never")
    ended = client.until(path, lambda pod: pod["status"]["phase"] == "Failed")
    assert (reason(ended), container(ended)["state"]["terminated"]["exitCode"]) == ("OOMKilled", 137)


def test_a_pod_never_gets_ready(client: Client, here: str) -> None:
    path = start(client, here, "unready")
    running = client.until(path, lambda pod: pod["status"]["phase"] == "Running")
    assert container(running)["ready"] is False


def test_a_job_tries_again_and_completes(client: Client, here: str) -> None:
    template = {"spec": spec_of("second-time", restartPolicy="Never")}
    jobs = f"/apis/batch/v1/namespaces/{here}/jobs"
    client.post(jobs, {"metadata": {"name": "j"}, "spec": {"backoffLimit": 3, "template": template}})
    done = client.until(f"{jobs}/j", lambda job: job["status"].get("succeeded") == 1, 60)
    assert done["status"]["failed"] == 1


def test_a_job_takes_as_long_as_its_program(client: Client, here: str) -> None:
    template = {"spec": spec_of("worker", restartPolicy="Never")}
    jobs = f"/apis/batch/v1/namespaces/{here}/jobs"
    client.post(jobs, {"metadata": {"name": "j"}, "spec": {"completions": 2, "parallelism": 2, "template": template}})
    done = client.until(f"{jobs}/j", lambda job: job["status"].get("succeeded") == 2, 60)
    assert done["status"]["completionTime"] >= done["status"]["startTime"]


def test_a_pod_that_is_deleted_goes(client: Client, here: str) -> None:
    path = start(client, here, "worker", restartPolicy="Always", terminationGracePeriodSeconds=600)
    client.until(path, lambda pod: pod["status"]["phase"] == "Running")
    client.ask("DELETE", path)
    client.gone(f"/api/v1/namespaces/{here}/pods?fieldSelector=metadata.name%3Dworker")
    assert client.ask("GET", path).status == 404
