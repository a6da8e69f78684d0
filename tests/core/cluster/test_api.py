import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.cluster import prewarm
from projects.core.cluster.api import Cluster, Target, target_of
from projects.core.cluster.exec_channel import execute
from projects.core.cluster.session import disconnect
from projects.core.values.errors import (
    Conflict,
    Forbidden,
    InfrastructureError,
    Invalid,
    NotFound,
    TimedOut,
    Unauthenticated,
    Unreachable,
    UsageError,
)
from tests.conftest import RealCluster
from tests.core.cluster.test_documents import AWKWARD

pytestmark = pytest.mark.envtest


def config_map(name: str, namespace: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def pod(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "registry.invalid/c:1"}
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}}


def test_apply_says_honestly_what_changed(cluster: Cluster, namespace: str) -> None:
    made = cluster.apply(config_map("a", namespace, k="1"))
    assert made.changed
    assert made.before is None
    assert not cluster.apply(config_map("a", namespace, k="1")).changed
    assert cluster.apply(config_map("a", namespace, k="2")).changed
    assert not cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}).changed


def test_apply_takes_over_and_leaves_alone(cluster: Cluster, namespace: str) -> None:
    cluster.apply(config_map("a", namespace, ours="1"))
    target = target_of(config_map("a", namespace))
    cluster.patch(target, {"data": {"theirs": "2"}})
    after = cluster.apply(config_map("a", namespace, ours="3")).after
    assert after is not None
    assert after["data"] == {"ours": "3", "theirs": "2"}


def test_awkward_strings_round_trip(cluster: Cluster, namespace: str) -> None:
    data = {f"k{number}": text for number, text in enumerate(AWKWARD)}
    cluster.apply(config_map("awkward", namespace, **data))
    assert cluster.read(Target("ConfigMap", "v1", "awkward", namespace))["data"] == data


def test_dry_run_writes_nothing(cluster: Cluster, namespace: str) -> None:
    change = cluster.apply(config_map("dry", namespace, k="1"), dry_run=True)
    assert change.changed
    target = Target("ConfigMap", "v1", "dry", namespace)
    assert cluster.get(target) is None
    cluster.apply(config_map("dry", namespace, k="1"))
    assert cluster.patch(target, {"data": {"k": "2"}}, dry_run=True).changed
    assert cluster.delete(target, dry_run=True)
    assert cluster.read(target)["data"] == {"k": "1"}


def test_patch_types_and_subresources(cluster: Cluster, namespace: str) -> None:
    target = Target("ConfigMap", "v1", "p", namespace)
    cluster.apply(config_map("p", namespace, a="1"))
    assert cluster.patch(target, {"data": {"a": None, "b": "2"}}).after["data"] == {"b": "2"}  # type: ignore[index]
    assert cluster.patch(target, [{"op": "add", "path": "/data/c", "value": "3"}], kind="json").changed
    assert not cluster.patch(target, {"data": {"b": "2"}}).changed
    labels = {"matchLabels": {"a": "b"}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 0, "selector": labels, "template": template}
    cluster.apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": namespace}, "spec": spec}
    )
    scaled = cluster.patch(
        Target("Deployment", "apps/v1", "d", namespace), {"spec": {"replicas": 2}}, subresource="scale"
    )
    assert scaled.changed
    assert cluster.read(Target("deploy", None, "d", namespace))["spec"]["replicas"] == 2


def test_delete(cluster: Cluster, namespace: str) -> None:
    target = Target("ConfigMap", "v1", "gone", namespace)
    assert cluster.delete(target) is None
    cluster.apply(config_map("gone", namespace))
    assert cluster.delete(target)
    assert cluster.get(target) is None


def test_lists_come_in_pages_and_by_selector(cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.core.cluster.api._PAGE", 2)
    for number in range(5):
        manifest = config_map(f"page-{number}", namespace)
        manifest["metadata"]["labels"] = {"parity": str(number % 2)}
        cluster.apply(manifest)
    names = [
        each["metadata"]["name"]
        for each in cluster.objects(Target("ConfigMap", "v1", namespace=namespace, labels="parity"))
    ]
    assert names == [f"page-{number}" for number in range(5)]
    assert len(cluster.objects(Target("ConfigMap", "v1", namespace=namespace, labels="parity=1"))) == 2
    assert {each["kind"] for each in cluster.objects(Target("cm", None, namespace=namespace))} == {"ConfigMap"}
    table = cluster.table(Target("ConfigMap", "v1", namespace=namespace, labels="parity"))
    assert [row["object"]["kind"] for row in table["rows"]] == ["ConfigMap"] * 5


def test_not_found(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFound, match='configmaps "nothing" not found'):
        cluster.read(Target("ConfigMap", "v1", "nothing", namespace))
    with pytest.raises(NotFound, match="does not serve the kind Podd") as caught:
        cluster.read(Target("Podd", None, "x", namespace))
    assert caught.value.hint == "did you mean 'Pod'?"
    with pytest.raises(NotFound, match=r'namespaces "no-such-namespace" not found'):
        cluster.apply(config_map("a", "no-such-namespace"))


def test_invalid(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(Invalid, match=r"unknown field \"dta\"|\.dta: field not declared in schema"):
        cluster.apply({**config_map("bad", namespace), "dta": {}})
    with pytest.raises(Invalid, match="lowercase RFC 1123"):
        cluster.apply(config_map("Bad_Name", namespace))
    with pytest.raises(UsageError, match=r"lacks apiVersion, metadata\.name"):
        cluster.apply({"kind": "ConfigMap"})


def test_conflict(cluster: Cluster, namespace: str) -> None:
    cluster.apply(config_map("busy", namespace, a="1"))
    stale = {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}
    with pytest.raises(Conflict, match="the object has been modified"):
        cluster.patch(Target("ConfigMap", "v1", "busy", namespace), stale)


def test_forbidden(
    cluster: Cluster, namespace: str, real_cluster: RealCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    token = cluster.session.json(
        "POST", path, body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    )
    document = yaml.safe_load(real_cluster.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token["status"]["token"]}
    limited = tmp_path / "limited"
    limited.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(limited))
    with pytest.raises(Forbidden, match=f'"system:serviceaccount:{namespace}:default" cannot list resource "secrets"'):
        Cluster().snapshot(Target("Secret", "v1", namespace=namespace))
    document["users"][0]["user"] = {"token": "wrong"}
    limited.write_text(yaml.safe_dump(document))
    with pytest.raises(
        Unauthenticated, match="does not accept the credentials of the kubeconfig: Unauthorized"
    ) as caught:
        Cluster().session.json("GET", "/api/v1/nodes")
    assert "log in again" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("https://127.0.0.1:9", "the API server at 127.0.0.1:9 is unreachable: connection refused"),
        ("https://no.such.host.invalid:6443", "the API server at no.such.host.invalid:6443 is unreachable: "),
    ],
)
def test_unreachable(server: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kubeconfig"
    entry = {
        "clusters": [{"name": "x", "cluster": {"server": server}}],
        "users": [{"name": "x", "user": {"token": "x"}}],
    }
    context = {"contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}], "current-context": "x"}
    path.write_text(yaml.safe_dump({**entry, **context}))
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(Unreachable) as caught:
        Cluster().get(Target("Node"))
    assert str(caught.value).startswith(said)
    assert caught.value.exit_code == 3


def test_a_wrong_authority_is_named(real_cluster: RealCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = yaml.safe_load(real_cluster.kubeconfig.read_text())
    del document["clusters"][0]["cluster"]["certificate-authority-data"]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED") as caught:
        Cluster().get(Target("Node"))
    assert "certificate authority" in str(caught.value.hint)


def test_no_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(InfrastructureError, match="no cluster: there is no kubeconfig at") as caught:
        Cluster()
    assert "point KUBECONFIG at" in str(caught.value.hint)
    prewarm()  # the host may be started before there is a cluster
    (tmp_path / "none").write_text("")
    with pytest.raises(InfrastructureError, match="not a mapping"):
        Cluster()
    (tmp_path / "none").write_text("a: [")
    with pytest.raises(InfrastructureError, match="cannot be read"):
        Cluster()
    (tmp_path / "none").write_text("clusters: []")
    with pytest.raises(InfrastructureError, match="cannot be used"):
        Cluster()


def test_kubeconfigs_are_merged_and_files_are_relative(
    real_cluster: RealCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = yaml.safe_load(real_cluster.kubeconfig.read_text())
    (tmp_path / "one").mkdir()
    user = document["users"][0]["user"]
    for name in ("client-certificate", "client-key"):
        (tmp_path / "one" / f"{name}.pem").write_bytes(base64.b64decode(user.pop(f"{name}-data")))
        user[name] = f"{name}.pem"
    (tmp_path / "one" / "config").write_text(yaml.safe_dump({"users": document.pop("users")}))
    (tmp_path / "two").write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'one' / 'config'}:{tmp_path / 'two'}:{tmp_path / 'none'}")
    assert len(Cluster().objects(Target("Node"))) == 3


def test_private_keys_stay_in_memory(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    disconnect()
    assert Cluster().objects(Target("Node"))
    assert not [path for path in tmp_path.iterdir() if path.is_file()]
    assert cluster.session.configuration.key_file is None


def test_exec_and_logs(cluster: Cluster, namespace: str, real_cluster: RealCluster) -> None:
    cluster.apply(pod("runner", namespace))
    from projects.core.cluster.conditions import Condition  # noqa: PLC0415 - this test's alone
    from projects.core.cluster.waiting import wait_for  # noqa: PLC0415

    target = Target("Pod", "v1", "runner", namespace)
    wait_for(cluster, target, Condition("ready"), 60)
    awkward = ["printf", "%s\n", "a b", "'\"", "$HOME", "{{ x }}", "é"]
    done = execute(cluster, target, awkward, timeout=20)
    assert (done.returncode, done.stdout) == (0, "a b\n'\"\n$HOME\n{{ x }}\né\n")
    failed = execute(cluster, target, ["bash", "-c", "echo out; echo err >&2; exit 7"], timeout=20)
    assert (failed.returncode, failed.stdout, failed.stderr) == (7, "out\n", "err\n")
    assert execute(cluster, target, ["cat"], stdin="x" * 100_000, timeout=20).stdout == "x" * 100_000
    with pytest.raises(TimedOut, match="timed out after 1 s waiting for `bash -c echo so-far"):
        execute(cluster, target, ["bash", "-c", "echo so-far; sleep 20"], timeout=1)
    with pytest.raises(NotFound, match='pods "nobody" not found'):
        execute(cluster, Target("Pod", "v1", "nobody", namespace), ["true"], timeout=5)
    assert "a line of a pod" in cluster.logs("runner", namespace, container="c")
    with pytest.raises(NotFound):
        cluster.logs("nobody", namespace)
