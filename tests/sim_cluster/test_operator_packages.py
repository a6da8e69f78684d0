"""Operators as packages: found, installed, at work, gone again. Seen through HTTP."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from projects.sim_cluster.behaviours.hooks import LOST_GPUS
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.packages import OperatorPackage, PackageNotLoadedError, load_package
from projects.sim_cluster.scenarios.reading import load_scenario
from tests.docs.guided import output_of_tests
from tests.docs.pages import page
from tests.sim_cluster.conftest import make_namespace, talking_to
from tests.sim_cluster.machine_sets import add_machine_set
from tests.sim_cluster.olm import OLM, install
from tests.sim_cluster.talk import Client, Kubectl, named, says

GUIDE = page("docs/how-to/write-an-operator-package.md")
POLICIES = "/apis/nvidia.com/v1/clusterpolicies"


@pytest.fixture(scope="module")
def widgets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the guide."""
    path = tmp_path_factory.mktemp("packages") / "widgets.py"
    path.write_text(GUIDE.file("widgets.py"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def cluster(widgets: Path) -> Iterator[Client]:
    """An OpenShift of its own, whose catalog also offers widgets."""
    options = ClusterOptions(packages=(load_package(str(widgets)),))
    with talking_to(options) as client:
        yield client


def test_the_guides_operator_takes_about_fifty_lines(widgets: Path) -> None:
    lines = [line for line in widgets.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 55


def test_a_users_operator_is_installed_works_and_stops(cluster: Client, new_name: Callable[[str], str]) -> None:
    space = make_namespace(cluster, new_name("widgets"))
    widgets = f"/apis/widgets.example.com/v1/namespaces/{space}/widgets"
    assert cluster.ask("GET", widgets).status == 404
    csv = install(cluster, space, name="widget-operator")
    example = json.loads(csv["metadata"]["annotations"]["alm-examples"])[0]
    cluster.post(widgets, example)
    made = cluster.until(f"{widgets}/my-widget", lambda obj: obj.get("status", {}).get("phase") == "Ready")
    assert made["spec"]["image"] == "quay.io/example/widget:v1"
    cluster.merge(f"{widgets}/my-widget", {"spec": {"replicas": 3}})
    cluster.until(
        f"/apis/apps/v1/namespaces/{space}/deployments/my-widget", lambda obj: obj["status"].get("readyReplicas") == 3
    )
    refused = cluster.ask("POST", widgets, example | {"metadata": {"name": "none"}, "spec": {"replicas": 0}})
    assert refused.status == 422

    cluster.ask("DELETE", f"{OLM}/v1alpha1/namespaces/{space}/subscriptions/s")
    cluster.ask("DELETE", f"{OLM}/v1alpha1/namespaces/{space}/clusterserviceversions/{csv['metadata']['name']}")
    until_versions_are_heard_of(cluster, space, csv)
    cluster.post(widgets, example | {"metadata": {"name": "late"}})
    cluster.post(
        f"/api/v1/namespaces/{space}/pods",
        {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    )
    cluster.until(f"/api/v1/namespaces/{space}/pods/p", lambda obj: obj["status"].get("phase") == "Running")
    assert "status" not in cluster.get(f"{widgets}/late")


def until_versions_are_heard_of(client: Client, space: str, csv: Any) -> None:
    """Wait until whoever plays operators knows what became of ClusterServiceVersions: it acts on one that came after all that."""
    install = {"strategy": "deployment", "spec": {"deployments": []}}
    last = {key: csv[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": "last"}}
    path = f"{OLM}/v1alpha1/namespaces/{space}/clusterserviceversions"
    client.post(path, last | {"spec": csv["spec"] | {"install": install}})
    client.until(f"{path}/last", lambda obj: obj.get("status", {}).get("phase"))


@pytest.mark.parametrize(("reference", "said"), [
    ("nothing.py", "FileNotFoundError"), ("no.such.module:X", "ModuleNotFoundError"), ("broken.py", "ZeroDivisionError"),
    ("two.py", r"2 OperatorPackages in two.py, wanted one \(there are: A, B\)"), ("two.py:C", r"no OperatorPackage C in two.py \(there are: A, B\)"),
    ("json:dumps", "no OperatorPackage dumps in json"),
])  # fmt: skip
def test_a_reference_that_leads_nowhere_says_why(tmp_path: Path, reference: str, said: str) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    (tmp_path / "two.py").write_text(
        "from projects.sim_cluster.packages import Channel, OperatorPackage\n"
        "A, B = (OperatorPackage(name, name, (Channel('stable', ('1.0.0',)),)) for name in 'ab')\n",
        encoding="utf-8",
    )
    with pytest.raises(PackageNotLoadedError, match=said):
        load_package(reference, tmp_path)


def test_a_reference_may_name_a_module_or_a_file(widgets: Path) -> None:
    shipped = load_package("projects.sim_cluster.packages.nfd:NFD")
    assert isinstance(shipped, OperatorPackage)
    assert load_package("widgets.py:WIDGETS", widgets.parent).name == "widget-operator"


def node_of_kind(client: Client, kind: str) -> Any:
    return client.get(f"/api/v1/nodes?labelSelector=node.kubernetes.io%2Finstance-type%3D{kind}")["items"][0]


def has_gpus(count: int, node: Any) -> bool:
    return all(node["status"][field].get("nvidia.com/gpu") == str(count) for field in ("capacity", "allocatable"))


@pytest.fixture(scope="module")
def gpus(cluster: Client) -> Client:
    """The cluster with NFD, the GPU operator and two kinds of GPU nodes."""
    for kind in ("g5.2xlarge", "p5.48xlarge"):
        path = add_machine_set(cluster, kind.replace(".", "-"), instance_type=kind)
        cluster.until(path, says("readyReplicas", 1))
    for name, source, space in (
        ("nfd", "redhat-operators", "openshift-nfd"),
        ("gpu-operator-certified", "certified-operators", "nvidia-gpu-operator"),
    ):
        make_namespace(cluster, space)
        csv = install(cluster, space, name=name, source=source, channel="stable")
        example = json.loads(csv["metadata"]["annotations"]["alm-examples"])[0]
        group = f"/apis/{example['apiVersion']}"
        cluster.post(POLICIES if name != "nfd" else f"{group}/namespaces/{space}/nodefeaturediscoveries", example)
    cluster.until(
        f"{POLICIES}/gpu-cluster-policy",
        lambda obj: obj.get("status", {}).get("state") == "ready" and reason(obj) == "Reconciled",
    )
    for kind, count in (("g5.2xlarge", 1), ("p5.48xlarge", 8)):
        cluster.until(f"/api/v1/nodes/{node_of_kind(cluster, kind)['metadata']['name']}", partial(has_gpus, count))
    return cluster


def reason(policy: Any) -> str:
    return next((str(c["reason"]) for c in policy["status"].get("conditions", ()) if c["type"] == "Ready"), "")


def pods_of_sets(listed: Any) -> dict[str, int]:
    return {each["metadata"]["name"]: each["status"].get("desiredNumberScheduled", 0) for each in listed["items"]}


def test_gpu_nodes_are_labelled_and_offer_their_gpus(gpus: Client) -> None:
    labels = gpus.until(
        f"/api/v1/nodes/{node_of_kind(gpus, 'p5.48xlarge')['metadata']['name']}",
        lambda obj: "nvidia.com/gpu.product" in obj["metadata"]["labels"],
    )["metadata"]["labels"]
    assert labels["feature.node.kubernetes.io/pci-10de.present"] == "true"
    assert (labels["nvidia.com/gpu.product"], labels["nvidia.com/gpu.count"]) == ("NVIDIA-H100-80GB-HBM3", "8")
    assert (labels["nvidia.com/gpu.replicas"], labels["nvidia.com/gpu.sharing-strategy"]) == ("1", "none")
    wanted = {
        "nvidia-driver-daemonset": 2, "nvidia-container-toolkit-daemonset": 2, "nvidia-operator-validator": 2, "nvidia-device-plugin-daemonset": 2,
        "nvidia-dcgm": 2, "nvidia-dcgm-exporter": 2, "gpu-feature-discovery": 2, "nvidia-mig-manager": 1, "nvidia-node-status-exporter": 2,
    }  # fmt: skip
    gpus.eventually(
        "/apis/apps/v1/namespaces/nvidia-gpu-operator/daemonsets", lambda listed: pods_of_sets(listed) == wanted
    )
    plain = gpus.until(
        f"/api/v1/nodes/{node_of_kind(gpus, 'm6i.xlarge')['metadata']['name']}",
        lambda obj: "feature.node.kubernetes.io/kernel-version.full" in obj["metadata"]["labels"],
    )
    assert "feature.node.kubernetes.io/pci-10de.present" not in plain["metadata"]["labels"]
    assert "nvidia.com/gpu" not in plain["status"]["capacity"]


def test_a_policy_must_have_its_fields_and_only_one_counts(gpus: Client) -> None:
    policy = gpus.get(f"{POLICIES}/gpu-cluster-policy")
    without = {key: value for key, value in policy["spec"].items() if key != "toolkit"}
    wrong = {"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "wrong"}, "spec": without}
    refused = gpus.ask("POST", POLICIES, wrong)
    assert (refused.status, refused.body["details"]["causes"][0]["field"]) == (422, "spec.toolkit")
    gpus.post(POLICIES, wrong | {"metadata": {"name": "second"}, "spec": policy["spec"]})
    gpus.until(f"{POLICIES}/second", lambda obj: obj.get("status", {}).get("state") == "ignored")
    gpus.ask("DELETE", f"{POLICIES}/second")


def test_time_slicing_multiplies_what_a_node_offers(gpus: Client) -> None:
    config = {"version": "v1", "sharing": {"timeSlicing": {"resources": [{"name": "nvidia.com/gpu", "replicas": 4}]}}}
    gpus.post(
        "/api/v1/namespaces/nvidia-gpu-operator/configmaps",
        {"metadata": {"name": "slices"}, "data": {"any": json.dumps(config)}},
    )
    path = f"/api/v1/nodes/{node_of_kind(gpus, 'g5.2xlarge')['metadata']['name']}"
    gpus.merge(
        f"{POLICIES}/gpu-cluster-policy", {"spec": {"devicePlugin": {"config": {"name": "slices", "default": "any"}}}}
    )
    gpus.until(path, partial(has_gpus, 4))
    shared = gpus.until(path, lambda obj: obj["metadata"]["labels"]["nvidia.com/gpu.replicas"] == "4")["metadata"][
        "labels"
    ]
    assert (shared["nvidia.com/gpu.count"], shared["nvidia.com/gpu.sharing-strategy"]) == ("1", "time-slicing")
    assert shared["nvidia.com/gpu.product"] == "NVIDIA-A10G-SHARED"
    gpus.merge(f"{POLICIES}/gpu-cluster-policy", {"spec": {"devicePlugin": {"config": None}}})
    gpus.until(path, partial(has_gpus, 1))


def test_a_gpu_that_fell_off_is_no_longer_allocatable(gpus: Client) -> None:
    path = f"/api/v1/nodes/{node_of_kind(gpus, 'p5.48xlarge')['metadata']['name']}"
    gpus.merge(path, {"metadata": {"annotations": {LOST_GPUS: "1"}}})
    lost = gpus.until(path, lambda obj: obj["status"]["allocatable"]["nvidia.com/gpu"] == "7")
    assert lost["status"]["capacity"]["nvidia.com/gpu"] == "8"
    gpus.merge(path, {"metadata": {"annotations": {LOST_GPUS: None}}})
    gpus.until(path, partial(has_gpus, 8))


def test_a_component_that_is_switched_off_goes(gpus: Client) -> None:
    sets = "/apis/apps/v1/namespaces/nvidia-gpu-operator/daemonsets"
    gpus.merge(f"{POLICIES}/gpu-cluster-policy", {"spec": {"devicePlugin": {"enabled": False}}})
    path = f"/api/v1/nodes/{node_of_kind(gpus, 'g5.2xlarge')['metadata']['name']}"
    gpus.until(path, partial(has_gpus, 0))
    gpus.gone(named(sets, "nvidia-device-plugin-daemonset"))
    gpus.merge(f"{POLICIES}/gpu-cluster-policy", {"spec": {"devicePlugin": {"enabled": True}}})
    gpus.until(path, partial(has_gpus, 1))


def test_the_scenario_of_the_guide_offers_it(tmp_path: Path) -> None:
    GUIDE.write_files(tmp_path)
    assert [package.name for package in load_scenario(tmp_path / "widgets.yaml").packages] == ["widget-operator"]


def test_the_test_of_the_guide_passes(oc: Kubectl, tmp_path: Path) -> None:
    GUIDE.write_files(tmp_path)
    path = os.pathsep.join([str(Path(oc.binary).parent), os.environ["PATH"]])
    output_of_tests(tmp_path, "test_widgets.py", PATH=path)
