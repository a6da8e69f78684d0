"""The same kubectl lines on the real control plane and on the simulated one: what a person reads must be the same."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.talk import Client, Kubectl, config_map, deployment

pytestmark = pytest.mark.envtest
Lines = tuple[str, ...]


@pytest.fixture
def pair(
    judge: Client, client: Client, kubectl: Kubectl, new_name: Callable[[str], str], tmp_path: Path
) -> Iterator[tuple[tuple[Kubectl, Kubectl], str]]:
    name = new_name("lines")
    for api in (judge, client):
        make_namespace(api, name)
    yield (Kubectl(judge.kubeconfig, kubectl.binary, tmp_path), kubectl), name
    for api in (judge, client):
        api.ask("DELETE", f"/api/v1/namespaces/{name}")


def comparable(text: str) -> str:
    """Return what kubectl printed without what differs between any two clusters."""
    text = re.sub(r"\b\d+(\.\d+)?(s|m|h|ms)(\d+s)?\b", "<age>", text)
    text = re.sub(r"\b10\.\d+\.\d+\.\d+\b", "<ip>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "<time>", text)
    text = re.sub(r"\b(d|j|ds)(-[a-z0-9]{8,10})?-[a-z0-9]{5}\b", r"\1-<pod>", text)
    text = re.sub(r"\b(d|s)-[a-z0-9]{8,10}\b", r"\1-<hash>", text)
    text = re.sub(r"pod-template-hash=\w+", "pod-template-hash=<hash>", text)
    text = re.sub(r"(controller-uid=)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>", text)
    text = re.sub(r"\b(kwok|worker)-\d\b", "<node>", text)
    return re.sub(r"[ -]{2,}", "  ", text)


def play(pair: tuple[tuple[Kubectl, Kubectl], str], lines: list[Lines], stdin: Any = None) -> None:
    """Run each line on both; exit status, output and errors must be the same."""
    both, namespace = pair
    different = []
    for line in lines:
        said = []
        for kubectl in both:
            done = kubectl.run("-n", namespace, *line, stdin=json.dumps(stdin) if stdin else None, check=False)
            said.append(f"{done.returncode}\n{comparable(done.stdout)}\n{comparable(done.stderr)}")
        if said[0] != said[1]:
            different.append(f"kubectl {' '.join(line)}\n--- real\n{said[0]}\n--- simulated\n{said[1]}")
    assert not different, "\n".join(different)


def apply_to_both(pair: tuple[tuple[Kubectl, Kubectl], str], *documents: dict[str, Any]) -> None:
    for kubectl in pair[0]:
        for document in documents:
            kubectl("apply", "-n", pair[1], "-f", "-", stdin=json.dumps(document))


def named(kind: str, **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "c", "image": "registry.invalid/c:1"}]},
    }
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": {"StatefulSet": "s", "DaemonSet": "ds"}[kind]},
            "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template, **spec}}  # fmt: skip


def test_tables(pair: tuple[tuple[Kubectl, Kubectl], str]) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "registry.invalid/c:1"}]}}}}  # fmt: skip
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "svc"},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "d"}},
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "secret"}, "stringData": {"a": "b"}}
    workloads = [
        deployment("d", pair[1], 2),
        named("StatefulSet", replicas=2, serviceName="s"),
        named("DaemonSet"),
        job,
    ]
    apply_to_both(pair, *workloads, service, secret, config_map("m"))
    for kubectl in pair[0]:
        for what in ("deployment/d", "statefulset/s", "daemonset/ds"):
            kubectl("rollout", "status", "-n", pair[1], what, "--timeout=90s")
        kubectl("wait", "-n", pair[1], "--for=condition=Complete", "job/j", "--timeout=90s")
    kinds = (
        "deployments",
        "statefulsets",
        "daemonsets",
        "jobs",
        "services",
        "secrets",
        "configmaps",
        "serviceaccounts",
    )
    play(pair, [
        *(("get", kind) for kind in kinds),
        *(("get", kind, "-o", "wide") for kind in ("deployments", "statefulsets", "daemonsets", "jobs", "services", "replicasets")),
        *(("get", kind, "-o", "name") for kind in kinds),
        ("get", "pods", "-l", "app=d"),
        ("get", "pods", "--field-selector=status.phase=Succeeded"),
        ("get", "pods", "-l", "app=d", "--no-headers"),
        ("get", "deployment", "d", "-o", "custom-columns=NAME:.metadata.name,READY:.status.readyReplicas"),
        ("get", "deployment", "d", "--show-labels"),
        ("get", "limitranges,resourcequotas,persistentvolumeclaims"),
        ("rollout", "history", "deployment/d"),
    ])  # fmt: skip


def test_lines_that_change_things(pair: tuple[tuple[Kubectl, Kubectl], str]) -> None:
    apply_to_both(pair, config_map("m"))
    play(pair, [
        ("label", "configmap", "m", "a=b"),
        ("label", "configmap", "m", "a=c"),
        ("label", "configmap", "m", "a=c", "--overwrite"),
        ("annotate", "configmap", "m", "a=b"),
        ("patch", "configmap", "m", "--type=merge", '-p={"data":{"b":"2"}}'),
        ("patch", "configmap", "m", "--type=merge", '-p={"data":{"b":"2"}}'),
        ("patch", "configmap", "m", "--type=json", '-p=[{"op":"remove","path":"/data/zz"}]'),
        ("patch", "configmap", "m", '-p={"data":{"b":2}}'),
        ("get", "configmap", "m", "-o", "jsonpath={.data}"),
        ("create", "configmap", "m"),
        ("get", "configmap", "nope"),
        ("get", "nope"),
        ("delete", "configmap", "nope"),
        ("delete", "configmap", "nope", "--ignore-not-found"),
        ("create", "configmap", "Bad_Name"),
        ("create", "quota", "q", "--hard=pods=x"),
        ("scale", "deployment", "nope", "--replicas=2"),
        ("logs", "nope"),
        ("wait", "--for=delete", "configmap/nope", "--timeout=1s"),
        ("auth", "can-i", "create", "pods"),
        ("delete", "configmap", "m"),
    ])  # fmt: skip


def test_apply_in_both_ways(pair: tuple[tuple[Kubectl, Kubectl], str]) -> None:
    first = deployment("d", pair[1], 0)
    second = json.loads(json.dumps(first))
    second["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "registry.invalid/side:1"})
    wrong = {**first, "sepc": {}}
    for document in (first, second, second, first, wrong):
        play(pair, [("apply", "-f", "-")], document)
    for document in (first, second, first, wrong):
        play(
            pair,
            [("apply", "--server-side", "-f", "-"), ("apply", "--server-side", "--force-conflicts", "-f", "-")],
            document,
        )
    for kubectl in pair[0]:  # until its controller is done with it, which writes what a diff would show
        kubectl("rollout", "status", "-n", pair[1], "deployment/d", "--timeout=90s")
    play(pair, [("diff", "-f", "-")], first)
    play(pair, [
        ("get", "deployment", "d", "-o", "jsonpath={.spec.template.spec.containers[*].name}"),
        ("get", "deployment", "d", "--show-managed-fields", "-o", "jsonpath={.metadata.managedFields[?(@.operation=='Apply')]['manager','fieldsV1']}"),
    ])  # fmt: skip
