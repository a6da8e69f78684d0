"""What we write of OpenShift's kinds, held against their real definitions (../shared/crds): objects, and our own small schemas."""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.packages.shipped import SHIPPED
from projects.sim_cluster.shapes import openshift
from projects.sim_cluster.shapes.definitions import AGGREGATED, CUSTOM

DEFINITIONS = Path(__file__).parents[3] / "shared" / "crds"
KINDS = [*CUSTOM, *AGGREGATED, *(kind for package in SHIPPED for kind in package.kinds)]
#: Those of OpenShift's fork are not among them; the upstream project's have the same fields.
ELSEWHERE = {"nfd.openshift.io": "nfd.kubernetes.io"}
pytestmark = pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="the real definitions (../shared/crds) are absent")


@lru_cache
def real_schema(group: str, version: str, plural: str) -> Any:
    path = DEFINITIONS / f"{plural}.{ELSEWHERE.get(group, group)}.json"
    if not path.exists():
        return None
    versions = json.loads(path.read_text(encoding="utf-8"))["spec"]["versions"]
    found = next((each for each in versions if each["name"] == version), versions[0])
    return found["schema"]["openAPIV3Schema"]


def schema_of(kind: Any) -> Any:
    group, version = kind.api.split("/")
    return real_schema(group, version, kind.plural)


def differences(ours: Any, real: Any, path: str) -> Iterator[str]:  # noqa: C901 - a list of what can differ
    """Yield where a schema of ours says something else than the real one; it may say less of what is in an object."""
    if real.get("x-kubernetes-int-or-string") or ours.get("x-kubernetes-int-or-string"):
        if real.get("x-kubernetes-int-or-string") != ours.get("x-kubernetes-int-or-string"):
            yield f"{path}: only one of both may be an integer or a string"
        return
    if ours["type"] != real["type"]:
        yield f"{path}: {ours['type']}, really {real['type']}"
    if "enum" in ours and sorted(ours["enum"]) != sorted(real.get("enum", [])):
        yield f"{path}: one of {ours['enum']}, really one of {real.get('enum')}"
    if "default" in ours and ours["default"] != real.get("default"):
        yield f"{path}: {ours['default']!r} by default, really {real.get('default')!r}"
    if "properties" not in ours:
        return
    if missing := set(real.get("properties", {})) - set(ours["properties"]):
        yield f"{path}: does not know {sorted(missing)}"
    if sorted(ours.get("required", ())) != sorted(real.get("required", ())):
        yield f"{path}: must have {ours.get('required')}, really {real.get('required')}"
    for name, schema in ours["properties"].items():
        if name not in real.get("properties", {}):
            yield f"{path}.{name}: does not exist"
        else:
            yield from differences(schema, real["properties"][name], f"{path}.{name}")


def mistakes(value: Any, schema: Any, path: str) -> Iterator[str]:  # noqa: C901 - a list of what can be wrong
    """Yield where a value has a field that its schema does not know, lacks one that it asks for, or is of another type."""
    if schema.get("x-kubernetes-preserve-unknown-fields") and "properties" not in schema:
        return
    if value is None or schema.get("x-kubernetes-int-or-string"):
        return
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": int | float}
    if not isinstance(value, types[schema["type"]]):
        yield f"{path}: expected {schema['type']}, found {value!r}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path}: expected one of {schema['enum']}, found {value!r}"
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from mistakes(each, schema["items"], f"{path}[{index}]")
    elif isinstance(value, dict):
        yield from (f"{path}.{key}: missing" for key in schema.get("required", ()) if key not in value)
        for key, each in value.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if isinstance(inner, dict):
                yield from mistakes(each, inner, f"{path}.{key}")
            elif not inner and not schema.get("x-kubernetes-preserve-unknown-fields"):
                yield f"{path}.{key}: unknown"


def test_what_a_cluster_starts_with_is_valid_by_the_real_definitions() -> None:
    by_kind = {(kind.api, kind.kind): schema_of(kind) for kind in KINDS}
    found: list[str] = []
    for obj in openshift.objects(ClusterOptions(nodes=1).settled(), SHIPPED, "2026-01-01T00:00:00Z"):
        if (schema := by_kind.get((obj["apiVersion"], obj["kind"]))) is not None:
            fields = {**obj, "metadata": {}}
            found += mistakes(fields, schema, f"{obj['kind']} {obj['metadata']['name']}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "kind",
    [kind for package in SHIPPED for kind in package.kinds if kind.example and schema_of(kind)],
    ids=lambda kind: kind.kind,
)
def test_examples_are_valid_by_the_real_definitions(kind: Any) -> None:
    assert not list(mistakes({**kind.example, "metadata": {}}, schema_of(kind), kind.kind))


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.fields and schema_of(kind)], ids=lambda kind: kind.kind
)
def test_our_small_schemas_agree_with_the_real_definitions(kind: Any) -> None:
    real = schema_of(kind)["properties"]
    found = [each for name, schema in kind.fields.items() for each in differences(schema, real[name], name)]
    assert not found, "\n".join(found)
