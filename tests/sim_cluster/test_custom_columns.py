"""What printer columns of custom resources show of values of any type: asked of both APIs."""

from collections.abc import Callable
from typing import Any

from tests.sim_cluster.talk import Client

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PATHS = (
    ".list",
    ".null",
    ".missing",
    ".map",
    ".flag",
    ".whole",
    ".part",
    ".empty",
    ".text",
    ".nested",
    ".list[*]",
    ".empty[*]",
)
TYPES = ("string", "integer", "number", "boolean", "date")
OBJECT = {
    "list": ["a", "b"], "null": None, "map": {"z": 1, "k": "v"}, "flag": True, "whole": 5, "part": 1.5, "empty": [], "text": "täxt",
    "nested": [{"a": "b"}, 2],
}  # fmt: skip


def definition(group: str) -> Any:
    columns = [{"name": f"{kind} {path}", "type": kind, "jsonPath": path} for kind in TYPES for path in PATHS]
    version = {
        "name": "v1", "served": True, "storage": True, "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }  # fmt: skip
    spec = {"group": group, "scope": "Cluster", "names": {"kind": "Shown", "plural": "showns"}, "versions": [version]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"showns.{group}"},
        "spec": spec,
    }


def shown(client: Client, group: str) -> dict[str, Any]:
    client.define(definition(group))
    made = {"apiVersion": f"{group}/v1", "kind": "Shown", "metadata": {"name": "one"}} | OBJECT
    client.post(f"/apis/{group}/v1/showns", made)
    table = client.get(f"/apis/{group}/v1/showns", accept=TABLE)
    return {
        column["name"]: cell for column, cell in zip(table["columnDefinitions"], table["rows"][0]["cells"], strict=True)
    }


def test_columns_show_what_the_real_ones_show(client: Client, judge: Client, new_name: Callable[[str], str]) -> None:
    group = f"{new_name('columns')}.example.com"
    assert shown(client, group) == shown(judge, group)
