"""Keys: how a value of the configuration is named, and the tree that the names lead into. Used by the whole room.

A key is ``a.b.c``, ``a.list[1]``, ``ci_presets["3min"]`` or ``$`` (everything). It is read once into a path, a tuple
of names and list indices. Trees are never changed in place: `replaced` copies what lies on the way, so whoever
holds an older tree keeps it as it was.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]


class Missing(Enum):
    """What `find` returns when nothing is there; None is a value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

_NAME = r"[^\s.\[\]\"'*?$@(),|{}`]+"
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_STEP = re.compile(
    rf"\.?(?:(?P<name>{_NAME})|(?P<quoted>{_QUOTED})|\[(?P<index>-?\d+)\]|\[(?P<inside>{_QUOTED})\])", re.DOTALL
)
_PLAIN = re.compile(_NAME)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@functools.lru_cache(maxsize=8192)
def parse_key(key: str) -> KeyPath | None:
    """Return the path that a key stands for, or None when it is not a plain key (a JSONPath, or nothing at all)."""
    if key == "$":
        return ()
    if not key.startswith("$"):
        return _steps(key)
    return _steps(key.removeprefix("$").removeprefix(".")) if key[1] in ".[" else None


def _steps(text: str) -> KeyPath | None:
    path: list[str | int] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None or not _joined(found, first=position == 0):
            return None
        path.append(_meaning(found))
        position = found.end()
    return tuple(path) or None


def _joined(found: re.Match[str], *, first: bool) -> bool:
    """Tell whether a step follows the one before as it must: a name after a dot, a bracket without one."""
    dotted = found[0].startswith(".")
    return not dotted if first or found[0].lstrip(".").startswith("[") else dotted


def _meaning(found: re.Match[str]) -> str | int:
    if found["index"] is not None:
        return int(found["index"])
    quoted = found["quoted"] or found["inside"]
    return found["name"] if quoted is None else _ESCAPE.sub(r"\1", quoted[1:-1])


def format_key(path: KeyPath) -> str:
    """Return the key of a path; `parse_key` gives the path back."""
    if not path:
        return "$"
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}"
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text.removeprefix(".") if isinstance(path[0], str) else f"${text}"


def name_of(key: object) -> str:
    """Return a mapping's key as it is written in YAML: ``8``, ``true`` and ``null`` for 8, True and None."""
    if isinstance(key, str):
        return key
    return {True: "true", False: "false", None: "null"}[key] if key is None or isinstance(key, bool) else str(key)


def member(mapping: dict[Any, Any], name: str) -> Any:
    """Return the key of `mapping` that is written `name`, or MISSING."""
    if name in mapping:
        return name
    return next((key for key in mapping if not isinstance(key, str) and name_of(key) == name), MISSING)


def find(tree: Any, path: KeyPath) -> Any:
    """Return the value at `path`, the very one that is in the tree, or MISSING."""
    value = tree
    for step in path:
        if type(value) is dict and step in value:
            value = value[step]
        else:
            value = _step(value, step)
            if value is MISSING:
                return MISSING
    return value


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, dict) and isinstance(step, str):
        key = member(value, step)
        return MISSING if key is MISSING else value[key]
    if isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
        return value[step]
    return MISSING


def replaced(tree: Any, path: KeyPath, value: Any) -> Any:
    """Return a tree with another value at `path`; a last name that is not there yet is added.

    Args:
      tree: The tree, which stays as it is.
      path: A path whose containers all exist.
      value: The new value, put in as it is.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        elements = list(tree)
        elements[step] = replaced(elements[step], rest, value)
        return elements
    key = member(tree, step)
    if key is MISSING:
        return {**tree, step: replaced({}, rest, value)}
    return {**tree, key: replaced(tree[key], rest, value)}


def leaves(tree: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Give each value of a tree with its path: scalars, lists and empty mappings."""
    if not isinstance(tree, dict) or not tree:
        yield path, tree
        return
    for key, value in tree.items():
        yield from leaves(value, (*path, name_of(key)))


def everything(tree: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Give each value of a tree with its path, elements of lists too: scalars, empty lists and empty mappings."""
    members = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    if not members:
        yield path, tree
    for step, value in members:
        yield from everything(value, (*path, step if isinstance(tree, list) else name_of(step)))


def siblings(tree: Any, path: KeyPath) -> list[str]:
    """Return the keys beside a path that leads nowhere: those of the last mapping on its way."""
    for length in range(len(path) - 1, -1, -1):
        around = find(tree, path[:length])
        if isinstance(around, dict):
            return [format_key((*path[:length], name_of(key))) for key in around]
    return []


def exists(tree: Any, path: KeyPath) -> bool:
    """Tell whether there is a value, be it null, at `path`."""
    return find(tree, path) is not MISSING
