"""The objects of a capture's files, each once. Called by `verbs`.

Two files may hold the same object: lists and single files, the reads of several must-gather images. The later version counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from projects.sim_cluster.captures.documents import documents_of
from projects.sim_cluster.captures.errors import CaptureError
from projects.sim_cluster.captures.layout import Source, index_of, sources
from projects.sim_cluster.captures.state import version_of

Object = dict[str, Any]
Identity = tuple[str, str, str, str]  # group, kind, namespace, name
_LIST: Final = "List"


@dataclass(frozen=True)
class Found:
    """An object as a capture has it, where it stands, and the resource that this place says it is of."""

    object: Object
    place: Path
    resource: str = ""


@dataclass(frozen=True)
class Capture:
    """What a capture holds; a `complete` one holds everything that there was."""

    objects: list[Found]
    complete: bool = False


def read(directory: Path) -> Capture:
    """Read a capture.

    Raises:
      CaptureError: there is none, or a file of it cannot be understood.
    """
    known: dict[Identity, Found] = {}
    for found in (each for source in sources(directory) for each in _objects(source)):
        identity = identity_of(found.object)
        if identity not in known or version_of(known[identity].object) < version_of(found.object):
            known[identity] = found
    if not known:
        raise CaptureError("expected objects, found none in any of its files", directory)
    index = index_of(directory)
    return Capture(list(known.values()), complete=index is not None and documents_of(index)[0].get("complete") is True)


def identity_of(obj: Object) -> Identity:
    """Return what tells an object from all others."""
    metadata = obj["metadata"]
    return obj["apiVersion"].rpartition("/")[0], obj["kind"], metadata.get("namespace", ""), metadata["name"]


def _objects(source: Source) -> Iterator[Found]:
    for document in documents_of(source.path):
        if not _is_object(document):
            continue  # a version, what a script has written
        if "items" in document and document["kind"].endswith(_LIST):
            for item in _items(document, source):
                yield Found(_checked(item, source), source.path, source.resource)
        else:
            yield Found(_checked(document, source), source.path, source.resource)


def _is_object(document: Any) -> bool:
    return isinstance(document, dict) and all(isinstance(document.get(key), str) for key in ("apiVersion", "kind"))


def _items(document: Object, source: Source) -> Iterator[Object]:
    """Yield the items of a list; those of a typed one need not say of which kind they are."""
    inherited = {"apiVersion": document["apiVersion"], "kind": document["kind"].removesuffix(_LIST)}
    items = document["items"] or []
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise CaptureError(f"expected a list of objects as the items of the {document['kind']}", source.path)
    for item in items:
        yield item if _is_object(item) or not inherited["kind"] else inherited | item


def _checked(obj: Object, source: Source) -> Object:
    metadata = obj.get("metadata")
    if not _is_object(obj) or not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        named = obj.get("kind", "an object")
        raise CaptureError(f"expected apiVersion, kind and metadata.name, found {named} without them", source.path)
    return obj
