"""The part of jq that Stage documents use in their keys: ``.a.b``, ``.a["b/c"]``, ``.a.[].b``, ``| select( .c == "d" ) | .e``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from projects.sim_cluster.behaviours.stages.mistakes import ConstructError

Query = Callable[[Any], list[Any]]
"""Returns what a query finds in a value; nulls are left out."""

_STEP: Final = re.compile(r"""\.?\[\]|\.?\["((?:[^"\\]|\\.)*)"\]|\.([A-Za-z_][\w-]*)|\.?\[(\d+)\]|\.(?=\s|$)""")
_SELECT: Final = re.compile(
    r"select\(\s*(.+?)\s*(==|!=)\s*(\"(?:[^\"\\]|\\.)*\"|-?\d+|true|false|null)\s*\)", re.DOTALL
)
_PARTS: Final = re.compile(r"""\|(?=(?:[^"]*"[^"]*")*[^"]*$)""")
_Filter = Callable[[list[Any]], list[Any]]


def query(text: str) -> Query:
    """Compile a query; raise ConstructError for what is not understood."""
    filters = [_filter(part.strip()) for part in _PARTS.split(text)]

    def find(value: Any) -> list[Any]:
        found = [value]
        for each in filters:
            found = each(found)
        return [each for each in found if each is not None]

    return find


def _filter(text: str) -> _Filter:
    if (chosen := _SELECT.fullmatch(text)) is not None:
        inner, equal, wanted = query(chosen[1]), chosen[2] == "==", json.loads(chosen[3])
        return lambda values: [value for value in values if ((inner(value) or [None])[0] == wanted) == equal]
    return _path(text)


def _path(text: str) -> _Filter:
    steps: list[_Filter] = []
    place = 0
    while place < len(text):
        step = _STEP.match(text, place)
        if step is None or (place == 0 and not text.startswith(".")):
            raise ConstructError(f"the query {text!r} is not understood from {text[place:]!r} on")
        steps.append(_step(step))
        place = step.end()
    if not steps:
        raise ConstructError("an empty query")

    def walk(values: list[Any]) -> list[Any]:
        for each in steps:
            values = each(values)
        return values

    return walk


def _step(found: re.Match[str]) -> _Filter:
    quoted, plain, number = found.groups()
    if number is not None:
        return lambda values: [
            each[int(number)] for each in values if isinstance(each, list) and int(number) < len(each)
        ]
    if quoted is not None or plain is not None:
        key = json.loads(f'"{quoted}"') if quoted is not None else plain
        return lambda values: [each[key] for each in values if isinstance(each, dict) and key in each]
    if found[0] == ".":
        return lambda values: values
    return lambda values: [item for each in values for item in _items(each)]


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
