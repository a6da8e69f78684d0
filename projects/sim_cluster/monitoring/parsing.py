"""From the text of a PromQL expression to the expression. Called by `answers`."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import Final

from projects.sim_cluster.monitoring.expressions import (
    Aggregation,
    Binary,
    Call,
    Expression,
    Matcher,
    Matching,
    MatchKind,
    Negation,
    NotSupportedError,
    Number,
    PromqlError,
    Selector,
    Text,
)  # fmt: skip

AGGREGATIONS: Final = frozenset(
    {"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values"}
)
_WITH_PARAMETER: Final = frozenset({"topk", "bottomk", "quantile", "count_values"})
_TOKEN: Final = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))
    |(?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<sign>=~|!~|==|!=|>=|<=|[-+*/%^()\[\]{},=<>@:])""",
    re.VERBOSE,
)
_LEVELS: Final[tuple[frozenset[str], ...]] = tuple(map(frozenset, (
    {"or"}, {"and", "unless"}, {"==", "!=", ">", "<", ">=", "<="}, {"+", "-"}, {"*", "/", "%", "atan2"},
)))  # fmt: skip
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_MATCHES: Final[dict[str, MatchKind]] = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def duration(text: str) -> float:
    """Return the seconds of a duration such as ``1h30m``."""
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise PromqlError(f'not a valid duration string: "{text}"')
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def parse(text: str) -> Expression:
    """Return the expression that a text says."""
    parser = _Parser(list(_tokens(text)))
    expression = parser.expression(0)
    if parser.here.kind != "end":
        raise parser.unexpected()
    return expression


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise PromqlError(f"1:{at + 1}: parse error: unexpected character: {text[at]!r}")
        if match.lastgroup is not None:
            found.append(_Token(match.lastgroup, match[0], at))
        at = match.end()
    return [*found, _Token("end", "end of input", at)]


class _Parser:
    """Recursive descent, one method for each level of binding."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._index = tokens, 0

    @property
    def here(self) -> _Token:
        return self._tokens[self._index]

    def unexpected(self) -> PromqlError:
        what = self.here.text if self.here.kind == "end" else f'<{self.here.kind}> "{self.here.text}"'
        return PromqlError(f"1:{self.here.at + 1}: parse error: unexpected {what}")

    def take(self) -> _Token:
        token = self.here
        self._index += 1
        return token

    def takes(self, *texts: str) -> bool:
        """Take a sign or a word when it is here."""
        if self.here.kind in {"sign", "name"} and self.here.text in texts:
            self._index += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.takes(text):
            raise self.unexpected()

    def expression(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self.expression(level + 1)
        while self.here.kind in {"sign", "name"} and self.here.text in _LEVELS[level]:
            operator = self.take().text
            as_bool, matching = self.takes("bool"), self._matching()
            left = Binary(operator, left, self.expression(level + 1), as_bool=as_bool, matching=matching)
        return left

    def _matching(self) -> Matching:
        if not (self.here.kind == "name" and self.here.text in {"on", "ignoring"}):
            return Matching()
        on = self.take().text == "on"
        found = Matching(self._names(), on=on)
        for group in ("left", "right"):
            if self.takes(f"group_{group}"):
                include = self._names() if self.here.text == "(" else ()
                return replace(found, group=group, include=include)
        return found

    def _names(self) -> tuple[str, ...]:
        self.need("(")
        names = []
        while not self.takes(")"):
            if self.here.kind != "name":
                raise self.unexpected()
            names.append(self.take().text)
            if not self.takes(",") and self.here.text != ")":
                raise self.unexpected()
        return tuple(names)

    def _unary(self) -> Expression:
        if self.takes("-"):
            return Negation(self._unary())
        if self.takes("+"):
            return self._unary()
        base = self._postfixed(self._atom())
        if self.takes("^"):
            return Binary("^", base, self._unary())
        return base

    def _postfixed(self, found: Expression) -> Expression:
        while True:
            if self.here.text == "[" and self.here.kind == "sign":
                found = self._ranged(found)
            elif self.takes("offset"):
                sign = -1 if self.takes("-") else 1
                found = replace(self._selected(found), offset=sign * self._duration())
            elif self.here.text == "@":
                raise NotSupportedError("the @ modifier")
            else:
                return found

    def _ranged(self, found: Expression) -> Expression:
        self.need("[")
        seconds = self._duration()
        if self.here.text.startswith(":"):  # a name may start with one, so what follows may be in it
            raise NotSupportedError("subqueries")
        self.need("]")
        return replace(self._selected(found), seconds=seconds)

    def _selected(self, found: Expression) -> Selector:
        if not isinstance(found, Selector):
            raise self.unexpected()
        return found

    def _duration(self) -> float:
        if self.here.kind not in {"duration", "number"}:
            raise self.unexpected()
        token = self.take()
        return duration(token.text) if token.kind == "duration" else float(token.text)

    def _atom(self) -> Expression:
        token = self.here
        if token.kind == "number":
            return Number(float(int(self.take().text, 16)) if token.text.startswith("0x") else float(self.take().text))
        if token.kind == "text":
            return Text(_unquoted(self.take().text))
        if self.takes("("):
            inside = self.expression(0)
            self.need(")")
            return inside
        if token.text == "{":
            return self._selector("")
        if token.kind != "name":
            raise self.unexpected()
        return self._named()

    def _named(self) -> Expression:
        name = self.take().text
        if name.lower() in {"inf", "nan"} and self.here.text not in {"{", "("}:
            return Number(float(name))
        if name in AGGREGATIONS and self.here.text in {"(", "by", "without"}:
            return self._aggregation(name)
        if self.here.text == "(":
            return Call(name, self._arguments())
        return self._selector(name)

    def _arguments(self) -> tuple[Expression, ...]:
        self.need("(")
        found: list[Expression] = []
        while not self.takes(")"):
            found.append(self.expression(0))
            if not self.takes(",") and self.here.text != ")":
                raise self.unexpected()
        return tuple(found)

    def _aggregation(self, name: str) -> Expression:
        grouping = self._grouping()
        arguments = self._arguments()
        grouping = grouping or self._grouping()
        wanted = 2 if name in _WITH_PARAMETER else 1
        if len(arguments) != wanted:
            raise PromqlError(
                f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {len(arguments)}"
            )
        labels, without = grouping or ((), False)
        return Aggregation(
            name, arguments[-1], arguments[0] if name in _WITH_PARAMETER else None, labels, without=without
        )

    def _grouping(self) -> tuple[tuple[str, ...], bool] | None:
        for word in ("by", "without"):
            if self.takes(word):
                return self._names(), word == "without"
        return None

    def _selector(self, name: str) -> Selector:
        matchers: list[Matcher] = []
        if self.takes("{"):
            while not self.takes("}"):
                matchers.append(self._matcher())
                if not self.takes(",") and self.here.text != "}":
                    raise self.unexpected()
        if not name:
            named = [each for each in matchers if each.label == "__name__" and each.kind == "="]
            if not named and all(each.matches({}) for each in matchers):
                raise PromqlError("vector selector must contain at least one non-empty matcher")
            name = named[0].value if named else ""
        return Selector(name, tuple(each for each in matchers if each.label != "__name__" or each.kind != "="))

    def _matcher(self) -> Matcher:
        if self.here.kind != "name":
            raise self.unexpected()
        label, sign = self.take().text, self.take()
        if sign.text not in _MATCHES or self.here.kind != "text":
            raise self.unexpected()
        value = _unquoted(self.take().text)
        if sign.text in {"=~", "!~"}:
            try:
                re.compile(value)
            except re.error as error:
                raise PromqlError(f"error parsing regexp: {error}") from None
        return Matcher(label, _MATCHES[sign.text], value)


def _unquoted(text: str) -> str:
    return text[1:-1] if text.startswith("`") else str(ast.literal_eval(text))
