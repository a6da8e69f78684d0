"""How the path of a request is put together, whatever kinds there are. Called by `access`, `http`, `routing`, and by the faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

VERBS: Final = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
"""The API's verb of a method, when the path names one object."""
OF_MANY: Final = {"get": "list", "delete": "deletecollection"}
"""What becomes of a verb when it names none."""
OF_NAMESPACES: Final = frozenset({"status", "finalize"})
"""Subresources of a namespace itself: what else follows its name lies in it."""
_LEAST_PARTS: Final = {"api": 3, "apis": 4}


def parts_of(path: str) -> list[str]:
    """Return the parts of a path."""
    return [part for part in path.split("/") if part]


def in_group_version(parts: Sequence[str]) -> tuple[str, str, list[str]] | None:
    """Return the group, the version and what follows them; None of a path that names no resource."""
    if not parts or len(parts) < _LEAST_PARTS.get(parts[0], len(parts) + 1):
        return None
    group, start = ("", 1) if parts[0] == "api" else (parts[1], 2)
    return group, parts[start], list(parts[start + 1 :])
