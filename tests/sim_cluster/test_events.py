"""Events of scheduling and of a pod's life: what a real cluster's say, counted as client-go counts, dropped as it drops."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from projects.sim_cluster.api.printers import PRINTERS
from projects.sim_cluster.behaviours.events import BURST, SIMILAR, WAITING, Recorder, Telling
from projects.sim_cluster.behaviours.interface import RefusedError, Resource
from projects.sim_cluster.behaviours.timestamps import seconds_of
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.talk import Client, Kubectl, deployment
from tests.sim_cluster.test_workloads import TEMPLATE, Stage, play, status

Object = dict[str, Any]
POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "resourceVersion": "7"},
}


def reasons(stage: Stage, kind: str) -> Counter[str]:
    found = [event for event in stage.all("events") if event["involvedObject"]["kind"] == kind]
    return Counter(event["reason"] for event in found)


def test_the_life_of_a_deployment() -> None:
    async def script(stage: Stage) -> None:
        stage.create("apps/deployments", deployment("web", "default", 2))
        await stage.until("ready", lambda: status(stage, "apps/deployments", "web").get("readyReplicas") == 2)
        stage.patch("apps/deployments", "web", {"spec": {"replicas": 1}})
        await stage.until("a stop", lambda: reasons(stage, "Pod")["Killing"] == 1)
        assert reasons(stage, "Deployment") == {"ScalingReplicaSet": 2}
        assert reasons(stage, "ReplicaSet") == {"SuccessfulCreate": 2, "SuccessfulDelete": 1}
        assert reasons(stage, "Pod") == {
            "Scheduled": 2,
            "Pulling": 2,
            "Pulled": 2,
            "Created": 2,
            "Started": 2,
            "Killing": 1,
        }
        started = next(event for event in stage.all("events") if event["reason"] == "Started")
        assert started["involvedObject"]["fieldPath"] == "spec.containers{c}"
        assert started["source"] == {"component": "kubelet", "host": started["reportingInstance"]}

    play(script)


@pytest.mark.parametrize(
    ("policy", "said"),
    [("Always", ["Pulling", "Pulled"]), ("IfNotPresent", ["Pulling", "Pulled"]), ("Never", ["Pulled"])],
)
def test_images_are_pulled_as_the_policy_says(policy: str, said: list[str]) -> None:
    container = TEMPLATE["spec"]["containers"][0] | {"imagePullPolicy": policy}

    async def script(stage: Stage) -> None:
        stage.create("pods", {"metadata": {"name": "p"}, "spec": TEMPLATE["spec"] | {"containers": [container]}})
        await stage.until("a start", lambda: reasons(stage, "Pod")["Started"])
        found = [event["reason"] for event in stage.all("events")]
        assert sorted(found) == sorted(["Scheduled", *said, "Created", "Started"])

    play(script)


def test_a_pod_that_no_node_takes_says_so_again_and_again_in_one_event() -> None:
    async def script(stage: Stage) -> None:
        for node in stage.all("nodes"):
            stage.patch("nodes", node["metadata"]["name"], {"spec": {"unschedulable": True}})
        stage.create("pods", {"metadata": {"name": "p"}, "spec": TEMPLATE["spec"]})
        await stage.until("a repetition", lambda: any("series" in event for event in stage.all("events")))
        (event,) = stage.all("events")
        (condition,) = [c for c in status(stage, "pods", "p")["conditions"] if c["type"] == "PodScheduled"]
        assert condition["status"] == "False"
        assert condition["reason"] == "Unschedulable"
        assert event["message"] == condition["message"] == (
            "0/3 nodes are available: 3 node(s) were unschedulable. no new claims to deallocate, preemption: "
            "0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        )  # fmt: skip
        assert (event["type"], event["reason"], event["action"]) == ("Warning", "FailedScheduling", "Scheduling")
        assert event["series"]["count"] >= 2

    play(script, speed=600)


def test_stateful_sets_and_jobs_tell_of_their_pods() -> None:
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE, "serviceName": "s", "replicas": 1}
    claimed = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"metadata": {"name": "data"}, "spec": claimed}

    async def script(stage: Stage) -> None:
        stage.create(
            "apps/statefulsets", {"metadata": {"name": "db"}, "spec": spec | {"volumeClaimTemplates": [claim]}}
        )
        template = TEMPLATE | {"spec": TEMPLATE["spec"] | {"restartPolicy": "Never"}}
        stage.create("batch/jobs", {"metadata": {"name": "once"}, "spec": {"template": template}})
        await stage.until("an end", lambda: reasons(stage, "Job")["Completed"])
        await stage.until("a pod", lambda: reasons(stage, "StatefulSet")["SuccessfulCreate"] == 2)
        told = [event["message"] for event in stage.all("events") if event["involvedObject"]["kind"] == "StatefulSet"]
        assert "Create Pod db-0 in StatefulSet db successful" in told
        assert "Create Claim data-db-0 Pod db-0 in StatefulSet db success" in told

    play(script)


class Written:
    """A cluster that keeps what the recorder writes."""

    def __init__(self) -> None:
        self.events: dict[str, Object] = {}
        self.seconds = 0.0

    async def create(self, _resource: Resource, event: Object) -> Object:
        if event["involvedObject"]["name"] == "refused":
            raise RefusedError("Forbidden", "the namespace is being terminated")
        self.events[event["metadata"]["name"]] = event
        return event

    async def patch(self, _resource: Resource, _namespace: str, name: str, patch: Object) -> Object:
        if name not in self.events:
            raise RefusedError("NotFound", name)
        self.events[name] |= patch
        return self.events[name]

    def now(self) -> float:
        return self.seconds


def record(told: list[Telling], *, forget: int | None = None) -> list[Object]:
    """Have events written; return those that are there. `forget` deletes all before the event of that number."""

    async def run(cluster: Written) -> None:
        recorder = Recorder(cluster)  # type: ignore[arg-type] # what it needs of one
        task = asyncio.create_task(recorder.run())
        for number, telling in enumerate(told):
            if number == forget:
                cluster.events.clear()
            recorder.tell(telling)
            if len(told) <= WAITING:
                await recorder.written()
        await recorder.written()
        task.cancel()

    cluster = Written()
    asyncio.run(run(cluster))
    return list(cluster.events.values())


def test_the_same_again_is_counted() -> None:
    (event,) = record([Telling(POD, "kubelet", "BackOff", "Back-off", "Warning", host="node")] * 3)
    assert (event["count"], event["reason"], event["type"]) == (3, "BackOff", "Warning")
    assert event["involvedObject"] == {
        "apiVersion": "v1", "kind": "Pod", "name": "p", "namespace": "n", "uid": "u", "resourceVersion": "7"
    }  # fmt: skip
    assert len(record([Telling(POD, "kubelet", "BackOff", "Back-off")] * 3, forget=1)) == 1


def test_similar_ones_are_combined_and_floods_end() -> None:
    events = record([Telling(POD, "controller", "SuccessfulCreate", f"Created pod: {number}") for number in range(20)])
    assert len(events) == SIMILAR
    assert events[-1]["message"] == "(combined from similar events): Created pod: 19"
    assert events[-1]["count"] == 20 - SIMILAR + 1
    assert record([Telling(POD, "kubelet", "R", "m")] * (BURST + 5))[0]["count"] == BURST


def test_a_refused_one_costs_no_other_and_too_many_are_dropped() -> None:
    refused = POD | {"metadata": POD["metadata"] | {"name": "refused"}}
    events = record([Telling(refused, "kubelet", "Killing", "Stopping container c"), Telling(POD, "kubelet", "A", "a")])
    assert [event["reason"] for event in events] == ["A"]
    many = [
        Telling(POD, "default-scheduler", "Scheduled", str(number), action="Binding") for number in range(WAITING + 9)
    ]
    assert len(record(many)) == WAITING


def test_both_faces(kubectl: Kubectl, client: Client, namespace: str) -> None:
    kubectl.apply(deployment("web", namespace))
    client.until(
        f"/apis/apps/v1/namespaces/{namespace}/deployments/web", lambda d: d.get("status", {}).get("readyReplicas")
    )
    said = ("Successfully assigned", "Scaled up replica", "Started container c")
    events = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"  # which are written beside what they tell of
    client.eventually(
        events, lambda listed: all(any(each["note"].startswith(text) for each in listed["items"]) for text in said)
    )
    assert "Started container c" in kubectl("-n", namespace, "events", "--for", "pod/" + pod_of(client, namespace))


def pod_of(client: Client, namespace: str) -> str:
    return str(client.get(f"/api/v1/namespaces/{namespace}/pods")["items"][0]["metadata"]["name"])


@pytest.fixture
def comparable(
    client: Client, judge: Client, new_name: Callable[[str], str]
) -> Iterator[Callable[[Object], list[list[Any]]]]:
    """Play a Deployment on both clusters; return the events of each, without what differs between any two clusters."""
    name = new_name("events")

    def act(spec: Object) -> list[list[Any]]:
        return [_events(each, make_namespace(each, name), spec) for each in (client, judge)]

    yield act
    for each in (client, judge):
        each.ask("DELETE", f"/api/v1/namespaces/{name}")


def _events(client: Client, namespace: str, spec: Object) -> list[Any]:
    made = deployment("web", namespace, 2)
    made["spec"]["template"]["spec"] |= spec
    client.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", made)
    awaited = 1 + 2 + 2  # of the Deployment, of its ReplicaSet, of the scheduler
    path = f"/api/v1/namespaces/{namespace}/events"
    found: dict[str, Object] = {}
    for event in client.watch(f"{path}?watch=1&timeoutSeconds=60"):
        if event["object"]["reportingComponent"] != "kubelet":
            found[event["object"]["metadata"]["name"]] = event["object"]
        if len(found) == awaited:
            break
    return sorted((_plain(event) for event in found.values()), key=str)


def _plain(event: Object) -> Object:
    kept = {
        key: event.get(key) for key in ("type", "reason", "message", "action", "count", "source", "reportingComponent")
    }
    message = str(event["message"])
    kept["message"] = re.sub(r"web-[a-z0-9]+(-[a-z0-9]{5})?|[\w-]*events-[\w-]+/|(kwok|worker)-\d", "<name>", message)
    about = {key: bool(value) for key, value in event["involvedObject"].items()}
    times = {key: bool(event.get(key)) for key in ("firstTimestamp", "lastTimestamp", "eventTime", "reportingInstance")}
    return kept | {"involvedObject": about, "kind": event["involvedObject"]["kind"], "times": times}


@pytest.mark.envtest
@pytest.mark.parametrize("spec", [{}, {"nodeSelector": {"disk": "none"}}], ids=["fits", "fits nowhere"])
def test_the_real_one_tells_the_same(comparable: Callable[[Object], list[list[Any]]], spec: Object) -> None:
    simulated, real = comparable(spec)
    assert len(real) == 5
    assert simulated == real


def test_a_series_is_printed_with_its_count_and_its_last_time() -> None:
    event = {
        "metadata": {"name": "p.1"},
        "involvedObject": {"kind": "Pod", "name": "p"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "series": {"count": 7, "lastObservedTime": "2026-01-01T00:10:00.000000Z"},
        "reportingComponent": "default-scheduler",
    }
    cells = PRINTERS["", "events"](event, seconds_of("2026-01-01T00:11:00Z"))
    assert (cells[0], cells[3], cells[5]) == ("60s", "pod/p", "default-scheduler")
    assert cells[-3:] == ["11m", 7, "p.1"]
