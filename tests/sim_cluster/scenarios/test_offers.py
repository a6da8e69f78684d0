"""What a scenario's catalog offers, and the machines and the version that its shape says, on a cluster that has them."""

from pathlib import Path

import pytest

from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.scenarios.names import ScenarioError
from projects.sim_cluster.scenarios.reading import load_scenario
from tests.docs.pages import page
from tests.sim_cluster.conftest import talking_to

GUIDE = page("docs/how-to/write-an-operator-package.md")
SCENARIO = """\
shape:
  nodes: 1
  machines:
  - {type: p5.48xlarge, count: 2}
  openshift: 4.19.7
catalog:
  operators: [nfd]
  packages: [widgets.py]
"""


def test_a_scenario_brings_operators_machines_and_a_version(tmp_path: Path) -> None:
    (tmp_path / "widgets.py").write_text(GUIDE.file("widgets.py"), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    with talking_to(ClusterOptions(scenario=load_scenario(tmp_path / "mine.yaml"))) as client:
        packages = client.get(
            "/apis/packages.operators.coreos.com/v1/namespaces/openshift-marketplace/packagemanifests"
        )["items"]
        assert {each["metadata"]["name"] for each in packages} == {"nfd", "widget-operator"}
        kinds = [
            node["metadata"]["labels"]["node.kubernetes.io/instance-type"]
            for node in client.get("/api/v1/nodes")["items"]
        ]
        assert sorted(kinds) == ["m6i.xlarge", "p5.48xlarge", "p5.48xlarge"]
        sets = client.get("/apis/machine.openshift.io/v1beta1/machinesets")["items"]
        assert {each["metadata"]["name"]: each["spec"]["replicas"] for each in sets} == {
            "sim-x7k2p-worker-us-east-1a": 1, "sim-x7k2p-p5-48xlarge-us-east-1a": 2,
        }  # fmt: skip
        version = client.get("/apis/config.openshift.io/v1/clusterversions/version")
        assert (version["status"]["desired"]["version"], version["spec"]["channel"]) == ("4.19.7", "stable-4.19")


def test_machines_of_a_plain_kubernetes_say_their_type(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "shape: {platform: kubernetes, nodes: 0, machines: [{type: g5.2xlarge}]}\n", encoding="utf-8"
    )
    with talking_to(ClusterOptions(scenario=load_scenario(tmp_path / "mine.yaml"))) as client:
        nodes = client.get("/api/v1/nodes")["items"]
        assert [
            (node["metadata"]["labels"]["node.kubernetes.io/instance-type"], node["status"]["capacity"]["cpu"])
            for node in nodes
        ] == [("g5.2xlarge", "8")]


def test_what_the_catalog_names_wrongly_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "catalog:\n  operators:\n  - nfd\n  - gpu-operator\n  packages:\n  - nothing.py\n", encoding="utf-8"
    )
    with pytest.raises(ScenarioError) as raised:
        load_scenario(path)
    second, first = str(raised.value).splitlines()
    assert first.startswith(
        f"{path}:6: catalog.packages[0]: expected an operator package, found nothing.py: FileNotFoundError"
    )
    assert second.startswith(
        f"{path}:4: catalog.operators[1]: expected one of gpu-operator-certified, nfd, example-operator, found 'gpu-operator'"
    )
