"""Fixtures of the post-mortem: a simulated cluster whose nodes take no pods, a real one, and a server that never answers."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition, Requirement
from projects.core.cluster.session import disconnect
from projects.core.cluster.waiting import wait_for
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.running import running_cluster
from tests.conftest import RealCluster
from tests.core.postmortem.failures import Failed

SELECTOR = {"disk": "none"}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FORESAIL_CACHE_DIR", str(tmp_path / "cache"))
    yield
    disconnect()


@pytest.fixture
def failed(tmp_path: Path) -> Failed:
    """A run in which commands fail."""
    (tmp_path / "run").mkdir()
    return Failed(tmp_path / "run")


@pytest.fixture(scope="session")
def simulated_kubeconfig() -> Iterator[Path]:
    with running_cluster(ClusterOptions()) as running:
        yield running.kubeconfig


@pytest.fixture
def simulated(simulated_kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The simulated OpenShift."""
    monkeypatch.setenv("KUBECONFIG", str(simulated_kubeconfig))
    return Cluster()


@pytest.fixture
def real(real_cluster: RealCluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The real control plane."""
    monkeypatch.setenv("KUBECONFIG", str(real_cluster.kubeconfig))
    return Cluster()


def deploy(cluster: Cluster, namespace: str) -> None:
    """Make a Deployment that no node takes, and wait until the cluster has said so."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    labels = {"app": "web"}
    pod = {"nodeSelector": SELECTOR, "containers": [{"name": "c", "image": "registry.invalid/c:1"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": spec,
        }
    )
    unscheduled = Requirement("status.conditions[PodScheduled].status", ("False",))
    wait_for(cluster, Target("Pod", "v1", namespace=namespace), Condition(where=[unscheduled]), 60)
    for reason in (
        "FailedScheduling",
        "ScalingReplicaSet",
    ):  # each is written by a controller of its own, a moment later
        wait_for(cluster, Target("Event", "v1", namespace=namespace, fields=f"reason={reason}"), Condition(), 60)


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """A server that accepts connections and never answers; its port."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    stop, connections = threading.Event(), []

    def accept() -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                connections.append(server.accept()[0])

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        stop.set()
        thread.join()
        for each in (*connections, server):
            each.close()


def kubeconfig(path: Path, port: int, scheme: str = "https") -> Path:
    """Write a kubeconfig of a server on this machine."""
    cluster = {"server": f"{scheme}://127.0.0.1:{port}"} | (
        {"insecure-skip-tls-verify": True} if scheme == "https" else {}
    )
    document = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
