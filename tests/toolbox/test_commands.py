from pathlib import Path

import pytest
import yaml

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.readiness import is_ready
from tests.conftest import ROOT, RealCluster
from tests.toolbox.conftest import Toolbox

CRDS = ROOT.parent / "shared" / "crds"
MACHINE_SETS = Target("MachineSet", "machine.openshift.io/v1beta1")


def names(path: Path) -> set[str]:
    return {each.name for each in path.iterdir() if not each.name.startswith("_")}


@pytest.mark.envtest
def test_capture_environment_of_kubernetes(on_kubernetes: Toolbox) -> None:
    done = on_kubernetes("cluster", "capture_environment")
    nodes = {"nodes.status", "nodes.yaml", "nodes.json", "nodes.descr"}
    assert names(done.directory) == {"foresail.git_version", "ocp_version.yml"} | nodes
    skipped = yaml.safe_load((done.directory / "_capture.yaml").read_text())["skipped"]
    assert set(skipped) == {
        "ClusterVersion version",
        "Machine objects",
        "MachineSet objects",
        "ClusterServiceVersion objects",
    }
    assert yaml.safe_load((done.directory / "ocp_version.yml").read_text())["serverVersion"]["major"] == "1"


def test_capture_environment_of_openshift(on_openshift: Toolbox) -> None:
    done = on_openshift("cluster", "capture_environment")
    found = names(done.directory)
    assert {"ocp.version", "ocp_version.yml", "ocp_clusterversion.yml", "machines.status", "machines.desc"} <= found
    version = (done.directory / "ocp.version").read_text().strip()
    assert yaml.safe_load((done.directory / "ocp_version.yml").read_text())["openshiftVersion"] == version
    assert yaml.safe_load((done.directory / "ocp_clusterversion.yml").read_text())["kind"] == "ClusterVersion"
    assert not (done.directory / "_capture.yaml").exists()


def test_unreachable(tmp_path: Path) -> None:
    entry = {
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "x", "user": {}}],
    }
    contexts = {"contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}], "current-context": "x"}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump({**entry, **contexts}))
    (tmp_path / "artifacts").mkdir()
    done = Toolbox(tmp_path / "kubeconfig", tmp_path / "artifacts")("cluster", "capture_environment", code=3)
    assert "the API server at 127.0.0.1:9 is unreachable: connection refused" in done.text


@pytest.mark.envtest
def test_redis_on_kubernetes(on_kubernetes: Toolbox, kubernetes: Cluster, real_cluster: RealCluster) -> None:
    namespace = real_cluster.namespace("redis")
    done = on_kubernetes("server", "deploy_redis_server", f"--namespace={namespace}")
    assert (done.directory / "hostname").read_text() == f"redis.{namespace}.svc.cluster.local\n"
    pods = kubernetes.objects(Target("Pod", "v1", namespace=namespace))
    assert [is_ready(each) for each in pods] == [True]
    assert len(done.changed()) == 3
    assert on_kubernetes("server", "deploy_redis_server", namespace).changed() == []


def test_redis_on_openshift(on_openshift: Toolbox, openshift: Cluster) -> None:
    on_openshift("server", "deploy_redis_server", "--namespace=redis")
    assert [is_ready(each) for each in openshift.objects(Target("Pod", "v1", namespace="redis"))] == [True]
    assert on_openshift("server", "deploy_redis_server", "--namespace=redis").changed() == []


@pytest.mark.envtest
def test_preload_image(on_kubernetes: Toolbox, kubernetes: Cluster) -> None:
    done = on_kubernetes("cluster", "preload_image", "--name=pre", "--image=registry.invalid/i:1")
    assert done.directory.name.endswith("__cluster__preload_image_pre")
    assert "3" in (done.directory / "artifacts" / "daemonset.status").read_text()
    assert kubernetes.get(Target("DaemonSet", "apps/v1", "pre", "default")) is None
    assert not kubernetes.objects(Target("Pod", "v1", namespace="default", labels="foresail/preload=pre"))


@pytest.mark.envtest
def test_preload_image_nowhere(on_kubernetes: Toolbox, kubernetes: Cluster) -> None:
    line = [
        "cluster",
        "preload_image",
        "--name=nowhere",
        "--image=i",
        "--node_selector_key=no",
        "--node_selector_value=4.10",
    ]
    done = on_kubernetes(*line, code=1)
    assert "no node matches: the image i was preloaded nowhere (node selector no=4.10" in done.text
    assert kubernetes.get(Target("DaemonSet", "apps/v1", "nowhere", "default")) is None
    manifest = yaml.safe_load((done.directory / "src" / "daemonset.yaml").read_text())
    assert manifest["spec"]["template"]["spec"]["nodeSelector"] == {"no": "4.10"}


def test_set_project_annotation(on_openshift: Toolbox, openshift: Cluster) -> None:
    namespace = Target("Namespace", "v1", "annotated")
    openshift.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "annotated"}})
    line = ["cluster", "set_project_annotation", "--key=a.b/c", "--project=annotated"]
    awkward = "{{ x }} '\"$HOME: 4.10"
    on_openshift(*line, f"--value={awkward}")
    assert openshift.read(namespace)["metadata"]["annotations"]["a.b/c"] == awkward
    on_openshift(*line)
    assert "a.b/c" not in openshift.read(namespace)["metadata"].get("annotations", {})
    assert 'namespaces "nobody" not found' in on_openshift(*line[:-1], "--project=nobody", "--value=1", code=1).text


def test_set_scale(on_openshift: Toolbox, openshift: Cluster) -> None:
    def ready() -> int:
        return len([each for each in openshift.objects(Target("Node")) if is_ready(each)])

    before = ready()
    kind = openshift.objects(MACHINE_SETS)[0]["spec"]["template"]["spec"]["providerSpec"]["value"]["instanceType"]
    on_openshift("cluster", "set_scale", kind, str(before + 1))
    assert ready() == before + 1
    on_openshift("cluster", "set_scale", kind, str(before))
    assert ready() == before
    done = on_openshift(
        "cluster", "set_scale", "g5.2xlarge", "1", "--taint=gpu=only:NoSchedule", "--spot", "--disk_size=200"
    )
    assert "machineset.yaml" in names(done.directory / "src")
    tainted = [each for each in openshift.objects(Target("Node")) if each["spec"].get("taints")]
    assert [(taint["key"], taint["value"]) for taint in tainted[0]["spec"]["taints"]] == [("gpu", "only")]
    on_openshift("cluster", "set_scale", "g5.2xlarge", "0")
    assert ready() == before


def test_deploy_operator(on_openshift: Toolbox, openshift: Cluster) -> None:
    line = ["cluster", "deploy_operator", "--catalog=certified-operators", "--manifest_name=gpu-operator-certified"]
    more = ["--namespace=gpu", "--deploy_cr", "--namespace_monitoring", '--config_env_names=["A", "B"]']
    done = on_openshift(*line, *more)
    assert names(done.directory / "src") == {
        "namespace.yaml",
        "operatorgroup.yaml",
        "subscription.yaml",
        "custom-resource.yaml",
    }
    versions = openshift.objects(Target("ClusterServiceVersion", None, namespace="gpu"))
    assert [each["status"]["phase"] for each in versions] == ["Succeeded"]
    plans = openshift.objects(Target("InstallPlan", None, namespace="gpu"))
    assert [each["spec"]["approved"] for each in plans] == [True]
    subscription = openshift.objects(Target("Subscription", "operators.coreos.com/v1alpha1", namespace="gpu"))[0]
    assert subscription["spec"]["config"]["env"] == [{"name": "A", "value": "true"}, {"name": "B", "value": "true"}]
    assert (
        openshift.read(Target("Namespace", "v1", "gpu"))["metadata"]["labels"]["openshift.io/cluster-monitoring"]
        == "true"
    )
    assert on_openshift(*line, *more).changed() == []


def test_deploy_operator_refusals(on_openshift: Toolbox, openshift: Cluster) -> None:
    line = ["cluster", "deploy_operator", "redhat-operators", "nfd", "refused"]
    assert "needs a channel" in on_openshift(*line, "--version=1.2.3", code=2).text
    assert "the channels of nfd are:" in on_openshift(*line, "--channel=?", code=2).text
    metadata = {"name": "theirs", "namespace": "refused"}
    openshift.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "refused"}})
    openshift.apply(
        {"apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup", "metadata": metadata, "spec": {}}
    )
    assert "has the OperatorGroup theirs of somebody else" in on_openshift(*line, code=1).text
    assert not openshift.objects(Target("Subscription", "operators.coreos.com/v1alpha1", namespace="refused"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set_scale", "m", "-1"], "scale: expected a number of nodes"),
        (["set_scale", "m", "1", "--taint=x"], "a taint is key=value:Effect"),
        (["set_scale", "m", "1", "--disk_size=0"], "disk_size: expected a size in GiB"),
        (["set_project_annotation", "k"], "expected one of project and all"),
        (["set_project_annotation", "k", "--project=p", "--all"], "expected one of project and all"),
        (["preload_image", "Bad_Name", "i"], "name: expected lower-case letters"),
        (["preload_image", "n", "i", "--run_as_user=root"], "run_as_user: expected a number"),
        (["preload_image", "n", "i", "--node_selector_value=v"], "needs node_selector_key"),
        (["deploy_operator", "c", "m", "Bad NS"], "namespace: expected lower-case letters"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_starts(words: list[str], said: str, tmp_path: Path) -> None:
    toolbox = Toolbox(tmp_path / "no-kubeconfig", tmp_path)
    assert said in toolbox("cluster", *words, code=2).text
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@pytest.mark.envtest
def test_rendered_manifests_fit_the_real_schemas(
    on_openshift: Toolbox, kubernetes: Cluster, real_cluster: RealCluster
) -> None:
    if not CRDS.is_dir():
        pytest.skip(f"the schemas are absent: {CRDS}")
    own = real_cluster.namespace("schemas")
    groups: dict[str, str] = {}
    for name in (
        "machinesets.machine.openshift.io",
        "operatorgroups.operators.coreos.com",
        "subscriptions.operators.coreos.com",
        "clusterpolicies.nvidia.com",
    ):
        definition = yaml.safe_load((CRDS / f"{name}.json").read_text())
        # In groups of their own: other tests rely on this server's not being an OpenShift, at the same time.
        group = groups[definition["spec"]["group"]] = f"{definition['spec']['group']}.{own}.example.com"
        definition["spec"]["group"] = group
        definition["metadata"]["name"] = f"{definition['spec']['names']['plural']}.{group}"
        kubernetes.apply(definition)
    namespace = real_cluster.namespace("schemas")
    gpu = ["certified-operators", "gpu-operator-certified", namespace, "--deploy_cr", "--config_env_names=[A]"]
    sources = [
        on_openshift("cluster", "deploy_operator", *gpu).directory,
        on_openshift(
            "cluster", "set_scale", "p5.48xlarge", "1", "--spot", "--taint=a=b:NoExecute", "--disk_size=99"
        ).directory,
        on_openshift(
            "cluster", "preload_image", "p", "i", f"--namespace={namespace}", "--pod_toleration_key=k"
        ).directory,
        on_openshift("server", "deploy_redis_server", namespace).directory,
    ]
    manifests = [
        each
        for source in sources
        for path in (source / "src").iterdir()
        for each in yaml.safe_load_all(path.read_text())
    ]
    for needed in (namespace, "openshift-machine-api"):
        kubernetes.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": needed}})
    kinds = set()
    for manifest in manifests:
        group, slash, version = manifest["apiVersion"].rpartition("/")
        manifest["apiVersion"] = f"{groups.get(group, group)}{slash}{version}"
        kubernetes.session.discovery.await_kind(manifest["kind"], manifest["apiVersion"], 60)
        assert kubernetes.apply(manifest, dry_run=True, validation="Strict").after
        kinds.add(manifest["kind"])
    assert kinds == {
        "Namespace",
        "OperatorGroup",
        "Subscription",
        "ClusterPolicy",
        "MachineSet",
        "DaemonSet",
        "Deployment",
        "Service",
    }
