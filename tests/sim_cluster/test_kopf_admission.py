"""A kopf operator whose admission handlers both APIs call: a client of webhooks that nobody here wrote."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.sim_cluster.api.certificates import Authority
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.talk import DEFINITIONS, MERGE, Client

ROOT = Path(__file__).parents[2]
OPERATOR = Path(__file__).with_name("kopf_admission.py")
GROUP = "/apis/admissionregistration.k8s.io/v1"
SPEC = {
    "type": "object",
    "properties": {"size": {"type": "integer"}, "colour": {"type": "string"}},
    "required": ["size"],
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "boxes.admission.kopf.example.dev"},
    "spec": {
        "group": "admission.kopf.example.dev",
        "scope": "Namespaced",
        "names": {"kind": "Box", "plural": "boxes", "singular": "box"},
        "versions": [
            {"name": "v1", "served": True, "storage": True,
             "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}}}
        ],
    },
}  # fmt: skip


@pytest.fixture
def space(either: Client, new_name: Any) -> Iterator[str]:
    """A namespace, and the operator's kind; both, and what the operator configures, are gone after the test."""
    name: str = new_name("kopf")
    either.define(DEFINITION)
    yield make_namespace(either, name)
    for kind in ("validating", "mutating"):
        either.ask("DELETE", f"{GROUP}/{kind}webhookconfigurations/{name}.kopf.dev")
    either.ask("DELETE", f"/api/v1/namespaces/{name}")
    either.ask("DELETE", f"{DEFINITIONS}/boxes.admission.kopf.example.dev")


@pytest.fixture
def operator(either: Client, space: str, tmp_path: Path) -> Iterator[Path]:
    """The operator as a process, with a certificate for its server; its log."""
    authority = Authority("kopf")
    issued = authority.for_server()
    for name, content in (
        ("cafile", authority.certificate),
        ("certfile", issued.certificate),
        ("pkeyfile", issued.key),
    ):
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace", space, str(OPERATOR)]
    environment = {"KUBECONFIG": str(either.kubeconfig), "HOME": str(tmp_path), "CERTIFICATES": str(tmp_path)}
    log = tmp_path / "operator.log"
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment, "MANAGED": f"{space}.kopf.dev"},
                                   stdout=file, stderr=subprocess.STDOUT)  # fmt: skip
        yield log
        process.send_signal(signal.SIGINT)
        process.wait(timeout=90)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.mark.usefixtures("operator")
def test_what_an_operator_admits(either: Client, space: str) -> None:
    boxes = f"/apis/admission.kopf.example.dev/v1/namespaces/{space}/boxes"

    def box(size: int, **spec: Any) -> dict[str, Any]:
        return {
            "apiVersion": "admission.kopf.example.dev/v1",
            "kind": "Box",
            "metadata": {"name": "b"},
            "spec": {"size": size, **spec},
        }

    for kind in ("validating", "mutating"):
        either.until(f"{GROUP}/{kind}webhookconfigurations/{space}.kopf.dev", lambda found: found.get("webhooks"), 90)
    either.try_creating(boxes, box(6), lambda answer: answer.status == 422)
    either.try_creating(
        boxes, box(1), lambda answer: answer.status == 201 and answer.body["spec"].get("colour") == "grey"
    )
    refused = either.ask("POST", boxes, box(7))
    assert refused.status == 422, refused
    said = refused.body["message"]
    assert re.fullmatch(r'admission webhook "check\..*" denied the request: 7 is too large', said), said
    made = either.ask("POST", boxes, box(5))
    assert (made.status, made.body["spec"]) == (201, {"size": 5, "colour": "grey"})
    assert made.headers["warning"] == '299 - "as large as can be"'
    assert either.ask("PATCH", f"{boxes}/b", {"spec": {"size": 9}}, MERGE).status == 422
    assert (
        either.ask("PATCH", f"{boxes}/b", {"spec": {"size": 2, "colour": None}}, MERGE).body["spec"]["colour"] == "grey"
    )
    assert either.ask("DELETE", f"{boxes}/b").status == 200
