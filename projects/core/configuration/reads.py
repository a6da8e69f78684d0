"""Which keys of the configuration some code reads, for who has to know whether it would read the same again.

Collected in the context, so that a branch of a `Parallel` notes what it reads where its Parallel stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from projects.core.configuration.project import Project

_collecting: ContextVar[dict[str, str] | None] = ContextVar("foresail_configuration_reads", default=None)


@contextmanager
def collected() -> Iterator[dict[str, str]]:
    """Collect what is read inside the block: each key with a digest of its value."""
    found: dict[str, str] = {}
    token = _collecting.set(found)
    try:
        yield found
    finally:
        _collecting.reset(token)
        if (around := _collecting.get()) is not None:
            around.update(found)


def note(key: str, value: Any) -> None:
    """Note that a key was read and what its value was; does nothing when nobody collects."""
    if (found := _collecting.get()) is not None:
        found[key] = digest(value)


def digest(value: Any) -> str:
    """Return what stands for a value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def digest_of(project: Project, key: str) -> str | None:
    """Return what stands for the value that a key has now, None when there is no such key."""
    missing = object()
    value = project.get_config(key, missing, warn=False, print=False)
    return None if value is missing else digest(value)
