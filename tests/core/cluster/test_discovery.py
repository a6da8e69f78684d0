import json
import stat
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition
from projects.core.cluster.groups import Served, matching
from projects.core.cluster.kubeconfig import load_access
from projects.core.cluster.session import Session
from projects.core.cluster.waiting import wait_for
from projects.core.values.errors import NotFound, UsageError
from tests.conftest import RealCluster

pytestmark = pytest.mark.envtest
OWN = {"", "apps", "apiextensions.k8s.io", "batch", "policy", "rbac.authorization.k8s.io", "storage.k8s.io"}


def served(kind: str, group: str = "", version: str = "v1", *, preferred: bool = True, plural: str = "") -> Served:
    return Served(
        group, version, preferred, kind, plural or kind.lower() + "s", kind.lower(), True, ["get", "list"], []
    )


def definition(group: str, kind: str = "Widget") -> dict[str, Any]:
    plural = kind.lower() + "s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def establish(cluster: Cluster, group: str, kind: str) -> Target:
    """Define a kind, and wait until discovery tells of it: the real API calls it established before that."""
    cluster.apply(definition(group, kind))
    target = Target("CustomResourceDefinition", None, f"{kind.lower()}s.{group}")
    wait_for(cluster, target, Condition("ready"), 60)
    cluster.session.discovery.await_kind(kind, f"{group}/v1", 60)
    return target


Open = Callable[[], Session]


@pytest.fixture
def another(cluster: Cluster) -> Iterator[Open]:
    """Open sessions whose kinds have not been asked for, as another process would."""
    assert cluster
    sessions: list[Session] = []

    def open_one() -> Session:
        sessions.append(Session(load_access()))
        return sessions[-1]

    yield open_one
    for session in sessions:
        session.close()


@pytest.fixture
def fresh(another: Open) -> Cluster:
    """A first one."""
    return Cluster(another())


class Requests:
    """The paths that a session asks for."""

    def __init__(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[str] = []
        request = session.dynamic.request

        def spy(method: str, url: str, **rest: Any) -> Any:
            self.paths.append(f"{method} {url.partition('?')[0]}")
            return request(method, url, **rest)

        monkeypatch.setattr(session.dynamic, "request", spy)


def test_two_requests_cold_none_when_cached(fresh: Cluster, another: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = Requests(fresh.session, monkeypatch)
    fresh.session.discovery.find("Pod")
    assert sorted(requests.paths) == ["GET /api", "GET /apis"]
    again = another()
    requests = Requests(again, monkeypatch)
    assert again.discovery.find("deploy").kind == "Deployment"
    assert not requests.paths


def test_the_cache_is_private_and_broken_files_do_not_matter(fresh: Cluster, another: Open) -> None:
    fresh.session.discovery.find("Pod")
    path = fresh.session.discovery.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for text in (
        "",
        "{",
        "[]",
        '{"format": 0, "served": [], "etags": {}}',
        '{"format": 1, "served": [{"x": 1}], "etags": {}}',
    ):
        path.write_text(text)
        assert another().discovery.serves("Pod")
    path.chmod(0o666)
    path.write_text(json.dumps({"format": 1, "served": [], "etags": {}}))
    assert another().discovery.serves("Pod"), "a file that others may write was believed"


def test_a_missing_kind_is_asked_for_once_and_cheaply(
    fresh: Cluster, another: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.session.discovery.find("Pod")
    session = another()
    requests = Requests(session, monkeypatch)
    assert not session.discovery.serves("Machine")
    assert not session.discovery.serves("Other")
    assert sorted(requests.paths) == ["GET /api", "GET /apis"]


def test_kinds_that_come_and_go(fresh: Cluster, another: Open, namespace: str, real_cluster: RealCluster) -> None:
    group = f"{real_cluster.namespace('g')}.example.com"
    kind = "Comer"
    other = Cluster(another())
    assert not other.session.discovery.serves(kind, f"{group}/v1")
    crd = establish(fresh, group, kind)
    other.session.discovery.await_kind(kind, f"{group}/v1", 60)
    thing = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "a", "namespace": namespace}}
    assert other.apply(thing).changed
    fresh.delete(crd)
    wait_for(fresh, crd, Condition("absent"), 60)
    target = Target(kind, f"{group}/v1", "a", namespace)
    with pytest.raises(
        NotFound, match=r"could not find the requested resource|does not serve the kind|\"a\" not found"
    ):
        other.read(target)
    assert other.objects(target) == []


def test_many_threads_ask_once(fresh: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = Requests(fresh.session, monkeypatch)
    threads = [threading.Thread(target=fresh.session.discovery.serves, args=("Pod",)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(requests.paths) == 2


def test_older_servers_are_asked_group_by_group(fresh: Cluster, another: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh.session.discovery.find("Pod")
    monkeypatch.setattr("projects.core.cluster.groups._AGGREGATED", "application/json")
    old = another()
    old.discovery.path.unlink()
    assert old.discovery.find("Deployment").group_version == "apps/v1"
    assert own_kinds(old) == own_kinds(fresh.session)


def own_kinds(session: Session) -> set[tuple[str, str, str]]:
    """Return the kinds of Kubernetes itself: other tests define kinds on this server meanwhile."""
    kinds = {(each.group, each.version, each.plural) for each in session.discovery.served}
    own = {(group, version, plural) for group, version, plural in kinds if group in OWN}
    assert {group for group, _, _ in own} == OWN
    return own


def test_names_of_a_kind() -> None:
    kinds = [
        served("Service"),
        served("Service", "serving.knative.dev"),
        served("Machine", "a.example.com"),
        served("Machine", "b.example.com"),
    ]
    assert [each.group for each in matching(kinds, "Service", None)] == [""]
    assert [each.group for each in matching(kinds, "Service", "serving.knative.dev/v1")] == ["serving.knative.dev"]
    assert [each.group for each in matching(kinds, "machines.b.example.com", None)] == ["b.example.com"]
    assert len(matching(kinds, "Machine", None)) == 2


def test_an_ambiguous_kind_is_refused(fresh: Cluster, real_cluster: RealCluster) -> None:
    groups = [f"{real_cluster.namespace('amb')}.example.com" for _ in range(2)]
    crds = [establish(fresh, group, "Twin") for group in groups]
    with pytest.raises(UsageError, match="several groups serve the kind Twin"):
        fresh.session.discovery.find("Twin")
    assert fresh.session.discovery.find(f"twins.{groups[0]}").group == groups[0]
    for crd in crds:
        fresh.delete(crd)
