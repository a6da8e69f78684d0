"""Resource quantities as numbers, for what weighs them: the scheduler and the binding of claims.

The API has a grammar of its own and has checked what stands in objects; here only the amount counts, in thousandths, which is
as fine as the scheduler reckons.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Any, Final

_BINARY: Final = {f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL: Final = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)} | {
    letter: Fraction(1000**power) for power, letter in enumerate("kMGTPE", 1)
}


def _value(text: str) -> Fraction:
    if (factor := _BINARY.get(text[-2:])) is not None:
        return Fraction(text[:-2]) * factor
    if (factor := _DECIMAL.get(text[-1:])) is not None:
        return Fraction(text[:-1]) * factor
    return Fraction(text)


@lru_cache(maxsize=4096)
def _thousandths(text: str) -> int:
    return ceil(_value(text) * 1000)


def amount(quantity: Any) -> int:
    """Return how many thousandths a quantity such as ``500m`` or ``2Gi`` is; one that is not there is nothing."""
    return _thousandths(str(quantity)) if quantity else 0
