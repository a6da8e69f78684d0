"""Optional values: ``self.?field``, ``self[?key]`` and ``oldSelf`` where it may not be there. Called by `programs`.

cel-python knows no optional values; its grammar has no ``.?``. So an expression is written with a function in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from celpy import celtypes

_LITERAL: Final = r"r?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_FIELD: Final = re.compile(rf"({_LITERAL})|\.\?\s*([A-Za-z_]\w*)")


class Optional(celtypes.MapType):  # noqa: PLW1641 - maps have no hash
    """A value, or none; a field that is selected from it is an optional value as well.

    It is a map, since that is what cel-python selects fields from.
    """

    def __init__(self, *held: Any) -> None:
        super().__init__()
        self.held = held

    def __getitem__(self, key: Any) -> Optional:
        """Return the field, or none."""
        return Optional(*(value[key] for value in self.held if key in value))

    def __eq__(self, other: object) -> Any:
        """Return whether both hold the same value, or none."""
        return celtypes.BoolType(isinstance(other, Optional) and self.held == other.held)


def without_marks(text: str) -> str:
    """Return an expression with ``.optionalField('x')`` where it says ``.?x``."""
    return _FIELD.sub(lambda found: found[1] or f".optionalField('{found[2]}')", text)


def _field(holder: Any, name: Any) -> Optional:
    return (holder if isinstance(holder, Optional) else Optional(holder))[name]


def _value(optional: Optional) -> Any:
    if not optional.held:
        raise ValueError("optional.none() dereference")
    return optional.held[0]


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "optionalField": _field,
    "hasValue": lambda optional: celtypes.BoolType(bool(optional.held)),
    "value": _value,
    "orValue": lambda optional, default: optional.held[0] if optional.held else default,
    "or": lambda optional, other: optional if optional.held else other,
}
