"""PromQL expressions as data. Made by `parsing`, computed by `evaluation`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Labels = dict[str, str]
MatchKind = Literal["=", "!=", "=~", "!~"]


class PromqlError(Exception):
    """An expression that is wrong; Prometheus calls it bad data."""


class NotSupportedError(Exception):
    """An expression that Prometheus understands and this does not."""


@dataclass(frozen=True)
class Matcher:
    """What a label has to be like."""

    label: str
    kind: MatchKind
    value: str

    def matches(self, labels: Labels) -> bool:
        """Return whether labels are like that; a label that is missing is empty."""
        found = labels.get(self.label, "")
        if self.kind in {"=", "!="}:
            return (found == self.value) == (self.kind == "=")
        return (re.fullmatch(self.value, found) is not None) == (self.kind == "=~")


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True)
class Text:
    """A string."""

    value: str


@dataclass(frozen=True)
class Selector:
    """Series of a metric; with `seconds` their samples of that long, `offset` seconds ago."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    seconds: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True)
class Call:
    """A function of arguments."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Aggregation:
    """Series put together, by some labels or by all but some."""

    operation: str
    expression: Expression
    parameter: Expression | None = None
    labels: tuple[str, ...] = ()
    without: bool = False


@dataclass(frozen=True)
class Matching:
    """Which series of two sides belong together; `group` is the side that may have many (``left``, ``right``, empty)."""

    labels: tuple[str, ...] = ()
    on: bool = False
    group: str = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binary:
    """Two expressions and what is between them."""

    operator: str
    left: Expression
    right: Expression
    as_bool: bool = False
    matching: Matching = field(default_factory=Matching)


@dataclass(frozen=True)
class Negation:
    """An expression with its sign turned."""

    expression: Expression


Expression = Number | Text | Selector | Call | Aggregation | Binary | Negation
