"""Functions of numbers and vectors, such as ``clamp_max``. Called by `evaluation`, which computes their arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from projects.sim_cluster.monitoring.expressions import Expression, Labels, PromqlError, Selector, Text
from projects.sim_cluster.monitoring.values import Value, Vector, without_name


class Computing(Protocol):
    """What computes arguments, at a time."""

    at: float

    def vector(self, expression: Expression) -> Vector:
        """Return a vector."""
        ...

    def number(self, expression: Expression) -> float:
        """Return a number."""
        ...


class Function(NamedTuple):
    """A function: how many arguments it takes, and what it computes of them."""

    counts: tuple[int, ...]
    compute: Callable[..., Value]


def _each(change: Callable[[float], float]) -> Function:
    def compute(by: Computing, one: Expression) -> Vector:
        return [(without_name(labels), change(value)) for labels, value in by.vector(one)]

    return Function((1,), compute)


def _logarithm(base: float) -> Callable[[float], float]:
    def of(value: float) -> float:
        if value <= 0:
            return -math.inf if value == 0 else math.nan
        return math.log(value, base)

    return of


def _clamped(choose: Callable[..., float]) -> Function:
    def compute(by: Computing, one: Expression, limit: Expression) -> Vector:
        bound = by.number(limit)
        return [(without_name(labels), choose(value, bound)) for labels, value in by.vector(one)]

    return Function((2,), compute)


def _rounded(by: Computing, one: Expression, to: Expression | None = None) -> Vector:
    step = by.number(to) if to is not None else 1.0
    return [(without_name(labels), math.floor(value / step + 0.5) * step) for labels, value in by.vector(one)]


def _sorted(*, descending: bool) -> Function:
    def compute(by: Computing, one: Expression) -> Vector:
        return sorted(by.vector(one), key=lambda sample: sample[1], reverse=descending)

    return Function((1,), compute)


def _scalar(by: Computing, one: Expression) -> float:
    found = by.vector(one)
    return found[0][1] if len(found) == 1 else math.nan


def _absent(by: Computing, one: Expression) -> Vector:
    matchers = one.matchers if isinstance(one, Selector) else ()
    said: Labels = {each.label: each.value for each in matchers if each.kind == "="}
    return [] if by.vector(one) else [(said, 1.0)]


def _text(expression: Expression) -> str:
    if not isinstance(expression, Text):
        raise PromqlError("expected type string")
    return expression.value


def _label_replaced(by: Computing, one: Expression, *texts: Expression) -> Vector:
    target, template, source, pattern = map(_text, texts)
    expanded = re.sub(r"\$(\d+)", r"\\g<\1>", template)
    found: Vector = []
    for labels, value in by.vector(one):
        match = re.fullmatch(pattern, labels.get(source, ""))
        if match is None:
            found.append((labels, value))
            continue
        text = match.expand(expanded)
        kept = {key: each for key, each in labels.items() if key != target}
        found.append((kept | ({target: text} if text else {}), value))
    return found


def _timestamp(by: Computing, one: Expression) -> Vector:
    return [(without_name(labels), by.at) for labels, _ in by.vector(one)]


def _time(by: Computing) -> float:
    return by.at


def _vector(by: Computing, one: Expression) -> Vector:
    return [({}, by.number(one))]


_MATH: Final[dict[str, Callable[[Any], float]]] = {
    "abs": abs, "ceil": math.ceil, "floor": math.floor, "exp": math.exp, "sgn": lambda value: float((value > 0) - (value < 0)),
    "sqrt": lambda value: math.sqrt(value) if value >= 0 else math.nan, "ln": _logarithm(math.e), "log2": _logarithm(2), "log10": _logarithm(10),
}  # fmt: skip
FUNCTIONS: Final[dict[str, Function]] = {name: _each(change) for name, change in _MATH.items()} | {
    "absent": Function((1,), _absent), "clamp_max": _clamped(min), "clamp_min": _clamped(max), "label_replace": Function((5,), _label_replaced),
    "round": Function((1, 2), _rounded), "scalar": Function((1,), _scalar), "sort": _sorted(descending=False),
    "sort_desc": _sorted(descending=True), "time": Function((0,), _time), "timestamp": Function((1,), _timestamp), "vector": Function((1,), _vector),
}  # fmt: skip
