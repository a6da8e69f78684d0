"""What may know of what; what is read before it is trusted."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.protobuf import Decoder
from projects.sim_cluster.api.recorded import record

PACKAGE = Path(__file__).parents[2] / "projects" / "sim_cluster"


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("projects")}


def test_the_api_and_the_behaviours_know_nothing_of_each_other() -> None:
    for path in PACKAGE.rglob("*.py"):
        allowed: tuple[str, ...] = ("projects.sim_cluster",)
        if path.parent.name in {"api", "behaviours"}:
            allowed = (f"projects.sim_cluster.{path.parent.name}",)
        if path.parent.name == "api":
            allowed += ("projects.sim_cluster.clock",)  # the API's own timers go by it; it knows neither
        assert {name for name in imports_of(path) if not name.startswith(allowed)} == set(), path


def test_the_command_line_is_read_without_the_server() -> None:
    heavy = ("cryptography", "kubernetes", "starlette", "uvicorn", "yaml", "asyncio")
    code = f"import sys, projects.sim_cluster.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def message(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def body(kind: str, raw: bytes, api_version: str = "v1") -> bytes:
    meta = message(1, api_version.encode()) + message(2, kind.encode())
    return b"k8s\0" + message(1, meta) + message(2, raw)


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(record().messages, record().definitions.by_kind)


def test_protobuf_is_what_json_would_be(decoder: Decoder) -> None:
    entry = message(1, b"a") + message(2, b"1")
    decoded = decoder.decode(body("ConfigMap", message(1, message(1, b"m")) + message(2, entry)))
    assert decoded == {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "m"}, "data": {"a": "1"}}


@pytest.mark.parametrize(("sent", "code"), [
    (b"{}", 400), (b"k8s\0", 400), (body("ConfigMap", b"\x0a\xff"), 400), (body("ConfigMap", message(14, b"x")), 501), (body("Nope", b""), 501),
])  # fmt: skip
def test_protobuf_that_is_not_understood_is_refused(decoder: Decoder, sent: bytes, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        decoder.decode(sent)
    assert caught.value.code == code


def test_the_record_is_whole() -> None:
    definitions = record().definitions
    references = {part.split('"')[0] for part in json.dumps(definitions.raw).split("#/components/schemas/")[1:]}
    assert references <= definitions.raw.keys()
    assert definitions.schema("io.k8s.api.core.v1.Container").child("ports") is not None
