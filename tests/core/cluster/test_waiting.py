import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition, Requirement
from projects.core.cluster.exec_channel import execute
from projects.core.cluster.waiting import wait_for
from projects.core.values.errors import ClusterError, Forbidden, NotFound, TimedOut, Unreachable
from tests.core.cluster import faulty_server
from tests.core.cluster.faulty_server import FaultyServer, cut, end, expire, fine, reset, status
from tests.core.cluster.test_api import config_map, pod

TARGET = Target("ConfigMap", "v1", "x", "n")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    with faulty_server.running() as running:
        monkeypatch.setenv("KUBECONFIG", str(running.kubeconfig(tmp_path)))
        yield running


def a_is(value: str) -> Condition:
    return Condition(where=[Requirement("data.a", (value,))])


def soon(act: Any, seconds: float = 0.15) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


@pytest.mark.parametrize(
    "faults",
    [
        [fine, cut],
        [fine, expire],
        [fine, end, end],
        [fine, status(410, "Expired")],
        [fine, reset],
        [fine, cut, expire, fine, reset, cut, end],
        [status(429, Retry_After="0")],
        [status(503), fine, status(503)],
        [status(500), fine, status(504, Retry_After="0")],
        [reset],
    ],
    ids=lambda faults: "-".join(getattr(each, "__name__", "?") for each in faults),
)
def test_a_wait_survives(server: FaultyServer, faults: list[faulty_server.Fault]) -> None:
    server.faults = list(faults)
    server.when_used_up = lambda: server.set(a="done")
    found = wait_for(Cluster(), TARGET, a_is("done"), 60)
    assert found[0]["data"] == {"a": "done"}
    assert not server.faults


def test_a_cut_watch_goes_on_where_it_was(server: FaultyServer) -> None:
    server.faults = [fine, cut]
    server.when_used_up = lambda: server.set(a="done")
    wait_for(Cluster(), TARGET, a_is("done"), 60)
    assert ["watch=true" in path for path in server.requests] == [False, True, True]


def test_an_expired_watch_lists_again(server: FaultyServer) -> None:
    server.faults = [fine, expire]
    server.when_used_up = lambda: server.set(a="done")
    wait_for(Cluster(), TARGET, a_is("done"), 60)
    assert ["watch=true" in path for path in server.requests][:3] == [False, True, False]


def test_what_cannot_be_watched_is_listed(server: FaultyServer) -> None:
    server.verbs = ["get", "list"]
    server.faults = [fine, fine]
    server.when_used_up = lambda: server.set(a="done")
    wait_for(Cluster(), TARGET, a_is("done"), 60)
    assert len(server.requests) >= 2
    assert not [path for path in server.requests if "watch=true" in path]


def test_a_server_that_cannot_watch_after_all(server: FaultyServer) -> None:
    server.faults = [fine, status(405, "MethodNotAllowed")]
    server.when_used_up = lambda: server.set(a="done")
    wait_for(Cluster(), TARGET, a_is("done"), 60)


def test_what_cannot_help_is_not_repeated(server: FaultyServer) -> None:
    server.faults = [status(403, "Forbidden")]
    with pytest.raises(Forbidden, match="told to say 403"):
        Cluster().snapshot(TARGET)
    assert len(server.requests) == 1


def test_repetition_is_bounded(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.core.cluster.patience.PATIENCE", 0.3)
    server.faults = [status(503, Retry_After="0")] * 10_000
    with pytest.raises(Unreachable, match=r"cannot answer \(HTTP 503\): told to say 503"):
        Cluster().snapshot(TARGET)


def test_a_write_that_may_have_happened_is_not_repeated(server: FaultyServer) -> None:
    server.faults = [reset]
    with pytest.raises(Unreachable):
        Cluster().session.json("GET", "/api/v1/namespaces/n/configmaps/x", repeat=False)
    assert len(server.requests) == 1


def test_a_channel_that_is_not_opened_is_asked_for_again(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    monkeypatch.setattr(cluster, "path", lambda _target: "/api/v1/namespaces/n/pods/p")
    server.faults = [status(503), status(500), status(429), status(404)]
    with pytest.raises(NotFound, match="told to say 404"):
        execute(cluster, Target("Pod", "v1", "p", "n"), ["true"], timeout=20)
    assert len(server.requests) == 4
    server.faults = [reset]
    with pytest.raises(Unreachable) as caught:  # the command may be running
        execute(cluster, Target("Pod", "v1", "p", "n"), ["true"], timeout=20)
    assert "may have had its effect" in str(caught.value.hint)


def test_time_out_says_what_was_missing(server: FaultyServer) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        wait_for(Cluster(), TARGET, a_is("done"), 0.4)
    assert time.monotonic() - began > 0.3
    assert str(caught.value) == (
        "timed out after 0.4 s waiting for ConfigMap n/x with data.a done: not yet: n/x (data.a is not set)"
    )
    assert caught.value.exit_code == 4


@pytest.mark.envtest
def test_time_out_names_the_pods_behind_a_deployment(cluster: Cluster, namespace: str) -> None:
    labels = {"app": "stuck"}
    template = {"metadata": {"labels": labels}, "spec": pod("x", namespace, nodeSelector={"no": "such"})["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "stuck", "namespace": namespace}
    cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    # What the message tells was written by the scheduler and by the controllers, a moment after the Deployment was made.
    refused = Condition(where=[Requirement("status.conditions[PodScheduled].status", ("False",))])
    wait_for(cluster, Target("Pod", "v1", namespace=namespace), refused, 60)
    unavailable = Condition(where=[Requirement("status.conditions[Available].status", ("False",))])
    wait_for(cluster, Target("Deployment", "apps/v1", "stuck", namespace), unavailable, 60)
    with pytest.raises(TimedOut) as caught:
        wait_for(cluster, Target("Deployment", "apps/v1", "stuck", namespace), Condition("ready"), 1.5)
    message = str(caught.value)
    assert f"timed out after 1.5 s waiting for Deployment {namespace}/stuck to be ready: not yet" in message
    assert "0 of 1 replicas ready; Available=False (MinimumReplicasUnavailable" in message
    assert "pod stuck-" in message
    assert "PodScheduled=False (Unschedulable: 0/3 nodes are available" in message


@pytest.mark.envtest
def test_waits_on_the_real_control_plane(cluster: Cluster, namespace: str) -> None:
    target = Target("Pod", "v1", "p", namespace)
    timer = soon(lambda: cluster.apply(pod("p", namespace)))
    assert wait_for(cluster, target, Condition("ready"), 60)[0]["status"]["phase"] == "Running"
    timer.join()
    timer = soon(lambda: cluster.delete(target))
    assert wait_for(cluster, target, Condition("absent"), 60) == []
    timer.join()
    nodes = wait_for(cluster, Target("Node"), Condition("ready", count=3), 60)
    assert len(nodes) == 3


@pytest.mark.envtest
def test_a_wait_gives_up_when_it_is_in_vain(cluster: Cluster, namespace: str) -> None:
    cluster.apply(config_map("v", namespace, phase="Bad"))
    condition = Condition(
        where=[Requirement("data.phase", ("Good",))], unless=[Requirement("data.phase", ("Bad",), message="it is bad")]
    )
    with pytest.raises(
        ClusterError,
        match=rf"gave up waiting for ConfigMap {namespace}/v with data.phase Good after \d+ s: {namespace}/v: it is bad",
    ):
        wait_for(cluster, Target("ConfigMap", "v1", "v", namespace), condition, 60)


@pytest.mark.envtest
def test_a_missing_kind_is_no_reason_to_wait(cluster: Cluster) -> None:
    with pytest.raises(NotFound, match="does not serve the kind Machine"):
        wait_for(cluster, Target("Machine"), Condition(), 60)
    assert wait_for(cluster, Target("Machine"), Condition("absent"), 60) == []
    with pytest.raises(TimedOut, match="there is none"):
        wait_for(cluster, Target("Machine"), Condition(), 0.3, await_kind=True)
