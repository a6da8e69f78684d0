"""Keys that are a real JSONPath: wildcards, filters, slices. Asked only when a key is not a plain one.

jsonpath-ng is imported when the first such key is met: it takes 40 ms, and most orchestrations have none.
"""

from __future__ import annotations

from typing import Any

from projects.core.configuration.errors import UnknownKey
from projects.core.configuration.keys import KeyPath
from projects.core.configuration.rules import WAYS_TO_WRITE


def matches(tree: Any, key: str) -> list[KeyPath]:
    """Return the paths of everything in a tree that a JSONPath matches.

    Raises:
      UnknownKey: the key is neither a plain one nor a JSONPath.
    """
    from jsonpath_ng.exceptions import JSONPathError  # noqa: PLC0415 - see the module's docstring
    from jsonpath_ng.ext import parse  # noqa: PLC0415

    try:
        found = parse(key).find(tree)
    except (JSONPathError, AttributeError, TypeError) as error:  # its lexer and parser raise all three
        raise UnknownKey(f"'{key}' is not a key of a configuration: {error}", hint=WAYS_TO_WRITE) from error
    return [_path(match.full_path) for match in found]


def _path(full_path: Any) -> KeyPath:
    if hasattr(full_path, "left"):
        return (*_path(full_path.left), *_path(full_path.right))
    if hasattr(full_path, "fields"):
        return tuple(full_path.fields)
    return tuple(getattr(full_path, "indices", ()))
