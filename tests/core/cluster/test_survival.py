"""An orchestration does not notice what happens to its requests: proved through a proxy that hurts them, on both clusters."""

from __future__ import annotations

import os
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition, Requirement
from projects.core.cluster.kubeconfig import Access, load_access
from projects.core.cluster.session import disconnect
from projects.core.cluster.waiting import wait_for
from projects.core.execution.cancellation import CancelToken
from projects.core.execution.warm import WarmHost
from projects.core.values.errors import ForesailError, Invalid, NotFound, Unreachable
from tests.conftest import RealCluster
from tests.core.cluster import fault_proxy
from tests.core.cluster.fault_proxy import (
    ALL,
    Fault,
    FaultProxy,
    answer_lost,
    body_cut,
    done_but_failed,
    reset,
    too_many,
)
from tests.core.cluster.test_api import config_map
from tests.core.execution.requests import events_of, make_request
from tests.simulated import simulated_cluster
from tests.soaking import say, trials

ROLE = """
- name: Apply
  foresail.core.apply:
    manifest:
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: "{{ probe_namespace }}"}, data: {a: "1"}}
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: server, namespace: "{{ probe_namespace }}"}
        spec:
          replicas: 2
          selector: {matchLabels: {app: server}}
          template:
            metadata: {labels: {app: server}}
            spec: {containers: [{name: c, image: "registry.invalid/c:1", args: [one]}]}

- name: Wait
  foresail.core.wait:
    kind: Deployment
    api_version: apps/v1
    name: server
    namespace: "{{ probe_namespace }}"
    until: ready
    timeout: 60

- name: Patch
  foresail.core.patch:
    kind: ConfigMap
    name: settings
    namespace: "{{ probe_namespace }}"
    patch: {data: {a: null, b: "2"}}

- name: Wait for what another one writes when this has begun to watch
  foresail.core.wait:
    kind: ConfigMap
    name: settings
    namespace: "{{ probe_namespace }}"
    where: [{path: data.c, equals: "3"}]
    timeout: 60

- name: Add to a list
  foresail.core.patch:
    kind: Deployment
    api_version: apps/v1
    name: server
    namespace: "{{ probe_namespace }}"
    type: json
    patch: [{op: add, path: /spec/template/spec/containers/0/args/-, value: two}]
  register: added

- name: Read
  foresail.core.get:
    kind: ConfigMap
    name: settings
    namespace: "{{ probe_namespace }}"
    required: true
  register: settings

- name: Judge
  ansible.builtin.assert:
    that:
      - "settings.object.data == {'b': '2', 'c': '3'}"
      - added.object.spec.template.spec.containers[0].args == ['one', 'two']

- name: Delete
  foresail.core.delete:
    kind: "{{ item.kind }}"
    api_version: "{{ item.version }}"
    name: "{{ item.name }}"
    namespace: "{{ probe_namespace }}"
    timeout: 60
  loop:
    - {kind: Deployment, version: apps/v1, name: server}
    - {kind: ConfigMap, version: v1, name: settings}
"""
_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Given:
    """A cluster with a namespace."""

    access: Access
    namespace: str
    direct: Cluster


@pytest.fixture(scope="session")
def simulated_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a simulated cluster."""
    with simulated_cluster(tmp_path_factory.mktemp("survival") / "cluster") as kubeconfig:
        yield kubeconfig


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.envtest)])
def given(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    """Each of the two clusters, with a namespace of the test's own."""
    if request.param == "real":
        real: RealCluster = request.getfixturevalue("real_cluster")
        kubeconfig = real.kubeconfig
    else:
        kubeconfig = request.getfixturevalue("simulated_kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    direct = Cluster()
    namespace = f"survival-{uuid.uuid4().hex[:12]}"
    direct.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    return Given(load_access(), namespace, direct)


@pytest.fixture(scope="module")
def host() -> Iterator[WarmHost]:
    host = WarmHost()
    host.start()
    yield host
    host.stop()


def through(proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    disconnect()
    monkeypatch.setenv("KUBECONFIG", str(proxy.kubeconfig(tmp_path)))
    return Cluster()


def run_role(host: WarmHost, proxy: FaultProxy, given: Given, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "KUBECONFIG": str(proxy.kubeconfig(tmp_path)),
        "FORESAIL_CACHE_DIR": str(tmp_path / "own-cache"),
    }
    request = make_request(tmp_path, ROLE, {"namespace": given.namespace}, environment=environment)
    heard: list[str] = []
    status = host.run(request, CancelToken(), heard.append)
    assert status == 0, "".join(heard)
    bad = ("failed", "ignored", "retry", "unreachable")
    assert not [event for event in events_of(request) if event["outcome"].startswith(bad)]


def write_when_watched(proxy: FaultProxy, given: Given) -> None:
    """Change what the role waits for, once it watches it."""
    assert proxy.config_maps_are_watched.wait(_SECONDS)
    given.direct.patch(Target("ConfigMap", "v1", "settings", given.namespace), {"data": {"c": "3"}})


@pytest.mark.soak
def test_a_role_does_not_notice(given: Given, host: WarmHost, tmp_path: Path) -> None:
    hurt, asked, count = Counter[str](), 0, trials(2, 40)
    for trial in range(count):
        directory = tmp_path / str(trial)
        directory.mkdir()
        turned = {kind: faults[trial % len(faults) :] + faults[: trial % len(faults)] for kind, faults in ALL.items()}
        with fault_proxy.in_front_of(given.access, 2 + trial % 3, **turned) as proxy:
            other = threading.Thread(target=write_when_watched, args=(proxy, given))
            other.start()
            run_role(host, proxy, given, directory)
            other.join()
        hurt += proxy.done
        asked += sum(proxy.seen.values())
        assert given.direct.objects(Target("ConfigMap", "v1", "settings", given.namespace)) == []
        assert given.direct.objects(Target("Deployment", "apps/v1", "server", given.namespace)) == []
    assert hurt.total() >= 8 * count
    assert any(name.startswith("watch") for name in hurt)
    say(f"survival: {count} roles passed, {asked} requests of which {hurt.total()} were hurt: {dict(hurt)}")


@pytest.mark.parametrize("fault", fault_proxy.WATCHES, ids=lambda fault: fault.__name__)
def test_a_wait_survives(given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    target = Target("ConfigMap", "v1", "awaited", given.namespace)
    given.direct.apply(config_map("awaited", given.namespace, a="1"))

    def change_when_watched(proxy: FaultProxy) -> None:
        assert proxy.config_maps_are_watched.wait(_SECONDS)
        given.direct.patch(target, {"data": {"a": "done"}})

    with fault_proxy.in_front_of(given.access, 1, watches=_first([fault])) as proxy:
        change = threading.Thread(target=change_when_watched, args=(proxy,))
        cluster = through(proxy, tmp_path, monkeypatch)
        change.start()
        found = wait_for(cluster, target, Condition(where=[Requirement("data.a", ("done",))]), 60)
        change.join()
    assert found[0]["data"] == {"a": "done"}
    assert proxy.done[fault.__name__] == 1


@pytest.mark.parametrize("fault", fault_proxy.READS, ids=lambda fault: fault.__name__)
def test_a_read_survives(given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    given.direct.apply(config_map("x", given.namespace, a="1"))
    with fault_proxy.in_front_of(given.access, 2, reads=[fault]) as proxy:
        cluster = through(proxy, tmp_path, monkeypatch)
        target = Target("ConfigMap", "v1", "x", given.namespace)
        for _ in range(2):
            assert cluster.read(target)["data"] == {"a": "1"}
            assert "x" in [
                each["metadata"]["name"]
                for each in cluster.objects(Target("ConfigMap", "v1", namespace=given.namespace))
            ]
    assert proxy.done[fault.__name__] >= 2


@pytest.mark.parametrize("fault", fault_proxy.WRITES, ids=lambda fault: fault.__name__)
def test_a_write_survives_and_is_done_once(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    target = Target("Deployment", "apps/v1", "d", given.namespace)
    add = [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "two"}]
    with fault_proxy.in_front_of(given.access, 1, writes=_first([fault])) as proxy:
        cluster = through(proxy, tmp_path, monkeypatch)
        assert cluster.apply(deployment(given.namespace)).changed
        proxy.turns["writes"] = _first([fault])
        change = cluster.patch(target, add, kind="json")
        assert change.after["spec"]["template"]["spec"]["containers"][0]["args"] == ["one", "two"]  # type: ignore[index]
        proxy.turns["writes"] = _first([fault])
        assert cluster.patch(target, {"spec": {"replicas": 3}}).after["spec"]["replicas"] == 3  # type: ignore[index]
        now = given.direct.read(target)
        assert now["spec"]["template"]["spec"]["containers"][0]["args"] == ["one", "two"]
        assert now["metadata"]["generation"] == 3
        proxy.turns["writes"] = _first([fault])
        assert cluster.delete(target) is not None
    assert proxy.done[fault.__name__] == 4
    with pytest.raises(NotFound):
        given.direct.read(target)


def deployment(namespace: str) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "d"}},
        "spec": {"containers": [{"name": "c", "image": "registry.invalid/c:1", "args": ["one"]}]},
    }
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    metadata = {"name": "d", "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _first(faults: list[Fault]) -> Any:
    """Each of these once; then all passes unhurt."""
    return iter([*faults, *[fault_proxy.Handler.forward] * 1000])


def created(given: Given) -> list[str]:
    chosen = Target("ConfigMap", "v1", namespace=given.namespace, labels="made=here")
    return [each["metadata"]["name"] for each in given.direct.objects(chosen)]


def post(cluster: Cluster, given: Given) -> Any:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-", "labels": {"made": "here"}}}
    return cluster.session.json("POST", f"/api/v1/namespaces/{given.namespace}/configmaps", body=manifest)


@pytest.mark.parametrize("fault", [answer_lost, body_cut, done_but_failed], ids=lambda fault: fault.__name__)
def test_a_creation_that_may_have_been_is_not_done_twice(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    with fault_proxy.in_front_of(given.access, 1, writes=[fault]) as proxy:
        cluster = through(proxy, tmp_path, monkeypatch)
        with pytest.raises(ForesailError) as caught:
            post(cluster, given)
    assert "may have had its effect" in str(caught.value.hint)
    assert proxy.done[fault.__name__] == 1
    assert len(created(given)) == 1


def test_a_creation_that_was_not_begun_is_sent_again(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fault_proxy.in_front_of(given.access, 1, writes=_first([too_many, too_many])) as proxy:
        post(through(proxy, tmp_path, monkeypatch), given)
    assert proxy.done["too_many"] == 2
    assert len(created(given)) == 1


def test_a_list_of_operations_for_an_object_that_others_change(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer comes in between: before the patch arrives, and after it was made but its answer was lost."""
    target = Target("ConfigMap", "v1", "x", given.namespace)
    given.direct.apply(config_map("x", given.namespace, a="1"))
    add = [{"op": "add", "path": "/data/b", "value": "2"}]

    def overtaken(handler: fault_proxy.Handler) -> None:
        given.direct.patch(target, {"data": {"c": "3"}})
        handler.forward()

    def overtaken_after(handler: fault_proxy.Handler) -> None:
        with handler.answered() as answer:
            answer.read()
        given.direct.patch(target, {"data": {"d": "4"}})
        handler.reset()

    def undone_after(handler: fault_proxy.Handler) -> None:
        with handler.answered() as answer:
            answer.read()
        given.direct.patch(target, {"data": {"f": "another"}})
        handler.reset()

    with fault_proxy.in_front_of(given.access, 1, writes=_first([overtaken])) as proxy:
        cluster = through(proxy, tmp_path, monkeypatch)
        assert cluster.patch(target, add, kind="json").after["data"] == {"a": "1", "b": "2", "c": "3"}  # type: ignore[index]
        proxy.turns["writes"] = _first([reset, reset, answer_lost])
        cluster.patch(target, [{"op": "replace", "path": "/data/b", "value": "5"}], kind="json")
        assert given.direct.read(target)["data"] == {"a": "1", "b": "5", "c": "3"}
        proxy.turns["writes"] = _first([overtaken_after])
        cluster.patch(target, [{"op": "add", "path": "/data/e", "value": "6"}], kind="json")
        proxy.turns["writes"] = _first([undone_after])
        with pytest.raises(Unreachable):
            cluster.patch(target, [{"op": "add", "path": "/data/f", "value": "7"}], kind="json")
        with pytest.raises(Invalid):
            cluster.patch(target, [{"op": "test", "path": "/data/a", "value": "other"}], kind="json")
    assert given.direct.read(target)["data"] == {"a": "1", "b": "5", "c": "3", "d": "4", "e": "6", "f": "another"}


def test_deleting_what_was_made_anew_meanwhile(given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("ConfigMap", "v1", "x", given.namespace)
    given.direct.apply(config_map("x", given.namespace, a="old"))

    def made_anew(handler: fault_proxy.Handler) -> None:
        with handler.answered() as answer:
            answer.read()
        given.direct.apply(config_map("x", given.namespace, a="new"))
        handler.reset()

    with fault_proxy.in_front_of(given.access, 1, writes=_first([made_anew])) as proxy:
        gone = through(proxy, tmp_path, monkeypatch).delete(target)
    assert gone is not None
    assert gone["data"] == {"a": "old"}
    assert given.direct.read(target)["data"] == {"a": "new"}


def test_a_list_whose_continuation_has_expired_is_read_in_one_piece(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.core.cluster.api._PAGE", 2)
    for number in range(5):
        given.direct.apply(
            {
                **config_map(f"page-{number}", given.namespace),
                "metadata": {"name": f"page-{number}", "namespace": given.namespace, "labels": {"p": "y"}},
            }
        )

    def expired_from_the_second(handler: fault_proxy.Handler) -> None:
        if "continue=" in handler.path:
            handler.say(410, "The provided continue parameter is too old")
        else:
            handler.forward()

    with fault_proxy.in_front_of(given.access, 1, reads=[expired_from_the_second]) as proxy:
        cluster = through(proxy, tmp_path, monkeypatch)
        found = cluster.objects(Target("ConfigMap", "v1", namespace=given.namespace, labels="p=y"))
    assert [each["metadata"]["name"] for each in found] == [f"page-{number}" for number in range(5)]
