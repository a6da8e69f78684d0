"""The Kubernetes client for Python, typed and dynamic, against the simulated cluster."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as typed
from kubernetes import config, dynamic, watch

from tests.sim_cluster.talk import config_map, deployment


@pytest.fixture
def connection(kubernetes_kubeconfig: Path) -> Iterator[Any]:
    made = config.new_client_from_config(str(kubernetes_kubeconfig))
    yield made
    made.close()


def test_typed_client(connection: Any, namespace: str) -> None:
    apps, core = typed.AppsV1Api(connection), typed.CoreV1Api(connection)
    apps.create_namespaced_deployment(namespace, deployment("d", namespace, 2))
    for event in watch.Watch().stream(apps.list_namespaced_deployment, namespace, timeout_seconds=60):
        if event["object"].status.ready_replicas == 2:
            break
    pods = core.list_namespaced_pod(namespace, label_selector="app=d").items
    assert [pod.status.phase for pod in pods] == ["Running", "Running"]
    assert core.read_namespaced_pod_log(pods[0].metadata.name, namespace)
    apps.patch_namespaced_deployment_scale("d", namespace, {"spec": {"replicas": 0}})
    assert apps.read_namespaced_deployment_scale("d", namespace).spec.replicas in {0, None}
    core.delete_collection_namespaced_config_map(namespace)
    with pytest.raises(typed.ApiException) as caught:
        core.read_namespaced_pod("nope", namespace)
    assert (caught.value.status, caught.value.reason) == (404, "Not Found")


def test_dynamic_client(connection: Any, namespace: str) -> None:
    api = dynamic.DynamicClient(connection)
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(config_map("a"), namespace=namespace)
    applied = maps.server_side_apply(
        config_map("a", {"b": "2"}), name="a", namespace=namespace, field_manager="test", force_conflicts=True
    )
    assert applied.data.to_dict() == {"a": "1", "b": "2"}
    assert {item.metadata.name for item in maps.get(namespace=namespace).items} == {"a", "kube-root-ca.crt"}
    with pytest.raises(dynamic.exceptions.ConflictError):
        maps.replace({**config_map("a"), "metadata": {"name": "a", "resourceVersion": "1"}}, namespace=namespace)
    maps.delete(name="a", namespace=namespace)
    with pytest.raises(dynamic.exceptions.NotFoundError):
        maps.get(name="a", namespace=namespace)


def test_pages_through_the_client(connection: Any, namespace: str) -> None:
    core = typed.CoreV1Api(connection)
    for number in range(7):
        core.create_namespaced_config_map(namespace, config_map(f"m{number}"))
    found, token = [], None
    while True:
        page = core.list_namespaced_config_map(namespace, limit=3, _continue=token)
        found += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert found == ["kube-root-ca.crt", *(f"m{number}" for number in range(7))]
