"""Clusters and clients for the tests of the simulated cluster, one of each for a worker."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from projects.sim_cluster.options import ApiKind, ClusterOptions
from projects.sim_cluster.real_api.binaries import ControlPlaneMissingError, find_binaries
from projects.sim_cluster.running import running_cluster
from tests.conftest import CONTROL_PLANE, RealCluster
from tests.sim_cluster.comparing import Both
from tests.sim_cluster.talk import Client, Kubectl

_NUMBERS = itertools.count()


def _binary() -> str:
    found = shutil.which("kubectl")
    if found is None and CONTROL_PLANE.exists():
        done = subprocess.run(
            [sys.executable, str(CONTROL_PLANE), "unpack"], capture_output=True, text=True, check=True
        )
        found = str(Path(done.stdout.strip()) / "kubectl")
    if found is None:
        pytest.skip("no kubectl: neither on the PATH nor in ../shared/envtest")
    return found


@pytest.fixture(scope="session")
def kubernetes_kubeconfig() -> Iterator[Path]:
    with running_cluster(ClusterOptions(platform="kubernetes", nodes=3)) as cluster:
        yield cluster.kubeconfig


@pytest.fixture(scope="session")
def openshift_kubeconfig() -> Iterator[Path]:
    with running_cluster(ClusterOptions()) as cluster:
        yield cluster.kubeconfig


@pytest.fixture(scope="session")
def client(kubernetes_kubeconfig: Path) -> Iterator[Client]:
    """A raw client of a simulated Kubernetes with three nodes."""
    with closing(Client(kubernetes_kubeconfig)) as made:
        yield made


@pytest.fixture(scope="session")
def openshift(openshift_kubeconfig: Path) -> Iterator[Client]:
    """A raw client of a simulated OpenShift with three workers."""
    with closing(Client(openshift_kubeconfig)) as made:
        yield made


@pytest.fixture(scope="session")
def kubectl(kubernetes_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return Kubectl(kubernetes_kubeconfig, _binary(), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def oc(openshift_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """Kubectl on the simulated OpenShift."""
    return Kubectl(openshift_kubeconfig, _binary(), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def judge_kubeconfig(real_cluster: RealCluster) -> Path:
    """The kubeconfig of the real control plane that the whole test run shares."""
    return real_cluster.kubeconfig


#: For a fixture that starts a cluster: on the simulated API and on a real one.
BOTH_APIS = ["simulated", pytest.param("real", marks=pytest.mark.envtest)]


def available(api: ApiKind, *, karpenter: bool = False) -> ApiKind:
    """Return an API that this machine has; skip the test when it has not."""
    try:
        if api == "real":
            find_binaries(karpenter=karpenter)
    except ControlPlaneMissingError as error:
        pytest.skip(str(error))
    return api


@pytest.fixture(scope="session")
def judge(judge_kubeconfig: Path) -> Iterator[Client]:
    """A raw client of the real control plane."""
    with closing(Client(judge_kubeconfig)) as made:
        yield made


@pytest.fixture(
    params=[pytest.param("client", id="simulated"), pytest.param("judge", id="real", marks=pytest.mark.envtest)]
)
def either(request: pytest.FixtureRequest) -> Client:
    """A raw client of the simulated Kubernetes, then one of the real control plane."""
    found: Client = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def new_name() -> Callable[[str], str]:
    """Return names that no other test of this run uses."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return lambda prefix: f"{prefix}-{worker}-{os.getpid()}-{next(_NUMBERS)}"


@pytest.fixture
def both(judge: Client, client: Client, new_name: Callable[[str], str]) -> Iterator[Both]:
    """The real control plane and the simulated one, with a namespace of the same name on each."""
    pair = Both((judge, client), new_name("diff"))
    for api in pair.apis:
        make_namespace(api, pair.namespace)
    yield pair
    for api in pair.apis:
        api.ask("DELETE", f"/api/v1/namespaces/{pair.namespace}")


@pytest.fixture
def namespace(client: Client, new_name: Callable[[str], str]) -> str:
    """A namespace of its own on the simulated Kubernetes."""
    return make_namespace(client, new_name("ns"))


@contextmanager
def talking_to(options: ClusterOptions) -> Iterator[Client]:
    """Run a cluster of the test's own; yield a raw client of it."""
    with running_cluster(options) as cluster, closing(Client(cluster.kubeconfig)) as made:
        yield made


def make_namespace(client: Client, name: str, labels: dict[str, str] | None = None) -> str:
    """Make a namespace and wait until pods are accepted in it."""
    client.post("/api/v1/namespaces", {"metadata": {"name": name} | ({"labels": labels} if labels else {})})
    client.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    client.until(f"/api/v1/namespaces/{name}/configmaps/kube-root-ca.crt", lambda _: True)
    return name
