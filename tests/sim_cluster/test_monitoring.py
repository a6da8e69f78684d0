"""Prometheus' API of a simulated OpenShift, through the service proxy: series of pods and nodes that are there."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from projects.sim_cluster.options import ClusterOptions
from tests.sim_cluster.conftest import make_namespace, talking_to
from tests.sim_cluster.machine_sets import add_machine_set
from tests.sim_cluster.talk import Client, says

API = "/api/v1/namespaces/openshift-monitoring/services/https:thanos-querier:9091/proxy/api/v1"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """An OpenShift of its own, with one GPU node."""
    with talking_to(ClusterOptions(nodes=2)) as client:
        yield client


def ask(client: Client, what: str, **parameters: Any) -> Any:
    answer = client.ask("GET", f"{API}/{what}?{urlencode(parameters, doseq=True)}")
    assert answer.status == 200, answer.text
    assert answer.body["status"] == "success"
    return answer.body["data"]


def values(client: Client, query: str) -> dict[str, float]:
    found = ask(client, "query", query=query)["result"]
    return {
        ",".join(f"{key}={value}" for key, value in sorted(each["metric"].items())): float(each["value"][1])
        for each in found
    }


def is_measured(client: Client, query: str, expected: dict[str, float]) -> None:
    """Wait until a query has a value: what measures hears of a change when everybody else does, in no order."""
    for _ in range(60):
        if values(client, query) == expected:
            return
        client.get(f"/sim/clock?until={client.get('/sim/clock')['now'] + 5}")
    assert values(client, query) == expected


def workload(client: Client, space: str, name: str, replicas: int) -> None:
    resources = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    client.post(f"/apis/apps/v1/namespaces/{space}/deployments", {"metadata": {"name": name}, "spec": spec})
    client.until(
        f"/apis/apps/v1/namespaces/{space}/deployments/{name}",
        lambda obj: obj.get("status", {}).get("readyReplicas") == replicas,
    )


def test_pods_are_counted_and_asked_for_what_they_request(cluster: Client, new_name: Callable[[str], str]) -> None:
    space = make_namespace(cluster, new_name("counted"))
    workload(cluster, space, "web", 3)
    is_measured(cluster, f'sum by (phase) (kube_pod_status_phase{{namespace="{space}"}} == 1)', {"phase=Running": 3})
    assert values(cluster, f'sum(kube_pod_container_resource_requests{{namespace="{space}",resource="cpu"}})') == {
        "": 1.5
    }
    assert values(
        cluster, f'count(kube_pod_info{{namespace="{space}"}} * on (node) group_left (role) kube_node_role)'
    ) == {"": 3}
    cluster.ask("DELETE", f"/apis/apps/v1/namespaces/{space}/deployments/web")
    cluster.gone(f"/api/v1/namespaces/{space}/pods?labelSelector=app%3Dweb")
    is_measured(cluster, f'count(kube_pod_info{{namespace="{space}"}})', {})


def test_usage_follows_requests_and_has_a_past(cluster: Client, new_name: Callable[[str], str]) -> None:
    space = make_namespace(cluster, new_name("used"))
    workload(cluster, space, "busy", 2)
    now = ask(cluster, "query", query="time()")["result"][0]
    chosen, later = f'namespace="{space}"', now + 240
    while cluster.get(f"/sim/clock?until={later}")["now"] < later:
        continue  # four minutes are four seconds here
    data = ask(
        cluster,
        "query_range",
        query=f"sum(rate(container_cpu_usage_seconds_total{{{chosen}}}[2m]))",
        start=later - 60,
        end=later,
        step=15,
    )
    assert data["resultType"] == "matrix"
    points = [float(value) for _, value in data["result"][0]["values"]]
    assert len(points) == 5
    assert all(0.4 < value < 0.8 for value in points)  # 60 % of two halves of a core, in waves
    memory = values(cluster, f"avg(container_memory_working_set_bytes{{{chosen}}}) / 1024^3")
    assert 0.4 < memory[""] < 0.8


def test_nodes_are_there_with_what_they_have(cluster: Client) -> None:
    is_measured(cluster, 'count(kube_node_status_condition{condition="Ready",status="true"} == 1)', {"": 2})
    assert values(cluster, 'sum(kube_node_status_capacity{resource="cpu"})') == {"": 8}
    free = values(cluster, "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes")
    assert len(free) == 2
    assert all(0.5 < value < 1 for value in free.values())
    targets = ask(cluster, "targets")["activeTargets"]
    assert {each["labels"]["job"] for each in targets} == {"kubelet", "kube-state-metrics", "node-exporter"}
    assert {each["health"] for each in targets} == {"up"}


def test_names_and_labels_are_listed(cluster: Client) -> None:
    names = ask(cluster, "label/__name__/values")
    assert {"up", "kube_pod_info", "DCGM_FI_DEV_GPU_UTIL"} <= set(names)
    assert ask(cluster, "label/role/values", **{"match[]": "kube_node_role"}) == ["worker"]
    assert {"__name__", "node", "role"} <= set(ask(cluster, "labels", **{"match[]": "kube_node_role"}))
    assert len(ask(cluster, "series", **{"match[]": "kube_node_info"})) == 2
    assert ask(cluster, "metadata")["container_cpu_usage_seconds_total"][0]["type"] == "counter"


@pytest.mark.parametrize(("what", "parameters", "code", "kind", "said"), [
    ("query", {"query": "sum("}, 400, "bad_data", "1:5: parse error"),
    ("query", {}, 400, "bad_data", 'invalid parameter "query"'),
    ("query", {"query": "histogram_quantile(0.9, up)"}, 422, "execution", "the simulated Prometheus does not support the function histogram_quantile()"),
    ("query_range", {"query": "up", "start": 0, "end": 1e6, "step": 1}, 400, "bad_data", "exceeded maximum resolution"),
    ("query_range", {"query": "up", "start": 10, "end": 1, "step": 1}, 400, "bad_data", "end timestamp must not be before start time"),
])  # fmt: skip
def test_errors_are_prometheus_own(
    cluster: Client, what: str, parameters: dict[str, Any], code: int, kind: str, said: str
) -> None:
    answer = cluster.ask("GET", f"{API}/{what}?{urlencode(parameters)}")
    assert (answer.status, answer.body["status"], answer.body["errorType"]) == (code, "error", kind)
    assert said in answer.body["error"]


def test_a_query_may_be_a_form_and_a_path_must_be_known(cluster: Client) -> None:
    form = urlencode({"query": "1 + 1"}).encode()
    answer = cluster.ask("POST", f"{API}/query", form, "application/x-www-form-urlencoded")
    assert answer.body["data"]["result"][1] == "2"
    assert cluster.ask("GET", f"{API}/nothing").status == 404
    assert cluster.ask("GET", f"{API}/query?query=1", token="nonsense").status == 401


def test_gpus_are_measured_where_the_exporter_runs(cluster: Client) -> None:
    path = add_machine_set(cluster, "gpus", instance_type="g5.12xlarge")
    cluster.until(path, says("readyReplicas", 1))
    assert values(cluster, "DCGM_FI_DEV_GPU_UTIL") == {}
    node = cluster.get("/api/v1/nodes?labelSelector=node.kubernetes.io%2Finstance-type%3Dg5.12xlarge")["items"][0][
        "metadata"
    ]["name"]
    cluster.merge(
        f"/api/v1/nodes/{node}/status",
        {"status": {"capacity": {"nvidia.com/gpu": "4"}, "allocatable": {"nvidia.com/gpu": "4"}}},
    )
    space = make_namespace(cluster, "measured")
    for name, labels, limits in (
        ("exporter", {"app": "nvidia-dcgm-exporter"}, {}),
        ("train", {}, {"limits": {"nvidia.com/gpu": "2"}}),
    ):
        pod = {
            "metadata": {"name": name, "labels": labels},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i", "resources": limits}]},
        }
        cluster.post(f"/api/v1/namespaces/{space}/pods", pod)
        cluster.until(f"/api/v1/namespaces/{space}/pods/{name}", lambda obj: obj["status"].get("phase") == "Running")
    is_measured(cluster, "count by (modelName) (DCGM_FI_DEV_GPU_UTIL)", {"modelName=NVIDIA A10G": 4})
    is_measured(cluster, 'count(DCGM_FI_DEV_GPU_UTIL{exported_pod="train"} > 30)', {"": 2})
    assert values(cluster, 'max(DCGM_FI_DEV_GPU_UTIL{exported_pod=""})') == {"": 0}
    assert values(cluster, "DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE == 23028") != {}
