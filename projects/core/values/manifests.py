"""Manifests of kind Secret: what is secret in them, and what they are without it. Called by `redaction` and by who reads them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_FIELDS = ("data", "stringData")


def without_values(manifest: Mapping[Any, Any], mask: str) -> Mapping[Any, Any]:
    """Return a manifest as it may be shown: one of kind Secret with a mask for each value, all others as they are.

    Args:
      manifest: Any mapping; the items of a SecretList, which do not say their kind, are Secrets.
      mask: What stands in place of a value.
    """
    kind = manifest.get("kind")
    if kind == "SecretList" and isinstance(manifest.get("items"), list):
        items = [{**each, "kind": "Secret"} if isinstance(each, Mapping) else each for each in manifest["items"]]
        return {**manifest, "items": items}
    if kind != "Secret":
        return manifest
    shown = dict(manifest)
    for field in _FIELDS:
        if values := shown.get(field):
            shown[field] = dict.fromkeys(values, mask) if isinstance(values, Mapping) else mask
    metadata = shown.get("metadata")
    if isinstance(metadata, Mapping) and isinstance(metadata.get("annotations"), Mapping):
        kept = {key: value for key, value in metadata["annotations"].items() if key != _LAST_APPLIED}
        shown["metadata"] = {**metadata, "annotations": kept}
    return shown


def secret_values(document: Any) -> Iterator[str]:
    """Yield the values of each Secret in a document, as text: those of `data` decoded, unless they are no text."""
    if isinstance(document, Mapping):
        if document.get("kind") == "Secret":
            yield from _values(document)
        elif document.get("kind") == "SecretList":
            for each in document.get("items") or []:
                yield from _values(each) if isinstance(each, Mapping) else ()
        else:
            for member in document.values():
                yield from secret_values(member)
    elif isinstance(document, list | tuple):
        for member in document:
            yield from secret_values(member)


def _values(manifest: Mapping[Any, Any]) -> Iterator[str]:
    plain, encoded = (manifest.get(field) for field in ("stringData", "data"))
    if isinstance(plain, Mapping):
        yield from (str(value) for value in plain.values())
    for value in encoded.values() if isinstance(encoded, Mapping) else ():
        try:
            yield base64.b64decode(str(value)).decode()
        except ValueError:  # bytes, or not base64 at all: then what stands there is what must not be shown
            yield str(value)
