"""OpenAPI documents made from the registry: what kubectl reads before it applies, explains or diffs. Called by `http`.

The schemas are the recorded ones, without their prose; the paths are those that are served.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from projects.sim_cluster.api.kinds import Kind, Object, Registry
from projects.sim_cluster.api.schema import Definitions

_WRITE_PARAMETERS: Final = ("dryRun", "fieldManager", "fieldValidation")
_VERBS: Final = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
_PATCH_TYPES: Final = (
    "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
)  # fmt: skip


class Documents:
    """The OpenAPI documents of a registry, kept until its kinds change."""

    def __init__(self, registry: Registry, definitions: Definitions, version: str) -> None:
        self.registry, self.definitions, self.version = registry, definitions, version
        self._made: dict[str, tuple[int, bytes]] = {}

    def _kept(self, name: str, make: Any) -> bytes:
        revision, made = self._made.get(name, (-1, b""))
        if revision != self.registry.revision:
            made = json.dumps(make(), separators=(",", ":")).encode()
            self._made[name] = (self.registry.revision, made)
        return made

    def index(self) -> bytes:
        """Return ``/openapi/v3``: one document for each group version."""
        return self._kept("", self._index)

    def _index(self) -> Object:
        paths = {}
        for kind in self.registry:
            path = f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={self._hash(path)}"}
        return {"paths": paths}

    def _hash(self, path: str) -> str:
        return hashlib.sha256(f"{path} {self.registry.revision} {self.version}".encode()).hexdigest().upper()

    def group_version(self, path: str) -> bytes | None:
        """Return the document of ``apis/GROUP/VERSION`` or ``api/v1``."""
        kinds = [
            kind
            for kind in self.registry
            if path == (f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}")
        ]
        return self._kept(path, lambda: self._document(kinds)) if kinds else None

    def _document(self, kinds: list[Kind]) -> Object:
        schemas: dict[str, Any] = {}
        for kind in kinds:
            self._add_schema(schemas, kind)
        paths = {path: operations for kind in kinds for path, operations in _paths(kind, "#/components/schemas/")}
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": self.version},
            "paths": paths,
            "components": {"schemas": schemas},
        }

    def _add_schema(self, schemas: dict[str, Any], kind: Kind) -> None:
        name = schema_name(kind)
        schemas[name] = _renamed(kind.schema.node, "#/components/schemas/") | {
            "x-kubernetes-group-version-kind": [_gvk(kind)]
        }
        pending = list(_references(kind.schema.node))
        while pending:
            reference = pending.pop()
            if reference not in schemas and reference in self.definitions.raw:
                schemas[reference] = _renamed(self.definitions.raw[reference], "#/components/schemas/")
                pending += _references(self.definitions.raw[reference])

    def v2(self) -> bytes:
        """Return ``/openapi/v2``."""
        return self._kept("v2", self._v2)

    def _v2(self) -> Object:
        definitions = dict(self.definitions.raw)
        paths: dict[str, Any] = {}
        for kind in self.registry:
            definitions[schema_name(kind)] = kind.schema.node | {"x-kubernetes-group-version-kind": [_gvk(kind)]}
            paths.update(_paths(kind, "#/definitions/"))
        return {
            "swagger": "2.0",
            "info": {"title": "Kubernetes", "version": self.version},
            "paths": paths,
            "definitions": definitions,
        }


def schema_name(kind: Kind) -> str:
    """Return the name of a kind's schema in the documents."""
    return kind.schema.name or f"{'.'.join(reversed(kind.group.split('.')))}.{kind.version}.{kind.kind}"


def _gvk(kind: Kind) -> Object:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _references(node: Any) -> Iterable[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rsplit("/", 1)[-1]
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _renamed(node: Any, prefix: str) -> Any:
    if isinstance(node, dict):
        return {
            key: prefix + value.rsplit("/", 1)[-1]
            if key == "$ref" and isinstance(value, str)
            else _renamed(value, prefix)
            for key, value in node.items()
        }
    return [_renamed(value, prefix) for value in node] if isinstance(node, list) else node


def _paths(kind: Kind, prefix: str) -> Iterable[tuple[str, Object]]:
    base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    base += "/namespaces/{namespace}/" if kind.namespaced else "/"
    collection = {
        method: _operation(kind, method, prefix)
        for verb, method in (("list", "get"), ("create", "post"))
        if verb in kind.verbs
    }
    yield base + kind.resource, collection
    yield (
        f"{base}{kind.resource}/{{name}}",
        {method: _operation(kind, method, prefix) for verb, method in _VERBS.items() if verb in kind.verbs},
    )


def _operation(kind: Kind, method: str, prefix: str) -> Object:
    actions = {"get": "get", "post": "post", "put": "put", "patch": "patch", "delete": "delete"}
    operation: Object = {"operationId": f"{actions[method]}{kind.group}{kind.version}{kind.kind}", "x-kubernetes-group-version-kind": _gvk(kind),
                         "x-kubernetes-action": actions[method], "responses": {"200": {"description": "OK"}}}  # fmt: skip
    if method in {"post", "put", "patch"}:
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": {"type": "string"}, "type": "string"} for name in _WRITE_PARAMETERS
        ]
        types = _PATCH_TYPES if method == "patch" else ("application/json",)
        operation["requestBody"] = {
            "content": {name: {"schema": {"$ref": prefix + schema_name(kind)}} for name in types}
        }
    return operation
