"""Versions and machine configuration: upgrades, pools that roll, kubelets that are configured. Seen through HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.behaviours.timings import Timings
from projects.sim_cluster.options import ClusterOptions
from tests.sim_cluster.conftest import make_namespace, talking_to
from tests.sim_cluster.talk import Client, deployment, named, says

VERSION = "/apis/config.openshift.io/v1/clusterversions/version"
OPERATORS = "/apis/config.openshift.io/v1/clusteroperators"
MCO = "/apis/machineconfiguration.openshift.io/v1"
POOL = f"{MCO}/machineconfigpools/worker"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """An OpenShift of its own: what these tests change, others rely on."""
    settings = Settings(timings=Timings(operator_update=6, node_reboot=12))
    with talking_to(ClusterOptions(settings=settings, nodes=2)) as client:
        yield client


def condition(obj: Any, kind: str) -> Any:
    return next((each for each in obj["status"]["conditions"] if each["type"] == kind), {"status": None})


def is_updated(pool: Any) -> bool:
    return bool(
        condition(pool, "Updated")["status"] == "True"
        and pool["status"]["configuration"]["name"] == pool["spec"]["configuration"]["name"]
    )


def version_of(client: Client, path: str) -> str:
    """Return from which version on to watch an object: what happens to it may be over before a watch begins."""
    return str(client.get(named(*path.rsplit("/", 1)))["metadata"]["resourceVersion"])


def seen_until(client: Client, path: str, since: str, done: Any) -> list[Any]:
    """Return every state of an object that a watch from a version shows until one is as it should be."""
    begins = f"&watch=1&resourceVersion={since}&timeoutSeconds=100"
    states = []
    for event in client.watch(f"{named(*path.rsplit('/', 1))}{begins}", timeout=120):
        states.append(event["object"])
        if done(event["object"]):
            return states
    raise AssertionError(f"{path} ended as {states[-1]['status']}")


def test_a_cluster_at_rest_stays_as_it_was_installed(cluster: Client) -> None:
    before = [cluster.get(path)["metadata"]["resourceVersion"] for path in (VERSION, POOL)]
    space = make_namespace(cluster, "at-rest")
    cluster.post(f"/apis/apps/v1/namespaces/{space}/deployments", deployment("web", space, 1))
    cluster.until(
        f"/apis/apps/v1/namespaces/{space}/deployments/web", lambda obj: obj["status"].get("readyReplicas") == 1
    )
    assert [cluster.get(path)["metadata"]["resourceVersion"] for path in (VERSION, POOL)] == before


def test_what_is_not_offered_is_refused_in_words(cluster: Client) -> None:
    cluster.merge(VERSION, {"spec": {"desiredUpdate": {"version": "4.99.0"}}})
    found = cluster.until(VERSION, lambda obj: condition(obj, "Invalid")["status"] == "True")
    assert 'spec.desiredUpdate.version: Invalid value: "4.99.0"' in condition(found, "Invalid")["message"]
    cluster.merge(VERSION, {"spec": {"desiredUpdate": None}})
    cluster.until(VERSION, lambda obj: condition(obj, "Invalid")["status"] == "False")


def test_a_channel_offers_updates(cluster: Client) -> None:
    offered = [each["version"] for each in cluster.get(VERSION)["status"]["availableUpdates"]]
    assert offered == ["4.20.6", "4.20.5", "4.20.4"]
    cluster.merge(VERSION, {"spec": {"channel": "fast-4.21"}})
    cluster.until(VERSION, lambda obj: obj["status"]["availableUpdates"][0]["version"] == "4.21.2")
    cluster.merge(VERSION, {"spec": {"channel": "stable-4.20"}})
    cluster.until(VERSION, lambda obj: obj["status"]["availableUpdates"][0]["version"] == "4.20.6")


def test_a_kubelet_config_rolls_its_pool_node_by_node(cluster: Client) -> None:
    space = make_namespace(cluster, "rolled")
    cluster.post(f"/apis/apps/v1/namespaces/{space}/deployments", deployment("web", space, 4))
    cluster.until(
        f"/apis/apps/v1/namespaces/{space}/deployments/web", lambda obj: obj["status"].get("readyReplicas") == 4
    )
    before, since = cluster.get(POOL)["spec"]["configuration"]["name"], version_of(cluster, POOL)
    selector = {"matchLabels": {"pools.operator.machineconfiguration.openshift.io/worker": ""}}
    spec = {"machineConfigPoolSelector": selector, "kubeletConfig": {"maxPods": 500}}
    cluster.post(
        f"{MCO}/kubeletconfigs",
        {
            "apiVersion": "machineconfiguration.openshift.io/v1",
            "kind": "KubeletConfig",
            "metadata": {"name": "more"},
            "spec": spec,
        },
    )
    cluster.until(
        f"{MCO}/kubeletconfigs/more", lambda obj: "status" in obj and condition(obj, "Success")["status"] == "True"
    )
    states = seen_until(
        cluster, POOL, since, lambda obj: obj["spec"]["configuration"]["name"] != before and is_updated(obj)
    )
    assert max(each["status"]["unavailableMachineCount"] for each in states) == 1
    assert any(condition(each, "Updating")["status"] == "True" for each in states)
    nodes = cluster.get("/api/v1/nodes")["items"]
    assert {node["status"]["allocatable"]["pods"] for node in nodes} == {"500"}
    assert not any(node["spec"].get("unschedulable") for node in nodes)
    cluster.until(
        f"/apis/apps/v1/namespaces/{space}/deployments/web", lambda obj: obj["status"].get("readyReplicas") == 4
    )
    cluster.ask("DELETE", f"{MCO}/kubeletconfigs/more")
    cluster.until(POOL, lambda obj: obj["spec"]["configuration"]["name"] == before and is_updated(obj))
    assert {node["status"]["allocatable"]["pods"] for node in cluster.get("/api/v1/nodes")["items"]} == {"250"}


def test_a_kubelet_config_without_a_pool_says_so(cluster: Client) -> None:
    spec = {"machineConfigPoolSelector": {"matchLabels": {"no": "pool"}}, "kubeletConfig": {"maxPods": 1}}
    cluster.post(
        f"{MCO}/kubeletconfigs",
        {
            "apiVersion": "machineconfiguration.openshift.io/v1",
            "kind": "KubeletConfig",
            "metadata": {"name": "lost"},
            "spec": spec,
        },
    )
    found = cluster.until(f"{MCO}/kubeletconfigs/lost", lambda obj: "status" in obj)
    assert "could not find any MachineConfigPool" in found["status"]["conditions"][0]["message"]


def test_a_paused_pool_waits(cluster: Client) -> None:
    paused = cluster.merge(POOL, {"spec": {"paused": True}})["metadata"]["generation"]
    cluster.until(POOL, says("observedGeneration", paused))  # whoever plays the pool hears of what comes next elsewhere
    role = {"machineconfiguration.openshift.io/role": "worker"}
    spec = {"config": {"ignition": {"version": "3.4.0"}}, "kernelArguments": ["nosmt"]}
    made = {
        "apiVersion": "machineconfiguration.openshift.io/v1",
        "kind": "MachineConfig",
        "metadata": {"name": "99-nosmt", "labels": role},
        "spec": spec,
    }
    cluster.post(f"{MCO}/machineconfigs", made)
    found = cluster.until(POOL, lambda obj: condition(obj, "Updated")["status"] == "False")
    assert condition(found, "Updating")["status"] == "False"
    rendered = cluster.get(f"{MCO}/machineconfigs/{found['spec']['configuration']['name']}")
    assert rendered["spec"]["kernelArguments"] == ["nosmt"]
    assert found["status"]["updatedMachineCount"] == 0
    cluster.merge(POOL, {"spec": {"paused": False}})
    cluster.until(POOL, is_updated)


def test_an_upgrade_goes_through_the_operators_and_then_the_nodes(cluster: Client) -> None:
    since = version_of(cluster, VERSION)
    cluster.merge(VERSION, {"spec": {"desiredUpdate": {"version": "4.20.5"}}})
    states = seen_until(
        cluster,
        VERSION,
        since,
        lambda obj: (
            obj["status"]["history"][0]["version"] == "4.20.5" and obj["status"]["history"][0]["state"] == "Completed"
        ),
    )
    messages = [condition(each, "Progressing")["message"] for each in states]
    assert any("Working towards 4.20.5: 10 of 21 done (47% complete), waiting on" in message for message in messages)
    assert messages[-1] == "Cluster version is 4.20.5"
    assert any(each["status"]["history"][0]["state"] == "Partial" for each in states)
    for operator in cluster.get(OPERATORS)["items"]:
        assert (operator["status"]["versions"][0]["version"], condition(operator, "Progressing")["status"]) == (
            "4.20.5",
            "False",
        )
    assert {node["status"]["nodeInfo"]["kubeletVersion"] for node in cluster.get("/api/v1/nodes")["items"]} == {
        "v1.33.7"
    }
    assert [each["version"] for each in cluster.get(VERSION)["status"]["history"]] == ["4.20.5", "4.20.3"]
