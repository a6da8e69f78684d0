"""The behaviours' interface keeps its promises wherever it is implemented: in process, over HTTP, over HTTP on a real API."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.sim_cluster.api.certificates import Certificate
from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.interface import Batch, Cluster, Object, RefusedError, Resource
from projects.sim_cluster.behaviours.resources import (
    CONFIG_MAPS,
    CUSTOM_RESOURCES,
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    PODS,
)
from projects.sim_cluster.clock import RunningClock
from projects.sim_cluster.cluster import SimulatedCluster
from projects.sim_cluster.in_process import InProcessCluster
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.over_http import watching
from projects.sim_cluster.over_http.cluster import HttpCluster
from projects.sim_cluster.over_http.connection import Access, Connection
from projects.sim_cluster.over_http.stamps import Stamps
from projects.sim_cluster.running import running_cluster
from tests.sim_cluster.scenarios.clusters import scenario_options
from tests.sim_cluster.talk import config_map, deployment

Opened = Callable[[], AbstractAsyncContextManager[Cluster]]
Play = Callable[[Callable[[Cluster, str], Awaitable[None]]], None]
SECONDS = 90


def access_of(kubeconfig: Path) -> Access:
    document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    authority, certificate, key = (
        base64.b64decode(where[name])
        for where, name in (
            (cluster, "certificate-authority-data"), (user, "client-certificate-data"), (user, "client-key-data"),
        )
    )  # fmt: skip
    return Access(cluster["server"], authority, Certificate(certificate, key))


@asynccontextmanager
async def over_http(kubeconfig: Path) -> AsyncIterator[Cluster]:
    clock = RunningClock(1)
    async with Connection(access_of(kubeconfig)) as api:
        yield HttpCluster(api, clock, Stamps(clock), "tester")


@asynccontextmanager
async def in_process() -> AsyncIterator[Cluster]:
    cluster = SimulatedCluster(ClusterOptions(platform="kubernetes", nodes=1))
    cluster.runtime.start()
    try:
        yield InProcessCluster(cluster.api, cluster.clock, "tester")
    finally:
        await cluster.runtime.stop()


@pytest.fixture(params=["in process", "over HTTP", pytest.param("on a real API", marks=pytest.mark.envtest)])
def opened(request: pytest.FixtureRequest) -> Opened:
    if request.param == "in process":
        return in_process
    name = "kubernetes_kubeconfig" if request.param == "over HTTP" else "judge_kubeconfig"
    kubeconfig = request.getfixturevalue(name)
    return lambda: over_http(kubeconfig)


@pytest.fixture
def play(opened: Opened, new_name: Callable[[str], str]) -> Play:
    """Play a script on a cluster, in a namespace of its own that takes pods."""
    space = new_name("contract")

    async def played(script: Callable[[Cluster, str], Awaitable[None]]) -> None:
        async with opened() as cluster, asyncio.timeout(SECONDS):
            await cluster.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
            await until(cluster, Resource("", "v1", "serviceaccounts"), space, "default")
            await script(cluster, space)

    return lambda script: asyncio.run(played(script))


async def until(
    cluster: Cluster, resource: Resource, namespace: str, name: str, accept: Callable[[Object], Any] = lambda _: True
) -> Object:
    """Watch until an object is as wanted."""
    async with aclosing(_watch(cluster, resource)) as batches:
        return await _next(batches, namespace, name, accept)


async def _next(
    batches: AsyncGenerator[Batch, None], namespace: str, name: str, accept: Callable[[Object], Any]
) -> Object:
    async for batch in batches:
        for happening in batch:
            metadata = happening.object["metadata"]
            if (metadata.get("namespace", ""), metadata["name"]) == (namespace, name) and accept(happening.object):
                return happening.object
    raise AssertionError("the watch ended")


async def _watch(cluster: Cluster, resource: Resource) -> AsyncGenerator[Batch, None]:
    async for batch in cluster.watch(resource):
        yield batch


def named(name: str, space: str, data: dict[str, str] | None = None, **metadata: Any) -> Object:
    return config_map(name, data, namespace=space, **metadata)


async def served(cluster: Cluster, resource: Resource) -> None:
    """Wait until a kind that is established is served: the real API takes a moment."""
    while True:
        try:
            await cluster.list(resource)
        except RefusedError:
            await cluster.sleep(0.05)
        else:
            return


async def refused(asked: Awaitable[Any]) -> str:
    with pytest.raises(RefusedError) as caught:
        await asked
    assert str(caught.value)
    return caught.value.reason


def test_what_is_created_is_listed_whole(play: Play) -> None:
    async def script(cluster: Cluster, space: str) -> None:
        made = await cluster.create(CONFIG_MAPS, named("a", space, {"k": "v"}, labels={"app": "x"}))
        assert (made["kind"], made["data"]) == ("ConfigMap", {"k": "v"})
        generated = await cluster.create(
            CONFIG_MAPS,
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "g-", "namespace": space}},
        )
        assert generated["metadata"]["name"].startswith("g-")
        listed = await cluster.list(CONFIG_MAPS, space)
        assert {obj["metadata"]["name"] for obj in listed} >= {"a", generated["metadata"]["name"]}
        assert {(obj["apiVersion"], obj["kind"]) for obj in listed} == {("v1", "ConfigMap")}
        assert [obj["metadata"]["uid"] for obj in await cluster.list(CONFIG_MAPS, space, "app=x")] == [
            made["metadata"]["uid"]
        ]
        assert made["metadata"]["uid"] in {
            obj["metadata"]["uid"] for obj in await cluster.list(CONFIG_MAPS, "", "app=x")
        }
        assert made["metadata"]["managedFields"][0]["manager"] == "tester"
        assert await cluster.list(NODES)

    play(script)


def test_refusals_carry_their_reason(play: Play) -> None:
    async def script(cluster: Cluster, space: str) -> None:
        await cluster.create(CONFIG_MAPS, named("a", space))
        assert await refused(cluster.create(CONFIG_MAPS, named("a", space))) == "AlreadyExists"
        assert await refused(cluster.create(CONFIG_MAPS, named("Not_A_Name", space))) == "Invalid"
        assert await refused(cluster.patch(CONFIG_MAPS, space, "b", {"data": {}})) == "NotFound"
        assert await refused(cluster.delete(CONFIG_MAPS, space, "b")) == "NotFound"
        assert await refused(cluster.list(Resource("no.such", "v1", "things"))) == "NotFound"
        stale = {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}
        assert await refused(cluster.patch(CONFIG_MAPS, space, "a", stale)) == "Conflict"
        assert await refused(cluster.create(CONFIG_MAPS, named("a", f"{space}-not"))) == "NotFound"

    play(script)


def test_patches_merge(play: Play) -> None:
    async def script(cluster: Cluster, space: str) -> None:
        await cluster.create(CONFIG_MAPS, named("a", space, {"stays": "1", "goes": "2"}))
        patched = await cluster.patch(CONFIG_MAPS, space, "a", {"data": {"goes": None, "comes": "3"}})
        assert patched["data"] == {"stays": "1", "comes": "3"}

    play(script)


def test_subresources_are_patched(play: Play) -> None:
    async def script(cluster: Cluster, space: str) -> None:
        web = deployment("web", space, 0)
        web["spec"]["paused"] = True
        await cluster.create(DEPLOYMENTS, web)
        condition = {"type": "Told", "status": "True", "reason": "R", "message": "m"}
        told = await cluster.patch(
            DEPLOYMENTS, space, "web", {"status": {"conditions": [condition]}, "spec": {"replicas": 9}}, "status"
        )
        assert told["spec"]["replicas"] == 0
        assert "Told" in {entry["type"] for entry in told["status"]["conditions"]}
        spec = {"schedulerName": "nobody", "containers": [{"name": "c", "image": "registry.invalid/c:1"}]}
        await cluster.create(
            PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": space}, "spec": spec}
        )
        node = (await cluster.list(NODES))[0]["metadata"]["name"]
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p", "namespace": space},
                   "target": {"apiVersion": "v1", "kind": "Node", "name": node}}  # fmt: skip
        bound = await cluster.patch(PODS, space, "p", binding, "binding")
        assert (bound["kind"], bound["spec"]["nodeName"]) == ("Pod", node)
        finalized = await cluster.patch(
            NAMESPACES, "", space, {"spec": {"finalizers": ["kubernetes", "a.b/c"]}}, "finalize"
        )
        assert finalized["spec"]["finalizers"] == ["kubernetes", "a.b/c"]
        await cluster.patch(NAMESPACES, "", space, {"spec": {"finalizers": ["kubernetes"]}}, "finalize")

    play(script)


def test_deletes_have_preconditions_and_grace(play: Play) -> None:
    async def script(cluster: Cluster, space: str) -> None:
        made = await cluster.create(CONFIG_MAPS, named("a", space))
        assert await refused(cluster.delete(CONFIG_MAPS, space, "a", uid="another")) == "Conflict"
        await cluster.delete(CONFIG_MAPS, space, "a", uid=made["metadata"]["uid"])
        assert await refused(cluster.delete(CONFIG_MAPS, space, "a")) == "NotFound"
        spec = {"containers": [{"name": "c", "image": "registry.invalid/c:1"}]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": space, "finalizers": ["a.b/c"]},
            "spec": spec,
        }
        await cluster.create(PODS, pod)
        async with aclosing(
            _watch(cluster, PODS)
        ) as batches:  # a kubelet may be done with it before another would begin
            await _next(batches, space, "p", lambda obj: obj["spec"].get("nodeName"))
            await cluster.delete(PODS, space, "p", grace_seconds=77)
            going = await _next(batches, space, "p", lambda obj: obj["metadata"].get("deletionTimestamp"))
        assert going["metadata"]["deletionGracePeriodSeconds"] in {77, 0}  # 0: its kubelet was done already
        try:
            await cluster.patch(PODS, space, "p", {"metadata": {"finalizers": None}})
        except RefusedError as error:
            if error.reason != "NotFound":  # the kubelet's last delete may come between
                raise

    play(script)


def test_a_watch_tells_what_is_there_and_then_what_happens_in_order(play: Play) -> None:
    async def script(cluster: Cluster, space: str) -> None:
        for number in range(5):
            await cluster.create(CONFIG_MAPS, named(f"old-{number}", space))
        seen: list[tuple[str, str]] = []
        async with aclosing(_watch(cluster, CONFIG_MAPS)) as batches:
            async for batch in batches:
                fresh = [(each.type, each.object["metadata"]["name"]) for each in batch
                         if each.object["metadata"]["namespace"] == space and each.object["metadata"]["name"] != "kube-root-ca.crt"]  # fmt: skip
                assert all(each.object["kind"] == "ConfigMap" for each in batch)
                if not seen:
                    assert sorted(fresh) == [("ADDED", f"old-{number}") for number in range(5)]
                    await cluster.create(CONFIG_MAPS, named("new", space))
                    await cluster.patch(CONFIG_MAPS, space, "new", {"data": {"b": "2"}})
                    await cluster.delete(CONFIG_MAPS, space, "old-3")
                    await cluster.delete(CONFIG_MAPS, space, "new")
                    await cluster.create(CONFIG_MAPS, named("last", space))
                seen += fresh
                if ("ADDED", "last") in seen:
                    break
        assert seen[5:] == [
            ("ADDED", "new"),
            ("MODIFIED", "new"),
            ("DELETED", "old-3"),
            ("DELETED", "new"),
            ("ADDED", "last"),
        ]

    play(script)


def test_a_watch_of_what_is_not_served_is_refused(play: Play) -> None:
    async def script(cluster: Cluster, _space: str) -> None:
        async def first() -> None:
            async for _ in cluster.watch(Resource("no.such", "v1", "things")):
                return

        assert await refused(first()) == "NotFound"

    play(script)


def test_a_watch_of_what_goes_out_of_service_ends(play: Play, new_name: Callable[[str], str]) -> None:
    group = f"{new_name('contract')}.example"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "scope": "Cluster", "names": {"plural": "things", "kind": "Thing"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]},
    }  # fmt: skip
    things = Resource(group, "v1", "things")

    async def script(cluster: Cluster, _space: str) -> None:
        await cluster.create(CUSTOM_RESOURCES, definition)
        await until(cluster, CUSTOM_RESOURCES, "", f"things.{group}", lambda obj: is_true(obj, "Established"))
        await served(cluster, things)
        await cluster.create(things, {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "one"}})
        seen: list[str] = []
        async with aclosing(_watch(cluster, things)) as batches:
            async for batch in batches:
                if not seen:
                    await cluster.delete(CUSTOM_RESOURCES, "", f"things.{group}")
                seen += [each.type for each in batch]
                if "DELETED" in seen:
                    break
        assert (seen[0], seen[-1]) == ("ADDED", "DELETED")

    play(script)


def test_time_passes(play: Play) -> None:
    async def script(cluster: Cluster, _space: str) -> None:
        before = cluster.now()
        await cluster.sleep(0.01)
        assert cluster.now() >= before + 0.01

    play(script)


def test_lists_come_in_pages(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_PAGE", "2")

    async def script(cluster: Cluster, space: str) -> None:
        for number in range(5):
            await cluster.create(CONFIG_MAPS, named(f"m-{number}", space, labels={"paged": "yes"}))
        names = [obj["metadata"]["name"] for obj in await cluster.list(CONFIG_MAPS, space, "paged=yes")]
        assert names == [f"m-{number}" for number in range(5)]

    play(script)


TROUBLE = """
description: Everything that a client of the API has to live with.
faults:
  api:
    - {do: watch-cut, events: 1, times: {every: 2}, requests: {verbs: [watch]}}
    - {do: expired, times: {every: 5}, requests: {verbs: [watch]}}
    - {do: expired, in_stream: true, times: {every: 7}, requests: {verbs: [watch]}}
    - {do: too-many-requests, retry_after: 0, probability: 0.2}
    - {do: unavailable, probability: 0.1}
    - {do: server-error, probability: 0.1, requests: {verbs: [get, list, patch]}}
    - {do: reset, probability: 0.1, requests: {verbs: [get, list, patch]}}
"""


async def follow(cluster: Cluster, known: dict[str, str], last: str) -> None:
    """Keep what is known of the config maps of `default` as a watch tells it, until the last one is there."""
    async for batch in cluster.watch(CONFIG_MAPS):
        for each in batch:
            metadata = each.object["metadata"]
            if metadata["namespace"] != "default":
                continue
            assert (metadata["uid"] in known) == (each.type != "ADDED"), (each.type, metadata["name"])
            known[metadata["uid"]] = metadata["resourceVersion"]
            if each.type == "DELETED":
                del known[metadata["uid"]]
            if metadata["name"] == last:
                return


async def work(cluster: Cluster) -> None:
    for number in range(30):
        await cluster.create(CONFIG_MAPS, named(f"m-{number}", "default"))
        await cluster.patch(CONFIG_MAPS, "default", f"m-{number}", {"data": {"b": str(number)}})
        if number % 3 == 0:
            await cluster.delete(CONFIG_MAPS, "default", f"m-{number}")
    await cluster.create(CONFIG_MAPS, named("the-end", "default"))


def test_nothing_is_missed_while_the_api_fails(tmp_path: Path) -> None:
    """What a watch has told is what the cluster is in the end, and each object came and went once."""

    async def played(kubeconfig: Path) -> None:
        async with over_http(kubeconfig) as cluster, asyncio.timeout(SECONDS * 3):
            known: dict[str, str] = {}
            await asyncio.gather(follow(cluster, known, "the-end"), work(cluster))
            there = await cluster.list(CONFIG_MAPS, "default")
            assert known == {obj["metadata"]["uid"]: obj["metadata"]["resourceVersion"] for obj in there}
            assert len(known) > 20

    with running_cluster(scenario_options(tmp_path, TROUBLE)) as running:
        asyncio.run(played(running.kubeconfig))
