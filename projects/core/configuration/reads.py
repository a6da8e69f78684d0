"""Which keys were read, each with a digest of its value. Asked by whoever must know whether a result still holds.

    with collected() as keys:
        …                          # get_config, templates
    keys["probe.size"] == digest_of(project, "probe.size")    # as long as its value is the same

What collects stands in a context variable, so branches of a `Parallel` note their reads in the collection around them.
When nobody collects, a read costs the look at that variable.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Protocol

from projects.core.configuration.data import SECRET
from projects.core.configuration.keys import MISSING, KeyPath, find, format_key
from projects.core.configuration.layers import Configuration
from projects.core.configuration.references import Resolver
from projects.core.values.errors import ConfigError

ABSENT = "absent"
"""What stands for a key that does not exist."""

_collections: ContextVar[tuple[dict[str, str], ...]] = ContextVar("foresail_reads", default=())


class HasConfiguration(Protocol):
    """What holds a configuration, such as `Project`."""

    @property
    def configuration(self) -> Configuration:
        """The configuration as it is now."""


@contextlib.contextmanager
def collected() -> Iterator[dict[str, str]]:
    """Collect the keys that are read inside the block, in this context and in those copied from it.

    Yields:
      For each key the digest of its value, or ABSENT. It grows while the block runs; blocks around it collect too.
    """
    keys: dict[str, str] = {}
    token = _collections.set((*_collections.get(), keys))
    try:
        yield keys
    finally:
        _collections.reset(token)


def digest_of(project: HasConfiguration, key: str) -> str | None:
    """Return the digest of a key's present value, as `collected` notes it.

    Args:
      project: The configuration.
      key: The key.

    Returns:
      The digest, with every reference followed but those to secrets, of which the reference counts; ABSENT when
      there is no such key; None when its value cannot be told, so that it is the same as nothing.
    """
    try:
        path = Resolver(project.configuration).locate(key)
        return ABSENT if path is None else _digest(project.configuration, path)
    except ConfigError:
        return None


def note(configuration: Configuration, path: KeyPath | str) -> None:
    """Note that a key is read, when anybody collects. Called for each read.

    Args:
      configuration: The configuration that is read.
      path: The key's path; a key that does not exist, as it was asked for.
    """
    if not (collections := _collections.get()):
        return
    key, digest = (path, ABSENT) if isinstance(path, str) else (format_key(path), _digest_or_none(configuration, path))
    if digest is not None:
        for each in collections:
            each[key] = digest


def _digest_or_none(configuration: Configuration, path: KeyPath) -> str | None:
    """Return a digest; None when the value cannot be told, which whoever reads it is told."""
    try:
        return _digest(configuration, path)
    except ConfigError:
        return None


def _digest(configuration: Configuration, path: KeyPath) -> str:
    value = find(configuration.data, path)
    if value is MISSING:
        return ABSENT
    resolved = Resolver(configuration, lambda _key, file: f"{SECRET}{file}", masked=True).resolve(value, path)
    text = json.dumps(resolved, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
