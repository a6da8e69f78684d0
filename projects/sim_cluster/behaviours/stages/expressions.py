"""Expressions of Go templates: fields, variables, literals, calls, pipelines. Read by `templates`."""

from __future__ import annotations

import json
import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any, Final

from projects.sim_cluster.behaviours.stages.mistakes import ConstructError

Functions = Mapping[str, Callable[..., Any]]
Expression = Callable[["Scope"], Any]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"""
    r"""|(?P<variable>\$\w*(?:\.\w+)*)|(?P<field>(?:\.\w+)+|\.)|(?P<word>[A-Za-z_]\w*)|(?P<sign>[|()]))"""
)
_CONSTANTS: Final[dict[str, Any]] = {"true": True, "false": False, "nil": None}
Token = tuple[str, str]


class Scope:
    """What an expression sees: the dot, the variables, the functions."""

    def __init__(self, dot: Any, variables: ChainMap[str, Any], functions: Functions) -> None:
        self.dot, self.variables, self.functions = dot, variables, functions


def walk(value: Any, names: list[str]) -> Any:
    """Return a field of a field of a value; what is not there is None."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def tokens(text: str) -> list[Token]:
    """Split an expression into its tokens."""
    found, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise ConstructError(f"{{{{ {text} }}}} is not understood from {text[place:].strip()!r} on")
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class Reader:
    """Reads one expression, token by token."""

    def __init__(self, text: str, known: frozenset[str]) -> None:
        self._text, self._known = text, known
        self._tokens = tokens(text)
        self._place = 0

    def read(self) -> Expression:
        """Return the whole expression."""
        found = self._pipeline()
        if self._place < len(self._tokens):
            raise self._mistake()
        return found

    def _mistake(self) -> ConstructError:
        rest = self._tokens[self._place][1] if self._place < len(self._tokens) else "the end"
        return ConstructError(f"{{{{ {self._text} }}}} is not understood at {rest}")

    def _peek(self) -> Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _pipeline(self) -> Expression:
        found = self._command(None)
        while self._peek() == ("sign", "|"):
            self._place += 1
            found = self._command(found)
        return found

    def _command(self, piped: Expression | None) -> Expression:
        kind, text = self._peek()
        if kind != "word" or text in _CONSTANTS:
            if piped is not None:
                raise self._mistake()
            return self._operand()
        self._place += 1
        arguments = []
        while self._peek()[0] != "end" and self._peek() not in {("sign", "|"), ("sign", ")")}:
            arguments.append(self._operand())
        if piped is not None:
            arguments.append(piped)
        return self._call(text, arguments)

    def _call(self, name: str, arguments: list[Expression]) -> Expression:
        if name not in self._known:
            raise ConstructError(f"the function {name!r} in {{{{ {self._text} }}}} is not supported")
        return lambda scope: scope.functions[name](*(each(scope) for each in arguments))

    def _operand(self) -> Expression:
        kind, text = self._peek()
        if kind == "end" or (kind == "sign" and text != "("):
            raise self._mistake()
        self._place += 1
        if kind == "word" and text not in _CONSTANTS:
            return self._call(text, [])
        if kind == "sign":
            return self._group()
        return _literal(kind, text)

    def _group(self) -> Expression:
        inner = self._pipeline()
        if self._peek() != ("sign", ")"):
            raise self._mistake()
        self._place += 1
        if self._peek()[0] == "field" and self._peek()[1] != ".":
            names = self._peek()[1].split(".")[1:]
            self._place += 1
            return lambda scope: walk(inner(scope), names)
        return inner


def _literal(kind: str, text: str) -> Expression:
    if kind == "field":
        names = [name for name in text.split(".") if name]
        return lambda scope: walk(scope.dot, names)
    if kind == "variable":
        variable, *names = text.split(".")
        return lambda scope: walk(scope.variables[variable], names)
    value: Any = _CONSTANTS.get(text)
    if kind == "text":
        value = text[1:-1] if text.startswith("`") else json.loads(text)
    elif kind == "number":
        value = float(text) if "." in text else int(text)
    return lambda _scope: value
