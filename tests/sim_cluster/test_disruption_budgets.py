"""Budgets, and what they let an eviction do, over HTTP."""

from typing import Any

import pytest

from tests.sim_cluster.talk import Answer, Client, deployment


def budget(client: Client, namespace: str, **spec: Any) -> str:
    made = {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"app": "d"}}, **spec}}
    client.post(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets", made)
    return f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets/b"


def two_pods(client: Client, namespace: str) -> list[str]:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    client.post(path, deployment("d", namespace, 2))
    client.until(f"{path}/d", lambda found: found["status"].get("readyReplicas") == 2)
    return [pod["metadata"]["name"] for pod in client.get(f"/api/v1/namespaces/{namespace}/pods")["items"]]


def evict(client: Client, namespace: str, name: str, named: str = "", query: str = "") -> Answer:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": named or name, "namespace": namespace}}
    return client.ask("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction{query}", body)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 2}, (2, 2, 0)),
        ({"minAvailable": 1}, (2, 1, 1)),
        ({"minAvailable": "50%"}, (2, 1, 1)),
        ({"maxUnavailable": 1}, (2, 1, 1)),
        ({"maxUnavailable": "100%"}, (2, 0, 2)),
    ],
)
def test_what_a_budget_allows(client: Client, namespace: str, spec: dict[str, Any], expected: tuple[int, ...]) -> None:
    two_pods(client, namespace)
    path = budget(client, namespace, **spec)
    status = client.until(path, lambda found: found.get("status", {}).get("currentHealthy") == 2)["status"]
    assert (status["expectedPods"], status["desiredHealthy"], status["disruptionsAllowed"]) == expected
    state = ("True", "SufficientPods") if expected[2] else ("False", "InsufficientPods")
    assert [(each["status"], each["reason"]) for each in status["conditions"]] == [state]


def test_an_eviction_is_taken_off_the_budget(client: Client, namespace: str) -> None:
    pods = two_pods(client, namespace)
    path = budget(client, namespace, minAvailable=1)
    client.until(path, lambda found: found.get("status", {}).get("disruptionsAllowed") == 1)
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"  # so that no pod takes the place of the first at once
    client.post(quotas, {"metadata": {"name": "full"}, "spec": {"hard": {"pods": "1"}}})
    client.until(f"{quotas}/full", lambda found: found.get("status", {}).get("used") == {"pods": "2"})
    assert evict(client, namespace, pods[0], query="?dryRun=All").status == 201
    assert evict(client, namespace, pods[0]).status == 201
    refused = evict(client, namespace, pods[1])
    assert refused.status == 429
    assert refused.body["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    assert refused.body["details"]["causes"][0]["reason"] == "DisruptionBudget"
    client.ask("DELETE", f"{quotas}/full")
    client.until(path, lambda found: found["status"]["disruptionsAllowed"] == 1)
    assert evict(client, namespace, pods[1]).status == 201


def test_evictions_that_make_no_sense(client: Client, namespace: str) -> None:
    pods = two_pods(client, namespace)
    assert evict(client, namespace, "none").status == 404
    wrong = evict(client, namespace, pods[0], named="other")
    assert (wrong.status, wrong.body["message"]) == (400, "name in URL does not match name in Eviction object")
