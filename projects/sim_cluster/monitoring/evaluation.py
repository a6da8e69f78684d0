"""Computes PromQL expressions at a time. Called by `answers`; `source` gives it the samples of a metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

from projects.sim_cluster.monitoring.aggregating import aggregate
from projects.sim_cluster.monitoring.combining import combine
from projects.sim_cluster.monitoring.expressions import (
    Aggregation,
    Binary,
    Call,
    Expression,
    Labels,
    Negation,
    NotSupportedError,
    Number,
    PromqlError,
    Selector,
    Text,
)  # fmt: skip
from projects.sim_cluster.monitoring.functions import FUNCTIONS
from projects.sim_cluster.monitoring.ranges import RANGE_FUNCTIONS, Range
from projects.sim_cluster.monitoring.values import Key, Value, Vector, key_of, without_name

Source = Callable[[Selector, float], Iterable[tuple[Labels, float]]]
SCRAPE_SECONDS: Final = 30.0


class Evaluator:
    """Computes at one time.

    Args:
      source: Gives the samples that a selector selects at a time, with their names.
      at: The time.
    """

    def __init__(self, source: Source, at: float) -> None:
        self.source, self.at = source, at

    def value(self, expression: Expression) -> Value:
        """Return a number, a text or a vector."""
        match expression:
            case Number(value) | Text(value):
                return value
            case Selector():
                if expression.seconds:
                    raise PromqlError("a range vector is only good for a function such as rate()")
                return list(self.source(expression, self.at - expression.offset))
            case Negation(inner):
                found = self.value(inner)
                if isinstance(found, list):
                    return [(without_name(labels), -value) for labels, value in found]
                return -_as_number(found)
            case Binary():
                return combine(expression, self.value(expression.left), self.value(expression.right))
            case Aggregation():
                parameter = None if expression.parameter is None else self.value(expression.parameter)
                return aggregate(expression, self.vector(expression.expression), parameter)
            case Call(name, arguments):
                return self._call(name, arguments)

    def vector(self, expression: Expression) -> Vector:
        """Return a vector."""
        found = self.value(expression)
        if not isinstance(found, list):
            raise PromqlError("expected type instant vector, got scalar")
        return found

    def number(self, expression: Expression) -> float:
        """Return a number."""
        return _as_number(self.value(expression))

    def _call(self, name: str, arguments: tuple[Expression, ...]) -> Value:
        if name in RANGE_FUNCTIONS:
            return self._over_time(name, arguments)
        found = FUNCTIONS.get(name)
        if found is None or len(arguments) not in found.counts:
            raise NotSupportedError(f"the function {name}() with {len(arguments)} arguments")
        return found.compute(self, *arguments)

    def _over_time(self, name: str, arguments: tuple[Expression, ...]) -> Vector:
        if len(arguments) != 1 or not isinstance(arguments[0], Selector) or not arguments[0].seconds:
            raise PromqlError(f'expected type range vector in call to function "{name}"')
        selector = arguments[0]
        end = self.at - selector.offset
        samples: dict[Key, Range] = {}
        first = math.floor((end - selector.seconds) / SCRAPE_SECONDS) + 1
        for number in range(first, math.floor(end / SCRAPE_SECONDS) + 1):
            moment = number * SCRAPE_SECONDS
            for labels, value in self.source(selector, moment):
                samples.setdefault(key_of(labels), Range(end - selector.seconds, end)).add(moment, value)
        found = ((dict(key), RANGE_FUNCTIONS[name](each)) for key, each in samples.items())
        keeps = name == "last_over_time"
        return [(labels if keeps else without_name(labels), value) for labels, value in found if value is not None]


def _as_number(found: Value) -> float:
    if not isinstance(found, int | float):
        raise PromqlError("expected type scalar")
    return float(found)
