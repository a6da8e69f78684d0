"""The kinds that the recorded kube-apiserver serves. Read once at start by `builtin`."""

from __future__ import annotations

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any, Final

from projects.sim_cluster.api.schema import Definitions

FILE: Final = Path(__file__).parent / "recorded" / "kubernetes-1.35.json.xz"


class Record:
    """What `projects.sim_cluster.record` wrote."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.version: dict[str, str] = document["version"]
        self.groups: list[dict[str, Any]] = document["groups"]
        self.columns: dict[str, list[dict[str, Any]]] = document["columns"]
        self.messages: dict[str, dict[str, list[Any]]] = document["messages"]
        self.definitions = Definitions(document["definitions"], self.messages)


@cache
def record() -> Record:
    """Return the record, read once in a process."""
    return Record(json.loads(lzma.decompress(FILE.read_bytes())))
