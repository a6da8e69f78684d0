from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.capturing import Read, capture, check_files
from projects.core.cluster.conditions import Condition
from projects.core.cluster.waiting import wait_for
from projects.core.values.errors import Forbidden, Unreachable, UsageError
from projects.core.values.redaction import MASK
from tests.core.cluster.test_api import pod

pytestmark = pytest.mark.envtest


def test_files_of_each_format(cluster: Cluster, tmp_path: Path) -> None:
    files = ["nodes.status", "nodes.yaml", "nodes.json", "nodes.desc", "nodes.names"]
    captured = capture(cluster, [Read(files, Target("Node"))], tmp_path)
    assert sorted(captured.written) == sorted(files)
    status = (tmp_path / "nodes.status").read_text().splitlines()
    assert status[0].split()[:5] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert "INTERNAL-IP" in status[0]
    assert [line.split()[1] for line in status[1:]] == ["Ready"] * 3
    listed = yaml.safe_load((tmp_path / "nodes.yaml").read_text())
    assert [each["kind"] for each in listed["items"]] == ["Node"] * 3
    assert "managedFields" not in (tmp_path / "nodes.json").read_text()
    assert (tmp_path / "nodes.names").read_text().split() == ["kwok-0", "kwok-1", "kwok-2"]
    assert "# Node kwok-1" in (tmp_path / "nodes.desc").read_text()


def test_each_read_is_done_once(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[str] = []
    request = cluster.session.dynamic.request

    def spy(method: str, url: str, **options: Any) -> Any:
        paths.append(url.partition("?")[0])
        return request(method, url, **options)

    monkeypatch.setattr(cluster.session.dynamic, "request", spy)
    capture(cluster, [Read(["nodes.status", "nodes.yaml", "nodes.json"], Target("Node"))], tmp_path)
    assert [path for path in paths if "nodes" in path] == ["/api/v1/nodes"]


def test_missing_kinds_are_skipped_and_failures_listed(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Cluster.snapshot

    def snapshot(self: Cluster, target: Target) -> Any:
        if target.kind == "Secret":
            raise Forbidden("you may not")
        return read(self, target)

    monkeypatch.setattr(Cluster, "snapshot", snapshot)
    reads = [
        Read(["machines.yaml"], Target("Machine", "machine.openshift.io/v1beta1")),
        Read(["secrets.yaml"], Target("Secret", "v1")),
        Read(["x.yaml"], Target("ConfigMap", "v1", "no-such", "default")),
        Read(["ocp_version.yml"], fields={"ocp.version": "openshiftVersion", "git": "serverVersion.gitVersion"}),
        Read(["nodes.yaml"], Target("Node")),
    ]
    captured = capture(cluster, reads, tmp_path)
    assert sorted(captured.written) == ["git", "nodes.yaml", "ocp_version.yml"]
    assert set(captured.skipped) == {"Machine objects", "ConfigMap default/no-such"}
    assert captured.failed == {"Secret objects": "you may not"}
    assert (tmp_path / "git").read_text().startswith("v1.")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "git",
        "nodes.yaml",
        "ocp_version.yml",
    ]


def test_secrets_are_captured_without_their_values(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    metadata = {"name": "s", "namespace": namespace}
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"k": "hidden-value"}})
    capture(cluster, [Read(["s.yaml", "s.json", "s.status"], Target("Secret", "v1", namespace=namespace))], tmp_path)
    assert MASK in (tmp_path / "s.yaml").read_text()
    assert not [path for path in tmp_path.glob("s.*") if "aGlkZGVu" in path.read_text()]


def test_events_and_logs(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    cluster.apply(pod("talker", namespace))
    target = Target("Pod", "v1", "talker", namespace)
    wait_for(cluster, target, Condition("ready"), 60)
    # The scheduler writes its event a moment after it has bound the pod.
    wait_for(cluster, Target("Event", "v1", namespace=namespace, fields="reason=Scheduled"), Condition(), 60)
    capture(
        cluster, [Read(["pods.desc", "pods.log", "pods.status"], Target("Pod", "v1", namespace=namespace))], tmp_path
    )
    assert "Scheduled" in (tmp_path / "pods.desc").read_text()
    log = (tmp_path / "pods.log").read_text()
    assert f"==> {namespace}/talker c <==" in log
    assert "a line of a pod" in log


def test_an_unreachable_server_fails_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kubeconfig"
    entry = {
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "x", "user": {}}],
    }
    path.write_text(
        yaml.safe_dump(
            {**entry, "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}], "current-context": "x"}
        )
    )
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        capture(Cluster(), [Read(["nodes.yaml"], Target("Node"))] * 5, tmp_path)


def test_an_ending_says_the_format() -> None:
    check_files(["a.status", "b.yml"])
    with pytest.raises(UsageError, match=r"the file nodes.txt does not say its format; the endings are .status"):
        check_files(["nodes.txt"])
