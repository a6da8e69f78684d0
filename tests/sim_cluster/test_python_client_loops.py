"""What the Kubernetes client for Python keeps running: watches, informers, leader election, exec. On both APIs."""

import asyncio
import contextlib
import datetime as dt
import gc
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from kubernetes import aio, config, dynamic, stream, utils, watch
from kubernetes import client as typed
from kubernetes.informer import SharedInformer

from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.talk import DEFINITIONS, Client, config_map, deployment


@pytest.fixture
def connection(either: Client) -> Iterator[Any]:
    with config.new_client_from_config(str(either.kubeconfig)) as made:
        yield made


@pytest.fixture
def space(either: Client, new_name: Callable[[str], str]) -> Iterator[str]:
    name = make_namespace(either, new_name("loops"))
    yield name
    either.ask("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def core(connection: Any) -> Any:
    return typed.CoreV1Api(connection)


def seen(events: Iterator[Any], count: int) -> list[tuple[str, str]]:
    return [(event["type"], event["object"].metadata.name) for event in islice(events, count)]


def test_a_watch_goes_on_where_it_ended(core: Any, space: str) -> None:
    start = core.list_namespaced_config_map(space).metadata.resource_version
    core.create_namespaced_config_map(space, config_map("a"))
    loop = watch.Watch()
    events = loop.stream(core.list_namespaced_config_map, space, resource_version=start, timeout_seconds=60)
    assert seen(events, 1) == [("ADDED", "a")]
    loop.stop()
    core.patch_namespaced_config_map("a", space, {"data": {"b": "2"}})
    core.create_namespaced_config_map(space, config_map("b"))
    core.delete_namespaced_config_map("a", space)
    events = loop.stream(
        core.list_namespaced_config_map, space, resource_version=loop.resource_version, timeout_seconds=60
    )
    assert seen(events, 3) == [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    events.close()


def test_a_watch_without_a_version_begins_with_what_is_there(core: Any, space: str) -> None:
    events = watch.Watch().stream(core.list_namespaced_config_map, space, timeout_seconds=60)
    assert seen(events, 1) == [("ADDED", "kube-root-ca.crt")]
    core.create_namespaced_config_map(space, config_map("next"))
    assert seen(events, 1) == [("ADDED", "next")]
    events.close()


def test_the_server_ends_a_watch_and_the_client_takes_it_up_again(core: Any, space: str) -> None:
    """Without a timeout of its own, `Watch.stream` asks again whenever the server hangs up."""
    loop, found = watch.Watch(), []
    core.create_namespaced_config_map(space, config_map("first"))
    since = core.list_namespaced_config_map(space).metadata.resource_version
    asked = []

    def listed(namespace: str, **options: Any) -> Any:
        asked.append(options.get("resource_version"))
        if len(asked) == 2:
            core.create_namespaced_config_map(space, config_map("second"))
        return core.list_namespaced_config_map(namespace, **options, timeout_seconds=1)

    listed.__doc__ = core.list_namespaced_config_map.__doc__
    for event in loop.stream(listed, space, resource_version=since):
        found.append((event["type"], event["raw_object"]["metadata"]["name"]))
        loop.stop()
    assert found == [("ADDED", "second")]
    assert len(asked) >= 2
    assert asked[0] == since


def test_a_version_that_is_forgotten(either: Client, connection: Any, new_name: Callable[[str], str]) -> None:
    """What was before a kind was served nobody knows; the client asks once more by itself, then gives up."""
    group = f"{new_name('g')}.example.dev"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    definition = {
        "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]},
    }  # fmt: skip
    either.define(definition)
    try:
        custom = typed.CustomObjectsApi(connection)
        assert custom.list_cluster_custom_object(group, "v1", "things")["items"] == []  # may be told to come again
        for options in ({}, {"timeout_seconds": 5}):
            with pytest.raises(typed.ApiException) as caught:
                list(
                    watch.Watch().stream(
                        custom.list_cluster_custom_object, group, "v1", "things", resource_version="1", **options
                    )
                )
            assert caught.value.status == 410
            assert str(caught.value.reason).startswith("Expired: too old resource version: 1 (")
    finally:
        either.ask("DELETE", f"{DEFINITIONS}/things.{group}")


def test_a_version_that_is_none(core: Any, space: str) -> None:
    with pytest.raises(typed.ApiException) as caught:
        list(watch.Watch().stream(core.list_namespaced_config_map, space, resource_version="x", timeout_seconds=5))
    assert caught.value.status == 500  # so says the real one, too


def test_selected_events(core: Any, space: str) -> None:
    since = core.list_namespaced_config_map(space).metadata.resource_version
    core.create_namespaced_config_map(space, config_map("m"))
    core.patch_namespaced_config_map("m", space, {"metadata": {"labels": {"on": "yes"}}})
    core.patch_namespaced_config_map("m", space, {"data": {"more": "1"}})
    core.patch_namespaced_config_map("m", space, {"metadata": {"labels": {"on": "no"}}})
    events = watch.Watch().stream(
        core.list_namespaced_config_map, space, label_selector="on=yes", resource_version=since, timeout_seconds=60
    )
    assert seen(events, 3) == [("ADDED", "m"), ("MODIFIED", "m"), ("DELETED", "m")]
    events.close()


def test_logs_are_followed(core: Any, space: str) -> None:
    core.create_namespaced_pod(
        space, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    )
    for event in watch.Watch().stream(core.list_namespaced_pod, space, timeout_seconds=60):
        if event["object"].status.phase == "Running":
            break
    assert core.read_namespaced_pod("p", space).status.container_statuses[0].ready


def test_an_informer_knows_what_there_is(core: Any, space: str) -> None:
    told: list[tuple[str, str]] = []
    arrived = threading.Condition()

    def hear(kind: str) -> Callable[[Any], None]:
        def note(obj: Any) -> None:
            with arrived:
                told.append((kind, obj.metadata.name if hasattr(obj, "metadata") else obj["metadata"]["name"]))
                arrived.notify_all()

        return note

    def heard(*wanted: tuple[str, str]) -> bool:
        with arrived:
            return arrived.wait_for(lambda: set(wanted) <= set(told), 60)

    core.create_namespaced_config_map(space, config_map("early"))
    informer = SharedInformer(core.list_namespaced_config_map, namespace=space)
    for kind in ("ADDED", "MODIFIED", "DELETED"):
        informer.add_event_handler(kind, hear(kind))
    informer.start()
    try:
        assert heard(("ADDED", "early"))
        core.create_namespaced_config_map(space, config_map("late"))
        core.patch_namespaced_config_map("late", space, {"data": {"x": "y"}})
        core.delete_namespaced_config_map("early", space)
        assert heard(("ADDED", "late"), ("MODIFIED", "late"), ("DELETED", "early"))
        assert {each.metadata.name for each in informer.cache.list()} == {"kube-root-ca.crt", "late"}
    finally:
        informer.stop()


CANDIDATE = """
import sys, threading
from kubernetes import config
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock import configmaplock, leaselock
_, kubeconfig, lock, namespace, name = sys.argv
config.load_kube_config(kubeconfig)
made = {"lease": leaselock.LeaseLock, "configmap": configmaplock.ConfigMapLock}[lock]("leader", namespace, name)
def lead():
    print("leading", flush=True)
    threading.Event().wait()
leaderelection.LeaderElection(electionconfig.Config(
    made, lease_duration=3, renew_deadline=2, retry_period=1, onstarted_leading=lead, onstopped_leading=None)).run()
"""


@contextlib.contextmanager
def candidate(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", CANDIDATE, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


@pytest.mark.parametrize("lock", ["lease", "configmap"])
def test_who_leads_is_followed_when_it_dies(lock: str, either: Client, space: str) -> None:
    with (
        candidate(either.kubeconfig, lock, space, "first") as first,
        candidate(either.kubeconfig, lock, space, "second") as second,
    ):
        assert first.stdout is not None
        assert second.stdout is not None
        readable, _, _ = select.select([first.stdout, second.stdout], [], [], 120)
        leader, follower = (first, second) if first.stdout in readable else (second, first)
        assert leader.stdout is not None
        assert follower.stdout is not None
        assert leader.stdout.readline() == "leading\n"
        leader.kill()
        assert follower.stdout.readline() == "leading\n"
        name = "first" if follower is first else "second"
        if lock == "lease":
            assert (
                either.get(f"/apis/coordination.k8s.io/v1/namespaces/{space}/leases/leader")["spec"]["holderIdentity"]
                == name
            )
        else:
            record = either.get(f"/api/v1/namespaces/{space}/configmaps/leader")["metadata"]["annotations"]
            assert name in record["control-plane.alpha.kubernetes.io/leader"]


def test_dynamic_watch_apply_scale_and_status(connection: Any, space: str) -> None:
    api = dynamic.DynamicClient(connection)
    deployments = api.resources.get(api_version="apps/v1", kind="Deployment")
    deployments.create(deployment("d", space, 1), namespace=space)
    for event in deployments.watch(namespace=space, timeout=60):
        if event["object"].status.readyReplicas == 1:
            break
    scaled = deployments.scale.patch(
        name="d", namespace=space, body={"spec": {"replicas": 3}}, content_type="application/merge-patch+json"
    )
    assert (scaled.kind, scaled.spec.replicas) == ("Scale", 3)
    shown = deployments.status.get(name="d", namespace=space)
    assert shown.kind == "Deployment"
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 2}}
    with pytest.raises(dynamic.exceptions.ConflictError) as caught:
        deployments.server_side_apply(body, name="d", namespace=space, field_manager="other")
    assert 'Apply failed with 1 conflict: conflict with "' in caught.value.summary()
    assert ".spec.replicas" in caught.value.summary()
    with pytest.raises(dynamic.exceptions.UnprocessibleEntityError):
        deployments.patch(
            body={"spec": {"replicas": -1}}, name="d", namespace=space, content_type="application/merge-patch+json"
        )
    assert [each.kind for each in api.resources.search(kind="Deployment", group="apps")] == [
        "Deployment",
        "DeploymentList",
    ][:1]


def test_files_are_made_into_objects(connection: Any, space: str, tmp_path: Path, core: Any) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(
        f"kind: ConfigMap\napiVersion: v1\nmetadata: {{name: one}}\n---\nkind: ServiceAccount\napiVersion: v1\nmetadata: {{name: two, namespace: {space}}}\n"
    )
    utils.create_from_yaml(connection, str(path), namespace=space)
    assert core.read_namespaced_config_map("one", space).metadata.name == "one"
    with pytest.raises(utils.FailToCreateError, match="AlreadyExists"):
        utils.create_from_yaml(connection, str(path), namespace=space)


# The client closes its TLS connections without waiting for their end; they are collected here, not in somebody else's test.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_asynchronous_client(either: Client, space: str) -> None:
    async def run() -> list[tuple[str, str]]:
        await aio.config.load_kube_config(str(either.kubeconfig))
        async with aio.client.ApiClient() as made:
            core = aio.client.CoreV1Api(made)
            await core.create_namespaced_config_map(space, config_map("m"))
            found = []
            async with aio.watch.Watch() as loop:
                async for event in loop.stream(core.list_namespaced_config_map, space, timeout_seconds=60):
                    found.append((event["type"], event["object"].metadata.name))
                    if len(found) == 2:
                        await core.delete_namespaced_config_map("m", space)
                    if event["type"] == "DELETED":
                        return found
        return found

    seen = asyncio.run(run())
    gc.collect()
    assert seen == [("ADDED", "kube-root-ca.crt"), ("ADDED", "m"), ("DELETED", "m")]


def test_typed_errors_say_what_the_server_says(core: Any, space: str) -> None:
    with pytest.raises(typed.ApiException) as caught:
        core.create_namespaced_config_map(space, {"metadata": {"name": "Bad_Name"}})
    assert (caught.value.status, caught.value.reason) == (422, "Unprocessable Entity")
    assert 'ConfigMap \\"Bad_Name\\" is invalid: metadata.name' in caught.value.body


def test_times_are_times(core: Any, space: str) -> None:
    made = core.create_namespaced_config_map(space, config_map("m")).metadata.creation_timestamp
    assert made.tzinfo is not None
    assert isinstance(made, dt.datetime)


def test_exec_in_a_container(kubernetes_kubeconfig: Path, client: Client, namespace: str) -> None:
    """Only on the simulated API: KWOK's nodes have nothing that runs."""
    with config.new_client_from_config(str(kubernetes_kubeconfig)) as connection:
        core = typed.CoreV1Api(connection)
        core.create_namespaced_pod(
            namespace, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        )
        client.until(f"/api/v1/namespaces/{namespace}/pods/p", lambda pod: pod["status"]["phase"] == "Running")
        socket = stream.stream(core.connect_get_namespaced_pod_exec, "p", namespace, command=["echo", "hello"], stdout=True, stderr=True,
                               _preload_content=False)  # fmt: skip
        socket.run_forever(timeout=60)
        assert socket.returncode is not None
        socket.close()
        socket.sock.shutdown()  # which close leaves out when the server has closed first
