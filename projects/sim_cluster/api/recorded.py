"""The kinds that the recorded kube-apiserver serves. Read once at start by `builtin`."""

from __future__ import annotations

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any, Final

from projects.sim_cluster.api.schema import Definitions

_FOLDER: Final = Path(__file__).parent / "recorded"
FILE: Final = _FOLDER / "kubernetes-1.35.json.xz"
OPENAPI: Final = _FOLDER / "kubernetes-1.35.openapi.json.xz"


class Record:
    """What `projects.sim_cluster.record` wrote."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.version: dict[str, str] = document["version"]
        self.groups: list[dict[str, Any]] = document["groups"]
        self.columns: dict[str, list[dict[str, Any]]] = document["columns"]
        self.messages: dict[str, dict[str, list[Any]]] = document["messages"]
        self.storage_hashes: dict[str, str] = document["storage_hashes"]
        self.root_paths: list[str] = document["root_paths"]
        self.health: dict[str, str] = document["health"]
        self.openapi: dict[str, str] = document["openapi"]
        self.policy: list[dict[str, Any]] = document["policy"]
        self.definitions = Definitions(document["definitions"], self.messages)


@cache
def record() -> Record:
    """Return the record, read once in a process."""
    return Record(json.loads(lzma.decompress(FILE.read_bytes())))


def openapi_documents() -> dict[str, str]:
    """Return the OpenAPI documents as text, by path. They are read anew each time: few ask for them, and they are large."""
    found: dict[str, str] = json.loads(lzma.decompress(OPENAPI.read_bytes()))
    return found
