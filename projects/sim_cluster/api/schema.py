"""How an object of a kind is built: fields, lists with keys, maps. Read by decoding, patches and apply.

A `Schema` is a lazy view of one node of an OpenAPI document (Kubernetes' definitions) or of a CRD's structural schema.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_TIMES: Final = frozenset(f"io.k8s.apimachinery.pkg.apis.meta.v1.{name}" for name in ("Time", "MicroTime"))
_NEVER, _NEVER_POINTER = 3, 4  # what the record says of a field that JSON never leaves out
_QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
DECLARED_METADATA: Final = "x-declared-metadata"
"""Where the schema of a custom resource keeps what its definition says of metadata."""
_ZEROS: Final[dict[str, Any]] = {
    "string": "", "int": 0, "float": 0, "bool": False, _QUANTITY: "0", "io.k8s.apimachinery.pkg.util.intstr.IntOrString": 0,
}  # fmt: skip


class Definitions:
    """The named schemas of an OpenAPI document, with what Go's types add: which fields JSON leaves out when empty."""

    def __init__(self, definitions: dict[str, Any], messages: dict[str, dict[str, list[Any]]] | None = None) -> None:
        self.raw = definitions
        self.messages = messages or {}
        self._schemas: dict[str, Schema] = {}

    def schema(self, name: str) -> Schema:
        """Return the schema of that full name."""
        if name not in self._schemas:
            self._schemas[name] = Schema(self.raw[name], self, name)
        return self._schemas[name]

    @cached_property
    def by_kind(self) -> dict[tuple[str, str, str], str]:
        """The names of the top-level kinds, by group, version and kind."""
        found = {}
        for name, node in self.raw.items():
            for kind in node.get("x-kubernetes-group-version-kind", ()):
                found[kind["group"], kind["version"], kind["kind"]] = name
        return found


class Schema:
    """One node: what may stand at one place of an object."""

    def __init__(self, node: dict[str, Any], definitions: Definitions | None = None, name: str = "") -> None:
        self.node, self.definitions, self.name = node, definitions, name
        self._children: dict[str, Schema | None] = {}
        self._keywords: dict[str, bool] = {}

    def _at(self, node: dict[str, Any]) -> Schema:
        if "allOf" in node and len(node["allOf"]) == 1:
            node = {key: value for key, value in node.items() if key not in {"allOf", "default"}} | node["allOf"][0]
        if self.definitions is not None and (ref := node.get("$ref")):
            target = self.definitions.schema(ref.rsplit("/", 1)[-1])
            extra = {key: value for key, value in node.items() if key.startswith("x-kubernetes-")}
            return Schema(target.node | extra, self.definitions, target.name) if extra else target
        return Schema(node, self.definitions)

    @cached_property
    def type(self) -> str:
        """The OpenAPI type; empty where anything may stand."""
        return str(self.node.get("type", "object" if "properties" in self.node else ""))

    @cached_property
    def short_name(self) -> str:
        """The last part of the definition's name: what Go calls the struct."""
        return self.name.rsplit(".", 1)[-1]

    @cached_property
    def is_quantity(self) -> bool:
        """Whether a resource quantity stands here."""
        return self.name == _QUANTITY

    @cached_property
    def is_int_or_string(self) -> bool:
        """Whether a number or a string may stand here."""
        return bool(self.node.get("x-kubernetes-int-or-string")) or self.node.get("format") == "int-or-string"

    @cached_property
    def plain(self) -> builtins.type[Any] | None:
        """The Python class whose every value may stand here as it is; None where there is more to check."""
        if self.is_quantity or self.is_int_or_string or "items" in self.node:
            return None
        if self.node.get("format") == "byte":
            return None
        return {"string": str, "boolean": bool, "integer": int}.get(self.type)

    @cached_property
    def is_open(self) -> bool:
        """Whether any field may stand here."""
        if self.node.get("x-kubernetes-preserve-unknown-fields"):
            return True
        closed = "properties" in self.node or "additionalProperties" in self.node or "items" in self.node
        return not closed and self.type in {"", "object"}

    @cached_property
    def is_map(self) -> bool:
        """Whether it is a map with free keys."""
        return bool(self.node.get("additionalProperties")) and "properties" not in self.node

    @cached_property
    def is_embedded(self) -> bool:
        """Whether a whole object with apiVersion, kind and metadata stands here."""
        return bool(self.node.get("x-kubernetes-embedded-resource"))

    def has(self, keyword: str) -> bool:
        """Return whether a keyword stands here or anywhere inside, as far as definitions are not referred to."""
        if keyword not in self._keywords:
            self._keywords[keyword] = any(keyword in node for node in nodes_of(self.node))
        return self._keywords[keyword]

    def child(self, key: str) -> Schema | None:
        """Return the schema of a field or of a map's value, None when it is not known."""
        if key not in self._children:
            node = self.node.get("properties", {}).get(key)
            if node is None and isinstance(self.node.get("additionalProperties"), dict):
                node = self.node["additionalProperties"]
            self._children[key] = None if node is None else self._at(node)
        return self._children[key]

    @cached_property
    def items(self) -> Schema | None:
        """The schema of a list's elements."""
        node = self.node.get("items")
        return self._at(node) if isinstance(node, dict) else None

    @cached_property
    def omitted_when_empty(self) -> frozenset[str]:
        """Fields that Go leaves out of JSON when they hold their zero value."""
        fields = self.definitions.messages.get(self.name, {}) if self.definitions is not None else {}
        return frozenset(
            name for name, wire, left_out in fields.values() if left_out in {1, 2} and not wire.startswith("io.")
        )

    @cached_property
    def null_times(self) -> frozenset[str]:
        """Times that JSON shows as null when they are not set."""
        fields = self.definitions.messages.get(self.name, {}) if self.definitions is not None else {}
        return frozenset(name for name, wire, left_out in fields.values() if left_out == 1 and wire in _TIMES)

    @cached_property
    def never_left_out(self) -> dict[str, Any]:
        """What JSON shows for the fields that it always shows, when they are not set: zeros, and null for lists and pointers."""
        fields = self.definitions.messages.get(self.name, {}) if self.definitions is not None else {}
        shown = {
            name: _ZEROS.get(wire) if left_out == _NEVER else None
            for name, wire, left_out in fields.values()
            if left_out >= _NEVER
        }
        return {name: value for name, value in shown.items() if name not in {"", "-"} | self.always_there}

    @cached_property
    def null_lists(self) -> frozenset[str]:
        """Lists that JSON shows as null when they are empty: nothing else is left of them in the store."""
        fields = self.definitions.messages.get(self.name, {}) if self.definitions is not None else {}
        return frozenset(
            name for name, wire, left_out in fields.values() if left_out == _NEVER and wire.startswith("[]")
        )

    @cached_property
    def zero(self) -> dict[str, Any]:
        """An object of this kind in which nothing is set, as Go makes it; a custom one is empty."""
        if not self.name:
            return {}
        children = {name: self.child(name) for name in self.always_there}
        return self.never_left_out | {name: child.zero if child else {} for name, child in children.items()}

    def has_field(self, key: str) -> bool:
        """Return whether a key names a field of a struct, not an entry of a map."""
        return key in self.node.get("properties", ())

    @cached_property
    def always_there(self) -> frozenset[str]:
        """Fields that are structs of their own in Go, not pointers: JSON always has them."""
        return frozenset(name for name, node in self.node.get("properties", {}).items() if node.get("default") == {})

    @cached_property
    def required(self) -> frozenset[str]:
        """Fields that must be there."""
        return frozenset(self.node.get("required", ()))

    @cached_property
    def list_keys(self) -> tuple[str, ...]:
        """The keys that identify the elements of an associative list; empty for other lists."""
        is_map = self.node.get("x-kubernetes-list-type") == "map"
        return tuple(self.node.get("x-kubernetes-list-map-keys", ())) if is_map else ()

    @cached_property
    def sorted_keys(self) -> tuple[tuple[str, Any], ...]:
        """The keys of an associative list in order, each with the default that stands for one that is not there."""
        children = ((key, self.items.child(key) if self.items is not None else None) for key in sorted(self.list_keys))
        return tuple((key, None if child is None else child.node.get("default")) for key, child in children)

    @cached_property
    def is_set(self) -> bool:
        """Whether it is a list of distinct scalars that are owned one by one."""
        return self.node.get("x-kubernetes-list-type") == "set"

    @cached_property
    def is_atomic(self) -> bool:
        """Whether a map or a list is owned as a whole: also one of which nothing is known, unless a CRD leaves it open."""
        if self.type == "array":
            return not self.list_keys and not self.is_set
        unknown = self.is_open and not self.node.get("x-kubernetes-preserve-unknown-fields")
        return unknown or self.node.get("x-kubernetes-map-type") == "atomic"

    @property
    def merge_key(self) -> str:
        """The key by which a strategic merge patch merges a list; empty when it replaces it."""
        strategy = str(self.node.get("x-kubernetes-patch-strategy", ""))
        return str(self.node.get("x-kubernetes-patch-merge-key", "")) if "merge" in strategy else ""

    @property
    def merges_scalars(self) -> bool:
        """Whether a strategic merge patch adds to a list of scalars."""
        strategy = str(self.node.get("x-kubernetes-patch-strategy", ""))
        return "merge" in strategy and "x-kubernetes-patch-merge-key" not in self.node


def nodes_of(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a document, such as a schema as its definition has it: each before what is inside."""
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from nodes_of(inner)


def custom_schema(openapi: dict[str, Any] | None, definitions: Definitions) -> Schema:
    """Return the schema of a CRD's version, with the metadata that every object has."""
    node = dict(openapi or {"x-kubernetes-preserve-unknown-fields": True})
    node.setdefault("type", "object")
    properties = dict(node.get("properties", {}))
    node[DECLARED_METADATA] = properties.get("metadata", {})
    properties["metadata"] = {"$ref": f"#/definitions/{_METADATA}"}
    properties |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    return Schema(node | {"properties": properties}, definitions)
