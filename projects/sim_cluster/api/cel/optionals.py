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


class Optional:
    """A value, or none."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same value, or none."""
        return isinstance(other, Optional) and self.values == other.values

    def __hash__(self) -> int:
        """Return the hash of what it holds."""
        return hash(self.values)


def without_marks(text: str) -> str:
    """Return an expression with ``.optionalField('x')`` where it says ``.?x``."""
    return _FIELD.sub(lambda found: found[1] or f".optionalField('{found[2]}')", text)


def _field(holder: Any, name: Any) -> Optional:
    values = holder.values if isinstance(holder, Optional) else (holder,)
    return Optional(*(value[name] for value in values if name in value))


def _value(optional: Optional) -> Any:
    if not optional.values:
        raise ValueError("optional.none() dereference")
    return optional.values[0]


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "optionalField": _field,
    "hasValue": lambda optional: celtypes.BoolType(bool(optional.values)),
    "value": _value,
    "orValue": lambda optional, default: optional.values[0] if optional.values else default,
    "or": lambda optional, other: optional if optional.values else other,
}
