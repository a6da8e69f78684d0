"""OpenAPI documents: what kubectl reads before it applies, explains or diffs. Called by `http`.

Those of Kubernetes' own groups are the recorded ones, word by word; those of all other kinds are made from the registry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from projects.sim_cluster.api.kinds import Kind, Object, Registry
from projects.sim_cluster.api.openapi_paths import custom_paths
from projects.sim_cluster.api.recorded import Record, openapi_documents

_APPS: Final = "apis/apps/v1"  # whose paths are the pattern of everybody's
_V3: Final = "#/components/schemas/"
_V2: Final = "#/definitions/"
_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
#: What only v3 can say.
_NOT_IN_V2: Final = frozenset({"nullable", "anyOf", "oneOf", "allOf", "not", "default"})


class Documents:
    """The OpenAPI documents of a registry, kept until its kinds change."""

    def __init__(self, registry: Registry, record: Record) -> None:
        self.registry, self.record = registry, record
        self._made: dict[str, tuple[int, bytes]] = {}

    def _kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        revision, made = self._made.get(name, (-1, b""))
        if revision != self.registry.revision:
            made = make()
            self._made[name] = (self.registry.revision, made)
        return made

    def _others(self) -> list[Kind]:
        """Return the kinds whose group version is not recorded."""
        return [kind for kind in self.registry if _path(kind) not in self.record.openapi]

    def index(self) -> bytes:
        """Return ``/openapi/v3``: one document for each group version."""
        return self._kept("", lambda: _json(self._index()))

    def _index(self) -> Object:
        places = dict(self.record.openapi)
        for path in {_path(kind): None for kind in self._others()}:
            places[path] = f"/openapi/v3/{path}?hash={self.hash(path)}"
        return {"paths": {path: {"serverRelativeURL": places[path]} for path in sorted(places)}}

    def hash(self, path: str) -> str:
        """Return what stands for the content of a document, in its address and its ETag."""
        if recorded := self.record.openapi.get(path):
            return recorded.partition("?hash=")[2]
        return hashlib.sha512(f"{path} {self.registry.revision} {self.record.version}".encode()).hexdigest().upper()

    def group_version(self, path: str) -> bytes | None:
        """Return the document of ``apis/GROUP/VERSION``, ``api/v1`` or another path that the index names."""
        if path in self.record.openapi:
            return openapi_documents()[path].encode()
        kinds = [kind for kind in self._others() if _path(kind) == path]
        return self._kept(path, lambda: _json(self._document(kinds))) if kinds else None

    def _document(self, kinds: list[Kind]) -> Object:
        pattern = json.loads(openapi_documents()[_APPS])
        named = pattern["components"]["schemas"]
        paths: Object = {}
        schemas: Object = {}
        for kind in kinds:
            paths |= dict(custom_paths(pattern["paths"], kind, schema_name(kind)))
            schemas |= _schemas_of(kind, _V3)
        pending = list(_references([paths, schemas]))
        while pending:
            if (name := pending.pop()) in named and name not in schemas:
                schemas[name] = named[name]
                pending += _references(named[name])
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
            "paths": dict(sorted(paths.items())),
            "components": {"schemas": dict(sorted(schemas.items()))},
        }

    def v2(self) -> bytes:
        """Return ``/openapi/v2``."""
        return self._kept("v2", self._v2)

    def _v2(self) -> bytes:
        text = openapi_documents()["v2"]
        if not (others := self._others()):
            return text.encode()
        document: Object = json.loads(text)
        pattern = document["paths"]
        for kind in others:
            document["definitions"] |= {name: _in_v2(node) for name, node in _schemas_of(kind, _V2).items()}
            document["paths"] = document["paths"] | dict(custom_paths(pattern, kind, schema_name(kind)))
        return _json(document)


def _json(document: Object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _path(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"


def schema_name(kind: Kind) -> str:
    """Return the name of a kind's schema in the documents."""
    return kind.schema.name or f"{'.'.join(reversed(kind.group.split('.')))}.{kind.version}.{kind.kind}"


def _schemas_of(kind: Kind, prefix: str) -> Object:
    """Return the schemas of a kind and of its list."""
    name, listed = schema_name(kind), kind.list_kind or f"{kind.kind}List"
    properties = kind.schema.node.get("properties", {}) | {"metadata": {"$ref": f"{prefix}{_META}ObjectMeta"}}
    items = {"type": "array", "items": {"$ref": prefix + name}}
    text = {"type": "string"}
    of_list = {"apiVersion": text, "items": items, "kind": text, "metadata": {"$ref": f"{prefix}{_META}ListMeta"}}
    return {
        name: kind.schema.node | {"properties": properties, "x-kubernetes-group-version-kind": [_named(kind, kind.kind)]},
        name.removesuffix(kind.kind) + listed: {
            "description": f"{listed} is a list of {kind.kind}", "type": "object", "required": ["items"],
            "properties": of_list, "x-kubernetes-group-version-kind": [_named(kind, listed)],
        },
    }  # fmt: skip


def _named(kind: Kind, name: str) -> Object:
    return {"group": kind.group, "kind": name, "version": kind.version}


def _in_v2(node: Any) -> Any:
    """Return a schema without what OpenAPI v2 has no words for, as the server publishes it."""
    if isinstance(node, list):
        return [_in_v2(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-preserve-unknown-fields") or node.get("nullable"):
        return {key: value for key, value in node.items() if key.startswith("x-") or key == "description"}
    return {key: _in_v2(value) for key, value in node.items() if key not in _NOT_IN_V2}


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
