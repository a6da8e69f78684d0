"""Binary operators between numbers and vectors: arithmetic, comparisons, sets, and which series belong together."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Final

from projects.sim_cluster.monitoring.expressions import Binary, Labels, Matching, PromqlError
from projects.sim_cluster.monitoring.values import Key, Value, Vector, chosen, key_of, without_name

_SETS: Final = frozenset({"and", "or", "unless"})


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if not a or math.isnan(a) else math.copysign(math.inf, a)


def _power(a: float, b: float) -> float:
    try:
        found = a**b
    except (ZeroDivisionError, OverflowError):
        return math.inf
    return found if isinstance(found, float | int) else math.nan


def _remainder(a: float, b: float) -> float:
    return math.fmod(a, b) if b else math.nan


_ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divided, "%": _remainder, "^": _power, "atan2": math.atan2,
}  # fmt: skip
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def combine(expression: Binary, left: Value, right: Value) -> Value:
    """Return what an operator makes of its two sides."""
    if isinstance(left, str) or isinstance(right, str):
        raise PromqlError("binary expression must contain only scalar and instant vector types")
    if expression.operator in _SETS:
        if not isinstance(left, list) or not isinstance(right, list):
            raise PromqlError(f'set operator "{expression.operator}" not allowed in binary scalar expression')
        return _set(expression, left, right)
    if isinstance(left, list) and isinstance(right, list):
        return _vectors(expression, left, right)
    if isinstance(left, list):
        assert not isinstance(right, list)
        return [
            found for labels, value in left if (found := _sample(expression, labels, value, right, value)) is not None
        ]
    if isinstance(right, list):
        return [
            found for labels, value in right if (found := _sample(expression, labels, left, value, value)) is not None
        ]
    return _numbers(expression, left, right)


def _numbers(expression: Binary, left: float, right: float) -> float:
    if expression.operator in _ARITHMETIC:
        return _ARITHMETIC[expression.operator](left, right)
    if not expression.as_bool:
        raise PromqlError("comparisons between scalars must use BOOL modifier")
    return float(_COMPARISONS[expression.operator](left, right))


def _sample(expression: Binary, labels: Labels, left: float, right: float, kept: float) -> tuple[Labels, float] | None:
    """Return what becomes of one series; a comparison keeps those for which it holds, as they are."""
    if expression.operator in _ARITHMETIC:
        return without_name(labels), _ARITHMETIC[expression.operator](left, right)
    holds = _COMPARISONS[expression.operator](left, right)
    if expression.as_bool:
        return without_name(labels), float(holds)
    return (labels, kept) if holds else None


def _key(labels: Labels, matching: Matching) -> Key:
    return key_of(chosen(labels, matching.labels, without=not matching.on))


def _set(expression: Binary, left: Vector, right: Vector) -> Vector:
    matching = expression.matching
    there = {_key(labels, matching) for labels, _ in right}
    if expression.operator == "and":
        return [sample for sample in left if _key(sample[0], matching) in there]
    if expression.operator == "unless":
        return [sample for sample in left if _key(sample[0], matching) not in there]
    known = {_key(labels, matching) for labels, _ in left}
    return [*left, *(sample for sample in right if _key(sample[0], matching) not in known)]


def _vectors(expression: Binary, left: Vector, right: Vector) -> Vector:
    matching = expression.matching
    many, one = (right, left) if matching.group == "right" else (left, right)
    single: dict[Key, tuple[Labels, float]] = {}
    for sample in one:
        if single.setdefault(_key(sample[0], matching), sample) is not sample:
            raise PromqlError(
                "found duplicate series for the match group on the right hand-side of the operation; many-to-many matching not allowed"
            )
    found: Vector = []
    seen: set[Key] = set()
    for labels, value in many:
        key = _key(labels, matching)
        if key not in single:
            continue
        if not matching.group and key in seen:
            raise PromqlError(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            )
        seen.add(key)
        other, figure = single[key]
        sides = (figure, value) if matching.group == "right" else (value, figure)
        made = _sample(expression, _result(labels, other, expression), *sides, sides[0])
        if made is not None:
            found.append(made)
    return found


def _result(labels: Labels, other: Labels, expression: Binary) -> Labels:
    matching = expression.matching
    if matching.group:
        kept = {key: value for key, value in labels.items() if key not in matching.include}
        return kept | {key: other[key] for key in matching.include if key in other}
    if expression.operator in _COMPARISONS and not expression.as_bool:
        return labels
    return chosen(labels, matching.labels, without=not matching.on)
