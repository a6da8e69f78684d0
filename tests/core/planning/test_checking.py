from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.cluster.api import Cluster
from projects.core.cluster.session import disconnect
from projects.core.execution.planned import PlannedTask
from projects.core.planning import checking
from projects.core.planning.needs import needs
from projects.core.planning.questions import (
    Answers,
    DefaultStorageClassIsThere,
    Matches,
    MayDo,
    NamespaceIsThere,
    PullSecretIsThere,
    Question,
    SecretFileIsThere,
    Served,
    StorageClassIsThere,
)
from projects.core.planning.tree import Node, Plan
from projects.core.record.plan_notes import Note
from projects.core.record.steps import Step
from projects.core.values.outcomes import Status
from tests.conftest import RealCluster
from tests.core.execution.test_plan_gate import KUBECONFIG, listener


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FORESAIL_CACHE_DIR", str(tmp_path / "cache"))
    yield
    disconnect()


def plan_of(*tasks: PlannedTask, name: str = "probe it", **options: Any) -> Plan:
    step = Step("1", None, "command", name, "000__it", status=options.pop("status", Status.PLANNED))
    return Plan("probe", [Node(step, tasks=list(tasks), **options)], 0)


def task(verb: str, *objects: dict[str, Any], **options: Any) -> PlannedTask:
    return PlannedTask("T", "a", "p", does=verb, verb=verb, objects=list(objects), **options)


def applied(*manifests: dict[str, Any]) -> PlannedTask:
    objects = [
        {
            "kind": each["kind"],
            "api_version": each["apiVersion"],
            "name": each["metadata"]["name"],
            **({"namespace": each["metadata"]["namespace"]} if "namespace" in each["metadata"] else {}),
        }
        for each in manifests
    ]
    return task("apply", *objects, manifests=list(manifests))


def manifest(kind: str, name: str, version: str = "v1", namespace: str | None = None, **rest: Any) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **place}, **rest}


def asked(plan: Plan, kind: type[Question]) -> list[Question]:
    return [each for each in needs(plan) if isinstance(each, kind)]


def test_every_write_needs_its_permission_and_no_read_does() -> None:
    pod = {"kind": "Pod", "api_version": "v1", "name": "p", "namespace": "n"}
    plan = plan_of(
        applied(manifest("Deployment", "d", "apps/v1", "n")),
        task("patch", {**pod, "subresource": "status"}),
        task("delete", {"kind": "Pod", "api_version": "v1", "namespace": "n", "labels": "a=b"}),
        task("exec", {**pod, "subresource": "exec"}),
        task("get", pod),
        task("wait", pod),
        task("capture", {**pod, "optional": True}),
        task("patch", {**pod, "name": "<unknown: x>"}),
        task("delete", pod, skipped="when: false"),
    )
    assert asked(plan, MayDo) == [
        MayDo("patch", "Deployment", "apps/v1", "d", "n", None),
        MayDo("create", "Deployment", "apps/v1", None, "n", None),
        MayDo("patch", "Pod", "v1", "p", "n", "status"),
        MayDo("delete", "Pod", "v1", None, "n", None),
        MayDo("create", "Pod", "v1", None, "n", "exec"),
        MayDo("patch", "Pod", "v1", None, "n", None),
    ]


def test_namespaces_that_the_plan_makes_are_not_needed() -> None:
    plan = plan_of(
        applied(manifest("Namespace", "made")),
        applied(manifest("ConfigMap", "a", namespace="made")),
        applied(manifest("ConfigMap", "b", namespace="needed")),
        task("patch", {"kind": "Namespace", "api_version": "v1", "name": "annotated"}),
        task("patch", {"kind": "Namespace", "api_version": "v1", "name": "made"}),
        task("delete", {"kind": "Pod", "name": "p", "namespace": "gone"}),
    )
    assert asked(plan, NamespaceIsThere) == [NamespaceIsThere("needed"), NamespaceIsThere("annotated")]


def test_kinds_that_the_plan_brings_are_not_needed() -> None:
    plain = applied(manifest("DSC", "d", "x.io/v1"))
    assert asked(plan_of(plain), Served) == [Served("DSC", "x.io/v1")]
    operator = applied(manifest("Subscription", "s", "operators.coreos.com/v1alpha1", "n"))
    assert asked(plan_of(operator, plain), Served) == []


def test_a_selector_has_to_match_unless_the_plan_makes_what_it_selects() -> None:
    nodes = task("wait", {"kind": "Node", "api_version": "v1", "labels": "gpu=yes"})
    pods = task("wait", {"kind": "Pod", "api_version": "v1", "labels": "app=x", "namespace": "n"})
    both = [Matches("Node", "v1", None, "gpu=yes"), Matches("Pod", "v1", "n", "app=x")]
    assert asked(plan_of(nodes, pods, applied(manifest("ConfigMap", "c"))), Matches) == both
    assert asked(plan_of(nodes, pods, applied(manifest("Deployment", "d", "apps/v1"))), Matches) == both[:1]
    machines = applied(manifest("MachineSet", "m", "machine.openshift.io/v1beta1"))
    assert asked(plan_of(nodes, machines), Matches) == []


def test_what_pods_and_claims_need_is_read_from_their_manifests() -> None:
    spec = {
        "containers": [{"name": "c"}],
        "nodeSelector": {"b": "2", "a": "1"},
        "imagePullSecrets": [{"name": "pull"}, {"name": "made"}],
    }
    claims = [{"spec": {"storageClassName": "fast"}}, {"spec": {}}, {"spec": {"storageClassName": ""}}]
    plan = plan_of(
        applied(manifest("Secret", "made", namespace="n")),
        applied(
            manifest(
                "StatefulSet", "s", "apps/v1", "n", spec={"template": {"spec": spec}, "volumeClaimTemplates": claims}
            )
        ),
        applied(manifest("PersistentVolumeClaim", "p", namespace="n", spec={"storageClassName": "slow"})),
    )
    assert asked(plan, Matches) == [Matches("Node", "v1", None, "a=1,b=2")]
    assert asked(plan, PullSecretIsThere) == [PullSecretIsThere("pull", "n")]
    assert asked(plan, StorageClassIsThere) == [StorageClassIsThere("fast"), StorageClassIsThere("slow")]
    assert asked(plan, DefaultStorageClassIsThere) == [DefaultStorageClassIsThere()]


def test_what_several_steps_need_is_asked_once_and_named_with_them() -> None:
    apply = applied(manifest("ConfigMap", "c", namespace="n"))
    one, other = plan_of(apply, apply, name="one"), plan_of(apply, name="other")
    both = Plan("probe", [*one.steps, *other.steps], 0)
    assert needs(both)[NamespaceIsThere("n")] == ["one", "other"]
    assert checking.missing({NamespaceIsThere("n"): []}) != []
    assert str(checking.Missing("no x", ("a", "b", "c", "d"))) == "no x (needed by a, b, c, …)"


def test_what_is_skipped_needs_nothing() -> None:
    assert needs(plan_of(applied(manifest("ConfigMap", "c")), status=Status.SKIPPED)) == {}


def test_code_that_asks_the_cluster_itself_needs_one() -> None:
    assert asked(plan_of(depends_on=["the state of the cluster"]), Answers) == [Answers()]


def test_secret_files_have_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = [Note("secret", f"$PROBE_SECRETS/{name}", "1", "now") for name in ("there", "absent")]
    wanted = needs(plan_of(notes=notes))
    assert list(wanted) == [SecretFileIsThere("PROBE_SECRETS", "there"), SecretFileIsThere("PROBE_SECRETS", "absent")]
    monkeypatch.delenv("PROBE_SECRETS", raising=False)
    assert [each.what for each in checking.missing(wanted)] == [
        "no secret file there: $PROBE_SECRETS is not set",
        "no secret file absent: $PROBE_SECRETS is not set",
    ]
    monkeypatch.setenv("PROBE_SECRETS", str(tmp_path))
    (tmp_path / "there").write_text("value")
    (found,) = checking.missing(wanted)
    assert found.what == f"no secret file absent in the directory that $PROBE_SECRETS names ({tmp_path})"


def test_a_cluster_that_cannot_be_reached_is_one_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listener() as (port, _):
        pass  # and is closed again
    (tmp_path / "kubeconfig").write_text(KUBECONFIG.format(port=port))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    (found,) = checking.missing({NamespaceIsThere(f"n{number}"): ["s"] for number in range(5)})
    assert found.what.startswith(f"no cluster: the API server at 127.0.0.1:{port} is unreachable")


def test_a_cluster_that_hangs_is_one_finding_in_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "WITHIN_S", 1.0)
    with listener() as (port, _):
        (tmp_path / "kubeconfig").write_text(KUBECONFIG.format(port=port))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        began = time.monotonic()
        (found,) = checking.missing({NamespaceIsThere(f"n{number}"): ["s"] for number in range(5)})
        assert time.monotonic() - began < 45, "a minute is what one request may take, and it is no more than that"
    assert found.what.startswith("no cluster: ")


def test_no_kubeconfig_is_one_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    (found,) = checking.missing({NamespaceIsThere("n"): ["s"]})
    assert found.what.startswith("no cluster: there is no kubeconfig at ")


@pytest.mark.envtest
def test_what_a_real_cluster_lacks_is_listed(real_cluster: RealCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(real_cluster.kubeconfig))
    namespace = real_cluster.namespace("check")
    Cluster().apply(manifest("Namespace", namespace))
    there = {
        Served("Pod", "v1"): ["a"],
        NamespaceIsThere(namespace): ["a"],
        MayDo("patch", "Namespace", "v1", namespace, None, None): ["a"],
        MayDo("create", "Pod", "v1", None, namespace, "exec"): ["a"],
        Matches("Node", "v1", None, "kubernetes.io/os"): ["a"],
    }
    assert checking.missing(there) == []
    absent = {
        Served("Poodle", "dogs/v1"): ["a"],
        NamespaceIsThere("none-such"): ["a"],
        MayDo("patch", "Poodle", "dogs/v1", "x", None, None): ["a"],
        Matches("Node", "v1", None, "none=such"): ["a"],
        StorageClassIsThere("none-such"): ["a"],
        PullSecretIsThere("none-such", namespace): ["a"],
    }
    assert [each.what for each in checking.missing(absent)] == [
        "no such kind: Poodle of dogs/v1",
        "no such namespace: none-such",
        "nothing matches: Node objects of none=such",
        "no such storage class: none-such",
        f"no such image pull secret: {namespace}/none-such",
    ]


@pytest.mark.envtest
def test_a_right_that_a_user_lacks_is_listed(
    real_cluster: RealCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(real_cluster.kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(_reader(real_cluster, tmp_path)))
    wanted: dict[Question, list[str]] = {
        MayDo("patch", "Namespace", "v1", "default", None, None): ["cluster set_project_annotation"],
        MayDo("create", "Deployment", "apps/v1", None, "default", None): ["a"],
        MayDo("create", "Pod", "v1", None, "default", "exec"): ["a"],
    }
    assert [str(each) for each in checking.missing(wanted)] == [
        "not permitted: patch namespaces/default (needed by cluster set_project_annotation)",
        "not permitted: create deployments.apps in default (needed by a)",
        "not permitted: create pods/exec in default (needed by a)",
    ]


def _reader(real_cluster: RealCluster, directory: Path) -> Path:
    """Return a kubeconfig of a service account that may do nothing."""
    cluster = Cluster()
    account = real_cluster.namespace("reader")
    cluster.apply(manifest("ServiceAccount", account, namespace="default"))
    path = f"/api/v1/namespaces/default/serviceaccounts/{account}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = cluster.session.json("POST", path, body=body)["status"]["token"]
    document = yaml.safe_load(real_cluster.kubeconfig.read_text())
    document["users"] = [{"name": document["users"][0]["name"], "user": {"token": token}}]
    (directory / "reader").write_text(yaml.safe_dump(document))
    return directory / "reader"
