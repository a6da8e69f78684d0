"""What goes wrong behind the API, as a client sees it."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from projects.sim_cluster.behaviours.conditions import condition
from projects.sim_cluster.behaviours.timestamps import seconds_of
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.machine_sets import add_machine_set, machines_of
from tests.sim_cluster.olm import OLM, group, install, subscribe
from tests.sim_cluster.scenarios.clusters import eventually, going_through, struck
from tests.sim_cluster.talk import Client, config_map, says

GPU_TYPE = "g5.2xlarge"


def faults(do: str, **more: Any) -> str:
    return json.dumps({"faults": {"cluster": [{"do": do, **more}]}})


def namespace(client: Client, name: str = "mine") -> str:
    client.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def machine_set(client: Client, instance_type: str, replicas: int = 1) -> list[str]:
    """Make a MachineSet of a machine type; return the paths of its machines."""
    path = add_machine_set(client, "more", replicas, instance_type=instance_type)
    eventually(client, path, says("replicas", replicas))
    return machines_of(client, "more")


def is_ready(node: Any, status: str) -> bool:
    return bool(condition(node, "Ready").get("status") == status)


def lost_nodes(listed: Any) -> list[str]:
    return [node["metadata"]["name"] for node in listed["items"] if is_ready(node, "Unknown")]


def test_a_node_is_lost_and_returns(tmp_path: Path) -> None:
    with going_through(tmp_path, faults("node-lost", returns_after="20m"), nodes=3, speed=600) as client:
        # From the first version on: it may be over before anybody looks.
        states = (
            event["object"] for event in client.watch("/api/v1/nodes?watch=1&resourceVersion=1&timeoutSeconds=60")
        )
        lost = next(node for node in states if is_ready(node, "Unknown"))
        assert condition(lost, "DiskPressure")["status"] == "Unknown"
        name = lost["metadata"]["name"]
        assert next(node for node in states if node["metadata"]["name"] == name and is_ready(node, "True"))
        assert struck(client) == {"node-lost": 1}


@pytest.mark.parametrize("seed", range(3))
def test_the_seed_says_which_nodes_are_lost(tmp_path: Path, seed: int) -> None:
    lost = []
    for _ in range(2):
        with going_through(tmp_path, faults("node-lost", count=2), nodes=5, seed=seed) as client:
            listed = eventually(client, "/api/v1/nodes", lambda listed: len(lost_nodes(listed)) == 2)
            lost.append(lost_nodes(listed))
    assert lost[0] == lost[1]


def test_a_namespace_is_stuck_for_a_while(tmp_path: Path) -> None:
    with going_through(tmp_path, faults("namespace-stuck", lasts="2m"), speed=120) as client:
        path = f"/api/v1/namespaces/{namespace(client)}"
        held = f"{path}/configmaps/kube-root-ca.crt"
        eventually(client, held, lambda obj: obj["metadata"].get("finalizers"))
        since = client.get("/api/v1/namespaces")["metadata"]["resourceVersion"]
        client.ask("DELETE", path)
        states = (event["object"] for event in client.watch(
            f"/api/v1/namespaces?watch=1&resourceVersion={since}&timeoutSeconds=60"))  # fmt: skip
        stuck = next(obj for obj in states if condition(obj, "NamespaceFinalizersRemaining").get("status") == "True")
        assert (
            "rehearsal.foresail.io/stuck in 1 resource instances"
            in condition(stuck, "NamespaceFinalizersRemaining")["message"]
        )
        eventually(client, path, lambda obj: obj.get("code") == 404)
        assert struck(client) == {"namespace-stuck": 1}


def test_the_clusters_own_namespaces_are_left_alone(tmp_path: Path) -> None:
    with going_through(tmp_path, faults("quota-reached", hard={"configmaps": "1"})) as client:
        path = f"/api/v1/namespaces/{namespace(client)}"
        eventually(client, "/sim/faults", lambda told: told["struck"] == 1)
        eventually(
            client,
            f"{path}/resourcequotas/quota-reached",
            lambda obj: (obj.get("status") or {}).get("used", {}).get("configmaps") == "1",
        )
        refused = client.ask("POST", f"{path}/configmaps", config_map("mine"))
        assert refused.status == 403
        assert "exceeded quota: quota-reached" in refused.body["message"]
        assert client.get("/api/v1/resourcequotas")["items"][0]["metadata"]["namespace"] == "mine"
        assert len(client.get("/api/v1/resourcequotas")["items"]) == 1


@pytest.mark.parametrize("fails", [False, True])
def test_the_cloud_has_no_machine_of_a_type(tmp_path: Path, fails: bool) -> None:
    text = faults("no-capacity", instance_types=["g5.*"], fails=fails)
    with going_through(tmp_path, text, platform="openshift", speed=600) as client:
        (machine,) = machine_set(client, GPU_TYPE)
        told = eventually(client, machine, lambda obj: (obj.get("status") or {}).get("providerStatus"))
        message = told["status"]["providerStatus"]["conditions"][0]["message"]
        assert "InsufficientInstanceCapacity: We currently do not have sufficient g5.2xlarge capacity" in message
        assert told["status"]["phase"] == ("Failed" if fails else "Provisioning")
        assert struck(client) == {"no-capacity": 1}


def test_capacity_comes_back_and_other_types_have_it(tmp_path: Path) -> None:
    text = faults("no-capacity", instance_types=["g5.*"], lasts="20m")
    with going_through(tmp_path, text, platform="openshift", speed=1200) as client:
        (machine,) = machine_set(client, GPU_TYPE)
        eventually(client, machine, says("phase", "Running"))
        assert struck(client) == {"no-capacity": 1}


def test_an_operator_gets_stuck(tmp_path: Path) -> None:
    text = faults("operator-stuck", operators=["example-*"])
    with going_through(tmp_path, text, platform="openshift", speed=600) as client:
        group(client, namespace(client))
        subscribe(client, "mine")
        eventually(client, "/sim/faults", lambda told: told["struck"] == 1)
        versions = client.get(f"{OLM}/v1alpha1/namespaces/mine/clusterserviceversions")["items"]
        assert [csv["status"]["phase"] for csv in versions] == ["Installing"]


def test_an_install_plan_fails(tmp_path: Path) -> None:
    with going_through(tmp_path, faults("install-plan-failed"), platform="openshift", speed=600) as client:
        group(client, namespace(client))
        subscribe(client, "mine")
        plans = f"{OLM}/v1alpha1/namespaces/mine/installplans"
        eventually(client, plans, lambda listed: listed["items"] and says("phase", "Failed")(listed["items"][0]))
        assert struck(client) == {"install-plan-failed": 1}


def test_what_is_openshifts_cannot_befall_kubernetes(tmp_path: Path) -> None:
    with going_through(tmp_path, faults("no-capacity")) as client:
        assert struck(client) == {"no-capacity": 0}


def pod(name: str) -> Any:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


def test_a_node_is_lost_once_something_runs_on_it(tmp_path: Path) -> None:
    text = faults("node-lost", once_runs={"names": ["wanted"]}, after="1s")
    with going_through(tmp_path, text, nodes=3) as client:
        pods = f"/api/v1/namespaces/{namespace(client)}/pods"
        client.post("/api/v1/namespaces/default/pods", pod("wanted"))
        client.post(pods, pod("other"))
        client.until(f"{pods}/other", lambda obj: condition(obj, "Ready").get("status") == "True")
        assert struck(client) == {"node-lost": 0}
        client.post(pods, pod("wanted"))
        on = client.until(f"{pods}/wanted", lambda obj: obj["spec"].get("nodeName"))["spec"]["nodeName"]
        assert lost_nodes(eventually(client, "/api/v1/nodes", lost_nodes)) == [on]
        eventually(
            client, f"{pods}/wanted", lambda obj: obj.get("code") == 404 or obj["metadata"].get("deletionTimestamp")
        )


@pytest.mark.parametrize("after", ["1m", 0])
def test_a_lost_node_is_taken_away_with_what_ran_on_it(tmp_path: Path, after: str | int) -> None:
    with going_through(tmp_path, faults("node-lost", once_runs={}, removed_after=after), nodes=2) as client:
        pods = f"/api/v1/namespaces/{namespace(client)}/pods"
        client.post(pods, pod("alone"))
        eventually(client, f"{pods}/alone", lambda obj: obj.get("code") == 404)
        client.post(pods, pod("next"))
        client.until(f"{pods}/next", lambda obj: condition(obj, "Ready").get("status") == "True")
        assert len(client.get("/api/v1/nodes")["items"]) == 1
        assert struck(client) == {"node-lost": 1}


def waiting_for(reason: str, obj: Any) -> bool:
    statuses = (obj.get("status") or {}).get("containerStatuses") or [{}]
    state = statuses[0].get("state") or {}
    last = statuses[0].get("lastState") or {}
    return reason in {(each or {}).get("reason") for each in (*state.values(), *last.values())}


@pytest.mark.parametrize(("do", "reason"), [
    ("image-pull-failure", "ImagePullBackOff"), ("crash-loop", "CrashLoopBackOff"), ("out-of-memory", "OOMKilled"),
])  # fmt: skip
def test_containers_do_not_run(tmp_path: Path, do: str, reason: str) -> None:
    text = faults(do, pods={"namespaces": ["mine"], "names": ["hurt*"]}, count=1)
    with going_through(tmp_path, text, speed=300) as client:
        pods = f"/api/v1/namespaces/{namespace(client)}/pods"
        client.post(pods, pod("hurt"))
        eventually(client, f"{pods}/hurt", partial(waiting_for, reason))
        for name in ("spared", "hurt-too"):
            client.post(pods, pod(name))
            eventually(client, f"{pods}/{name}", partial(is_ready, status="True"))
        assert struck(client) == {do: 1}


def test_a_pod_never_gets_ready(tmp_path: Path) -> None:
    with going_through(tmp_path, faults("never-ready", images=["hurt:*"]), speed=300) as client:
        pods = f"/api/v1/namespaces/{namespace(client)}/pods"
        hurt = pod("hurt")
        hurt["spec"]["containers"][0]["image"] = "hurt:1"
        client.post(pods, hurt)
        client.post(pods, pod("spared"))
        eventually(client, f"{pods}/spared", partial(is_ready, status="True"))
        found = eventually(client, f"{pods}/hurt", lambda obj: (obj.get("status") or {}).get("phase") == "Running")
        assert is_ready(found, "False")
        assert struck(client) == {"never-ready": 1}


def test_the_clock_of_the_server_is_off(tmp_path: Path) -> None:
    with going_through(tmp_path, faults("clock-skew", seconds=-7200)) as client:
        now = client.get("/sim/clock")["now"]
        client.post("/api/v1/namespaces/default/configmaps", config_map("mine"))
        answer = client.ask("GET", "/api/v1/namespaces/default/configmaps/mine")
        made = seconds_of(answer.body["metadata"]["creationTimestamp"])
        assert abs(now - 7200 - made) < 1800
        assert answer.headers["date"].count("GMT") == 1
        assert abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - made) < 1800
        client.post("/api/v1/namespaces/default/pods", pod("mine"))
        eventually(client, "/api/v1/namespaces/default/pods/mine", partial(is_ready, status="True"))
        assert struck(client) == {"clock-skew": 1}


def test_gpus_fall_off(tmp_path: Path) -> None:
    shape = {"nodes": 1, "machines": [{"type": "p5.48xlarge"}]}
    text = json.dumps({"shape": shape, "faults": {"cluster": [{"do": "gpu-lost", "gpus": 2}]}})
    with going_through(tmp_path, text, platform="openshift", nodes=None, speed=600) as client:
        for name, source, space, kinds in (
            ("nfd", "redhat-operators", "openshift-nfd", "namespaces/openshift-nfd/nodefeaturediscoveries"),
            ("gpu-operator-certified", "certified-operators", "nvidia-gpu-operator", "clusterpolicies"),
        ):
            csv = install(client, make_namespace(client, space), name=name, source=source, channel="stable")
            example = json.loads(csv["metadata"]["annotations"]["alm-examples"])[0]
            client.post(f"/apis/{example['apiVersion']}/{kinds}", example)
        (node,) = client.get("/api/v1/nodes?labelSelector=node.kubernetes.io%2Finstance-type%3Dp5.48xlarge")["items"]
        path = f"/api/v1/nodes/{node['metadata']['name']}"
        status = eventually(client, path, lambda obj: obj["status"]["allocatable"].get("nvidia.com/gpu") == "6")[
            "status"
        ]
        assert status["capacity"]["nvidia.com/gpu"] == "8"
        assert struck(client) == {"gpu-lost": 1}
