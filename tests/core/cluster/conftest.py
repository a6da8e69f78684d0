"""Fixtures of the cluster access: a session with the real control plane, and an own cache of kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition
from projects.core.cluster.session import disconnect
from projects.core.cluster.waiting import wait_for
from tests.conftest import RealCluster


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FORESAIL_CACHE_DIR", str(tmp_path / "cache"))
    yield
    disconnect()


@pytest.fixture
def cluster(real_cluster: RealCluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The real control plane."""
    monkeypatch.setenv("KUBECONFIG", str(real_cluster.kubeconfig))
    return Cluster()


@pytest.fixture
def namespace(cluster: Cluster, real_cluster: RealCluster) -> str:
    """A namespace of the test's own; it goes with the control plane."""
    name = real_cluster.namespace("t")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = Target("ServiceAccount", "v1", "default", name)
    _wait_until_pods_are_accepted(cluster, account)
    return name


def _wait_until_pods_are_accepted(cluster: Cluster, account: Target) -> None:
    wait_for(cluster, account, Condition("present"), 60)
