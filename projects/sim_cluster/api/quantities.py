"""Resource quantities (``500m``, ``1Gi``, ``1e3``): parsed, added, compared, and written as the API writes them.

`decoding` makes what is stored canonical; `limit_ranges` and `quotas` reckon with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from functools import lru_cache
from re import Pattern
from re import compile as pattern
from typing import Any, Final

_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_TEXT: Final[Pattern[str]] = pattern(
    r"([+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<binary>[KMGTPE]i)|(?P<decimal>[numkMGTPE])|[eE](?P<exponent>[+-]?\d+))?"
)
_FINEST: Final = Decimal("1e-9")
_LARGEST: Final = Decimal(2**63 - 1)
_KILO: Final = 1024


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount, and the way in which it was written: ``decimal``, ``binary`` or ``exponent``."""

    value: Decimal
    form: str = "decimal"

    def __add__(self, other: Quantity) -> Quantity:
        """Return the sum, written as the first is unless that is zero."""
        return Quantity(self.value + other.value, self.form if self.value else other.form)

    def __str__(self) -> str:
        """Return the canonical form: no fraction, the greatest suffix that loses nothing."""
        if not self.value:
            return "0"
        if self.form == "binary" and abs(self.value) >= _KILO and self.value == int(self.value):
            return _binary_text(int(self.value))
        digits, power = _thousands(self.value)
        if self.form == "exponent":
            return f"{digits}e{power}" if power else str(digits)
        return f"{digits}{next(suffix for suffix, known in _DECIMAL.items() if known == power)}"


def _binary_text(value: int) -> str:
    suffix = ""
    for name in _BINARY:
        if value % _KILO:
            break
        value, suffix = value // _KILO, name
    return f"{value}{suffix}"


def _thousands(value: Decimal) -> tuple[int, int]:
    """Return a value as a whole number and the power of ten, a multiple of three, that it is multiplied with."""
    for power in range(18, -10, -3):
        scaled = value.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return int(scaled), power
    raise AssertionError(f"{value} is finer than {_FINEST}")  # what `quantity` made is not


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Quantity | None:
    if (found := _TEXT.fullmatch(text)) is None:
        return None
    value = Decimal(found[1])
    if found["binary"]:
        value, form = value * _KILO ** _BINARY[found["binary"]], "binary"
    elif found["exponent"]:
        value, form = value.scaleb(int(found["exponent"])), "exponent"
    else:
        value, form = value.scaleb(_DECIMAL[found["decimal"] or ""]), "decimal"
    value = max(-_LARGEST, min(_LARGEST, value))
    return Quantity(value if value == value.quantize(_FINEST) else value.quantize(_FINEST, ROUND_UP), form)


def quantity(given: Any) -> Quantity | None:
    """Return what a quantity, a text or a number, stands for; None when it is none."""
    return _parsed(str(given)) if isinstance(given, str | int | float) and not isinstance(given, bool) else None


def amount(given: Any) -> Quantity:
    """Return what a quantity that was checked before stands for; what is not there is zero."""
    return quantity(given) or Quantity(Decimal(0))


@lru_cache(maxsize=4096)
def canonical(text: str) -> str | None:
    """Return a quantity as the API writes it, None when the text is none."""
    found = _parsed(text)
    return None if found is None else str(found)
