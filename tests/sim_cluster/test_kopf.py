"""A kopf operator at work on the simulated API and on the real one: custom resources, finalizers, timers, children, events."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.talk import DEFINITIONS, Client, named

ROOT = Path(__file__).parents[2]
OPERATOR = Path(__file__).with_name("kopf_operator.py")
FINALIZER = "kopf.example.dev/held"
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "caches.kopf.example.dev"},
    "spec": {
        "group": "kopf.example.dev",
        "scope": "Namespaced",
        "names": {"kind": "Cache", "plural": "caches", "singular": "cache"},
        "versions": [
            {
                "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 0}}, "required": ["size"]},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}  # fmt: skip


@pytest.fixture
def space(either: Client, new_name: Any) -> Iterator[str]:
    """A namespace, and the operator's kind; both are gone after the test."""
    name: str = new_name("kopf")
    either.define(DEFINITION)
    yield make_namespace(either, name)
    either.ask("DELETE", f"/api/v1/namespaces/{name}")
    either.ask("DELETE", f"{DEFINITIONS}/caches.kopf.example.dev")


@pytest.fixture
def operator(either: Client, space: str, tmp_path: Path) -> Iterator[Path]:
    """The operator as a process; its log."""
    command = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace", space, str(OPERATOR)]
    log = tmp_path / "operator.log"
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "KUBECONFIG": str(either.kubeconfig), "HOME": str(tmp_path)},
                                   stdout=file, stderr=subprocess.STDOUT)  # fmt: skip
        yield log
        process.send_signal(signal.SIGINT)
        process.wait(timeout=90)
    assert "Traceback" not in log.read_text(), log.read_text()


def test_the_life_of_a_custom_resource(either: Client, space: str, operator: Path) -> None:
    caches = f"/apis/kopf.example.dev/v1/namespaces/{space}/caches"
    deployments = f"/apis/apps/v1/namespaces/{space}/deployments"
    cache = {"apiVersion": "kopf.example.dev/v1", "kind": "Cache", "metadata": {"name": "c"}, "spec": {"size": 2}}
    either.post(caches, cache)

    def said() -> str:
        return operator.read_text()

    found = either.until(f"{caches}/c", lambda seen: seen.get("status", {}).get("make_deployment"), 90)
    made = either.until(f"{deployments}/c", lambda seen: seen["status"].get("readyReplicas") == 2, 90)
    assert made["metadata"]["uid"] == found["status"]["make_deployment"]["uid"]
    [owner] = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (
        "Cache",
        found["metadata"]["uid"],
        True,
        True,
    )
    assert found["metadata"]["finalizers"] == [FINALIZER]
    assert "the first attempt always fails" in said()

    found = either.until(
        f"{caches}/c",
        lambda seen: len(seen["status"].get("running", ())) == 2 and seen["status"].get("ticks", 0) > 2,
        90,
    )
    pods = either.get(f"/api/v1/namespaces/{space}/pods?labelSelector=cache%3Dc")["items"]
    assert found["status"]["running"] == sorted(pod["metadata"]["name"] for pod in pods)
    either.until(f"/api/v1/namespaces/{space}/configmaps/c-attended", lambda seen: seen["metadata"]["ownerReferences"])

    either.merge(f"{caches}/c", {"spec": {"size": 3}})
    either.until(f"{deployments}/c", lambda seen: seen["status"].get("readyReplicas") == 3, 90)
    assert either.until(f"{caches}/c", lambda seen: "resized" in seen["status"])["status"]["resized"] == "2 to 3"
    refused = either.ask("PATCH", f"{caches}/c", {"spec": {"size": -1}}, "application/merge-patch+json")
    assert refused.status == 422

    # kopf posts events beside its work, one after the other.
    events = either.eventually(
        f"/api/v1/namespaces/{space}/events?fieldSelector=involvedObject.kind%3DCache,involvedObject.name%3Dc",
        lambda listed: {"Made", "Logging"} <= {each["reason"] for each in listed["items"]},
    )["items"]
    assert {each["message"] for each in events if each["reason"] == "Made"} == {"Deployment c with 2 pods"}

    assert either.ask("DELETE", f"{caches}/c").status == 200
    assert either.until(f"/api/v1/namespaces/{space}/configmaps/c-was-here", lambda _: True, 90)["data"] == {
        "by": "kopf"
    }
    # The real garbage collector takes half a minute to notice a kind that is new.
    either.gone(named(caches, "c"), 90)
    either.gone(named(deployments, "c"), 90)
    either.gone(named(f"/api/v1/namespaces/{space}/configmaps", "c-attended"), 90)
