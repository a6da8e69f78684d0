"""Which value may replace which. Asked for every item of every preset and override, and by `set_config`.

A key must be there already. What is declared as a mapping with something in it stays a mapping (or becomes null),
and a mapping goes only where a mapping or null was declared. Everything else is free: sweeps put lists in the place
of scalars. What is declared is what the project's files say, whatever a preset has put there since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.configuration.data import described
from projects.core.configuration.document import Place
from projects.core.configuration.errors import NotAllowed, Problem, UnknownKey, WrongKind
from projects.core.configuration.keys import MISSING, KeyPath, find, format_key, leaves, parse_key, siblings
from projects.core.values.nearest import did_you_mean, nearest

if TYPE_CHECKING:
    from projects.core.configuration.schema import Schema

WAYS_TO_WRITE = 'a key is written a.b.c, a.list[1] or a["b"]'


@dataclass(frozen=True, slots=True)
class Ground:
    """What an assignment is compared with.

    Attributes:
      data: The values that stand now.
      declared: What the project's files declare.
      declared_at: Tells where the value at a path is declared.
      set_at: Tells where it was set last.
      schema: What the values of a key may be besides.
    """

    data: Any
    declared: Mapping[Any, Any]
    declared_at: Callable[[KeyPath], Place | None]
    set_at: Callable[[KeyPath], Place | None]
    schema: Schema | None = None


def check(
    key: str, value: Any, ground: Ground, *, who: str, place: Place | None, may_create: bool = False
) -> KeyPath | Problem:
    """Decide whether a key may be set to a value.

    Args:
      key: The key as it is written.
      value: The new value.
      ground: What it is compared with.
      who: What sets it, for the message, such as ``preset 'gpu'``.
      place: Where that is written.
      may_create: Whether a new name at the top level is accepted, as in a file of overrides.

    Returns:
      The path to set, its indices counted from the start; or what is wrong.
    """
    path = parse_key(key)
    if path is None:
        return Problem(f"{who}: '{key}' is not a key", place, key, WAYS_TO_WRITE, UnknownKey)
    if not path:
        return Problem(f"{who}: the whole configuration cannot be set", place, key, error=UnknownKey)
    standing = find(ground.data, path)
    if standing is MISSING and may_create and len(path) == 1 and isinstance(path[0], str):
        return path
    if standing is MISSING:
        return _unknown(key, path, ground, who=who, place=place)
    declared = find(ground.declared, path)
    secret = ground.schema is not None and ground.schema.is_secret(path)
    tell = _hidden if secret else described
    if wrong := _kind_change(standing if declared is MISSING else declared, value, tell):
        stands = ground.declared_at(path) or ground.set_at(path)
        at = f" ({stands})" if stands else ""
        return Problem(f"{who}: {key}: expected {wrong}{at}, found {tell(value)}", place, key, error=WrongKind)
    path = from_the_start(ground.data, path)
    if ground.schema and (faults := ground.schema.faults(path, value)):
        return Problem(f"{who}: {'; '.join(map(str, faults))}", place, key, error=NotAllowed)
    return path


def _kind_change(declared: Any, value: Any, tell: Callable[[Any], str]) -> str | None:
    """Return what was expected, in words that `tell` finds, when `value` is of another kind than what is declared."""
    if isinstance(value, dict) and not isinstance(declared, dict) and declared is not None:
        return f"a scalar or a list where {tell(declared)} stands"
    if isinstance(declared, dict) and declared and value is not None and not isinstance(value, dict):
        return f"a mapping or null where {tell(declared)} stands"
    return None


def _hidden(_value: Any) -> str:
    return "a secret"


def _unknown(key: str, path: KeyPath, ground: Ground, *, who: str, place: Place | None) -> Problem:
    for length in range(len(path) - 1, 0, -1):
        around = find(ground.data, path[:length])
        if around is None:
            stands = ground.set_at(path[:length])
            nulled = f"{format_key(path[:length])} is null" + (f" ({stands})" if stands else "")
            return Problem(f"{who}: {key} is not a key of the configuration: {nulled}", place, key, error=UnknownKey)
    hint = suggestion(key, path, ground.data)
    return Problem(f"{who}: {key} is not a key of the configuration", place, key, hint, UnknownKey)


def suggestion(key: str, path: KeyPath, data: Any) -> str | None:
    """Return a hint for a key that is not there: its nearest match beside it, else anywhere, else its siblings."""
    beside = siblings(data, path)
    close = nearest(key, beside) or nearest(key, (format_key(leaf) for leaf, _ in leaves(data)))
    return f"did you mean '{close}'?" if close else did_you_mean(key, beside)


def from_the_start(data: Any, path: KeyPath) -> KeyPath:
    """Return a path whose indices are counted from the start of their lists."""
    steps: list[str | int] = []
    for length, step in enumerate(path):
        counted = isinstance(step, int) and step < 0
        steps.append(len(find(data, path[:length])) + int(step) if counted else step)
    return tuple(steps)
