"""Go templates, as far as Stage documents use them: actions, variables, ``if``, ``range``, ``with``, comments, trimmed spaces."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.behaviours.stages.expressions import Expression, Functions, Reader, Scope
from projects.sim_cluster.behaviours.stages.mistakes import ConstructError

_ACTION: Final = re.compile(r"\{\{(?P<left>- )?\s*(?P<text>.*?)\s*(?P<right> -)?\}\}", re.DOTALL)
_ASSIGNED: Final = re.compile(r"(\$\w+)\s*(:=|=)\s*(.+)", re.DOTALL)
_RANGED: Final = re.compile(r"(?:(\$\w+)\s*,\s*)?(\$\w+)\s*:=\s*(.+)", re.DOTALL)
_BLOCKS: Final = ("if", "range", "with")
_REFUSED: Final = ("define", "template", "block", "break", "continue")
Part = Callable[[Scope], Iterator[str]]
_Piece = tuple[str, str]
"""``text`` or ``action``, and what stands there."""


class Template:
    """A template that has been read.

    Args:
      text: The template.
      functions: The names of the functions that it may call.

    Raises:
      ConstructError: It has something that is not understood.
    """

    def __init__(self, text: str, functions: frozenset[str]) -> None:
        self._functions = functions
        self._pieces = list(_pieces(text))
        self._place = 0
        self._parts, ended = self._block()
        if ended:
            raise ConstructError(f"{{{{ {ended} }}}} without a beginning")

    def render(self, value: Any, functions: Functions) -> str:
        """Return the text that it makes of a value."""
        scope = Scope(value, ChainMap({"$": value}), functions)
        return "".join(_all(self._parts, scope))

    def _read(self, text: str) -> Expression:
        return Reader(text, self._functions).read()

    def _block(self) -> tuple[list[Part], str]:
        """Return the parts up to the action that ends a block, and that action."""
        parts: list[Part] = []
        while self._place < len(self._pieces):
            kind, text = self._pieces[self._place]
            self._place += 1
            word = text.split(None, 1)[0] if text.strip() else ""
            if kind == "text":
                parts.append(_text(text))
            elif word in {"end", "else"}:
                return parts, text
            elif text and not text.startswith("/*"):
                parts.append(self._action(word, text))
        return parts, ""

    def _action(self, word: str, text: str) -> Part:
        if word in _REFUSED:
            raise ConstructError(f"{{{{ {text} }}}}: {word!r} is not supported")
        rest = text[len(word) :].strip()
        if word in _BLOCKS:
            return self._control(word, rest)
        if (assigned := _ASSIGNED.fullmatch(text)) is not None:
            return _assignment(assigned[1], self._read(assigned[3]), declares=assigned[2] == ":=")
        expression = self._read(text)
        return lambda scope: iter([shown(expression(scope))])

    def _control(self, word: str, rest: str) -> Part:
        ranged = _RANGED.fullmatch(rest) if word != "if" else None
        expression = self._read(ranged[3] if ranged else rest)
        body, ended = self._block()
        others: list[Part] = []
        if ended.startswith("else"):
            if (further := ended[4:].strip()) and further.split(None, 1)[0] in _BLOCKS:
                kind, _, condition = further.partition(" ")
                others = [self._control(kind, condition)]
                ended = "end"
            else:
                others, ended = self._block()
        if ended != "end":
            raise ConstructError(f"{{{{ {word} {rest} }}}} has no end")
        if word == "range":
            return _range((ranged[1], ranged[2]) if ranged else (None, None), expression, body, others)
        return _branch(ranged[2] if ranged else None, expression, body, others, moves=word == "with")


def _pieces(text: str) -> Iterator[_Piece]:
    place, trims = 0, False
    for action in _ACTION.finditer(text):
        before = text[place : action.start()]
        before = before.lstrip() if trims else before
        yield "text", before.rstrip() if action["left"] else before
        yield "action", action["text"]
        place, trims = action.end(), bool(action["right"])
    yield "text", text[place:].lstrip() if trims else text[place:]


def _all(parts: list[Part], scope: Scope) -> Iterator[str]:
    for part in parts:
        yield from part(scope)


def _text(text: str) -> Part:
    return lambda _scope: iter([text])


def _assignment(name: str, expression: Expression, *, declares: bool) -> Part:
    def assign(scope: Scope) -> Iterator[str]:
        blocks = scope.variables.maps
        block = blocks[0] if declares else next((each for each in blocks if name in each), blocks[0])
        block[name] = expression(scope)
        yield ""

    return assign


def _inner(scope: Scope, dot: Any, variables: dict[str, Any]) -> Scope:
    return Scope(dot, ChainMap(variables, *scope.variables.maps), scope.functions)


def _range(names: tuple[str | None, str | None], expression: Expression, body: list[Part], others: list[Part]) -> Part:
    key, item = names

    def part(scope: Scope) -> Iterator[str]:
        values = expression(scope)
        pairs = sorted(values.items()) if isinstance(values, dict) else list(enumerate(values or ()))
        for number, value in pairs:
            variables = {name: each for name, each in ((key, number), (item, value)) if name}
            yield from _all(body, _inner(scope, value, variables))
        if not pairs:
            yield from _all(others, _inner(scope, scope.dot, {}))

    return part


def _branch(name: str | None, expression: Expression, body: list[Part], others: list[Part], *, moves: bool) -> Part:
    def part(scope: Scope) -> Iterator[str]:
        value = expression(scope)
        variables = {name: value} if name else {}
        if value:
            yield from _all(body, _inner(scope, value if moves else scope.dot, variables))
        else:
            yield from _all(others, _inner(scope, scope.dot, variables))

    return part


def shown(value: Any) -> str:
    """Return a value as Go prints it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value)) + "]"
    return "[" + " ".join(map(shown, value)) + "]" if isinstance(value, list) else str(value)
