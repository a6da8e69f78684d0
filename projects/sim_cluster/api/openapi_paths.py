"""The paths of a custom kind in the OpenAPI documents: those of Deployments, which have every path, under its own names.

`openapi` adds them to the documents of what CRDs bring.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.kinds import Kind, Object

_PATTERN: Final = "/apis/apps/v1/"
_PATTERN_KIND: Final = "io.k8s.api.apps.v1.Deployment"
_SUBRESOURCES: Final = ("status", "scale")
#: Custom resources are read and written as text only, and not by strategic merge patches.
_NOT_FOR_CUSTOM: Final = ("protobuf", "cbor", "stream=watch", "strategic-merge-patch")
_IN_BODY: Final = ("application/json", "application/yaml")
_SPACE: Final = "namespaces/{namespace}/"


def custom_paths(pattern: Object, kind: Kind, schema: str) -> Iterator[tuple[str, Object]]:
    """Yield the paths of a kind whose schema has that name, made from the paths of the apps group."""
    for path, item in pattern.items():
        place, _, rest = path.removeprefix(_PATTERN).partition("deployments")
        subresource = rest.rpartition("/")[2]
        missing = subresource in _SUBRESOURCES and subresource not in kind.subresources
        if not path.startswith(_PATTERN) or not path.endswith(f"deployments{rest}") or "watch/" in path or missing:
            continue
        if kind.namespaced:
            yield f"/apis/{kind.api_version}/{place}{kind.resource}{rest}", _renamed(item, kind, schema)
        elif place == _SPACE:
            yield f"/apis/{kind.api_version}/{kind.resource}{rest}", _of_cluster(_renamed(item, kind, schema))


def _renamed(item: Object, kind: Kind, schema: str) -> Object:
    """Return a path item with the names of another kind."""
    words = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]", kind.group))
    text = json.dumps(_for_custom(item))
    for old, new in (
        (_PATTERN_KIND, schema),
        ("apps_v1", f"{words[:1].lower()}{words[1:]}_{kind.version}"),
        ("AppsV1", f"{words}{kind.version[:1].upper()}{kind.version[1:]}"),
        ("list or watch objects", "list objects"),
        ("Deployment", kind.kind),
    ):
        text = text.replace(old, new)
    renamed: Object = json.loads(text)
    for operation in renamed.values():
        if isinstance(operation, dict) and "x-kubernetes-group-version-kind" in operation:
            named = {"group": kind.group, "version": kind.version, "kind": kind.kind}
            operation["x-kubernetes-group-version-kind"] = named
    return renamed


def _for_custom(node: Any) -> Any:
    """Return a part of a path item without the media types in which custom resources are not spoken of."""
    if isinstance(node, list):
        return [
            _for_custom(item)
            for item in node
            if not isinstance(item, str) or not any(w in item for w in _NOT_FOR_CUSTOM)
        ]
    if not isinstance(node, dict):
        return node
    kept = {key: _for_custom(value) for key, value in node.items() if not any(word in key for word in _NOT_FOR_CUSTOM)}
    if "*/*" in kept:
        kept = dict.fromkeys(_IN_BODY, kept["*/*"])
    return kept


def _of_cluster(item: Object) -> Object:
    """Return a path item without a namespace."""
    text = json.dumps(item).replace("Namespaced", "")
    kept: Object = json.loads(text)
    kept["parameters"] = [entry for entry in kept.get("parameters") or () if entry.get("name") != "namespace"]
    return kept
