"""Expressions: compiled once, looked through for what cannot be, evaluated. Called by `rules` and `definition_rules`.

There is no type checker: an expression whose types do not fit is accepted, and fails when it is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, Final

import celpy
import lark
from celpy.celparser import CELParseError
from celpy.celtypes import BoolType
from celpy.evaluation import CELEvalError, Context, Evaluator, base_functions

from projects.sim_cluster.api.cel import authorizer, namespaces, optionals
from projects.sim_cluster.api.cel.functions import FUNCTIONS
from projects.sim_cluster.api.cel.values import missed, named
from projects.sim_cluster.api.schema import Schema

SELF, OLD_SELF = "self", "oldSelf"
OF_RULES: Final = frozenset({SELF, OLD_SELF})
"""The variables of a rule in a schema."""
_MACROS: Final = frozenset({"all", "exists", "exists_one", "filter", "map", "has", "dyn"})
_MOST_OF_MACRO: Final = 2
_TYPES: Final = frozenset({"bool", "bytes", "double", "duration", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint"})  # fmt: skip
_MISSING: Final = frozenset({
    "existsOne", "isSemver", "major", "minor", "optFlatMap", "optMap", "patch", "semver", "sortBy", "transformList", "transformMap", "transformMapEntry",
})  # fmt: skip
"""What the real server knows and nothing here evaluates."""
_FUNCTIONS: Final = {**FUNCTIONS, **optionals.FUNCTIONS, **namespaces.FUNCTIONS, **authorizer.FUNCTIONS}
_KNOWN: Final = frozenset(base_functions) | _FUNCTIONS.keys() | _MACROS | _TYPES


class UnusableError(Exception):
    """An expression that cannot be evaluated."""


class CompilationError(UnusableError):
    """An expression that the real server refuses, worded as it does."""


class UnsupportedError(UnusableError):
    """An expression that the real server evaluates and this one cannot."""


class EvaluationError(Exception):
    """An expression that fails on the values it was given."""


class _Evaluator(Evaluator):
    """cel-python's evaluator, for which what is missing has the name that cel-go gives it.

    ``has(self.a.b)`` is an error where there is no ``a``, and a field of null is a key that is not there.
    """

    def member_dot(self, tree: lark.Tree[Any]) -> Any:
        found = super().member_dot(tree)
        if isinstance(found, CELEvalError) and str(found.args[0]).startswith("None with type") and not missed.get():
            missed.set(str(tree.children[1]))
        return found

    def macro_has_eval(self, exprlist: lark.Tree[Any]) -> Any:
        before = missed.get()
        missed.set("")
        [found] = self.visit_children(exprlist)
        *_, field = exprlist.scan_values(lambda _: True)
        if isinstance(found, CELEvalError) and missed.get() != field:
            return found
        missed.set(before)
        return BoolType(not isinstance(found, CELEvalError))


class _Runner(celpy.InterpretedRunner):
    def evaluate(self, context: Context) -> Any:
        return _Evaluator(self.ast, self.new_activation()).evaluate(context)


@lru_cache
def _environment() -> celpy.Environment:
    return celpy.Environment(runner_class=_Runner)


@lru_cache(maxsize=1000)
def program(text: str, names: frozenset[str] = OF_RULES) -> Program:
    """Return an expression ready to be evaluated.

    Args:
      text: What it says.
      names: The variables that it may name.

    Raises:
      CompilationError: it is no expression, or calls what nobody knows.
      UnsupportedError: it calls what the real server knows, and nothing here.
    """
    return Program(text, names)


def unsupported_in(text: str, names: frozenset[str] = OF_RULES) -> str:
    """Return what keeps an expression from being evaluated here and not on a real server; empty when nothing does.

    One that the real server refuses as well is not told of: it is refused.
    """
    try:
        program(text, names)
    except UnsupportedError as error:
        return str(error)
    except CompilationError:
        return ""
    return ""


class Program:
    """An expression.

    Args:
      text: What it says.
      names: The variables that it may name.
    """

    def __init__(self, text: str, names: frozenset[str]) -> None:
        self.text, self._names = text, names
        try:
            self._tree = _environment().compile(optionals.without_marks(text))
        except CELParseError as error:
            raise self._wrong(error.line or 1, error.column or 1, "Syntax error: it is no expression") from None
        self._check_names()
        self._runner = _environment().program(self._tree, functions=_FUNCTIONS)

    @cached_property
    def uses_old(self) -> bool:
        """Whether it is about a change: it compares with what was there before."""
        return any(ident == OLD_SELF for ident in self._identifiers())

    def evaluate(self, values: dict[str, Any]) -> Any:
        """Return what it says of some values.

        Raises:
          EvaluationError: it fails on them.
        """
        before = missed.set("")
        try:
            return self._runner.evaluate({**namespaces.NAMESPACES, **values})
        except CELEvalError as error:
            raise EvaluationError(_said(error)) from None
        finally:
            missed.reset(before)

    def check_fields(self, schema: Schema, *names: str) -> None:
        """See to it that there are the fields that it names.

        Args:
          schema: What is declared.
          names: The variables that are of this schema.

        Raises:
          CompilationError: one is not declared.
        """
        for tree in self._tree.find_data("member_dot"):
            member, field = _children(tree)
            holder = _holder(member, schema, names)
            if holder is not None and _field(holder, str(field)) is None:
                raise self._wrong(field.line, field.column - 1, f"undefined field '{field}'")

    def _check_names(self) -> None:
        for kind in ("ident_arg", "member_dot_arg"):
            for tree in self._tree.find_data(kind):
                self._check_call(tree)
        bound = set(self._variables())
        for ident in self._identifiers():
            if ident not in bound | _TYPES | namespaces.NAMESPACES.keys() | self._names:
                raise self._wrong(ident.line, ident.column, f"undeclared reference to '{ident}' (in container '')")

    def _check_call(self, tree: lark.Tree[Any]) -> None:
        children = _children(tree)
        *_, name, arguments = children if isinstance(children[-1], lark.Tree) else [*children, None]
        if name in _MISSING or (name in _MACROS and arguments and len(arguments.children) > _MOST_OF_MACRO):
            raise UnsupportedError(str(name))
        if name not in _KNOWN:
            column = name.column + len(name)
            raise self._wrong(name.line, column, f"undeclared reference to '{name}' (in container '')")

    def _identifiers(self) -> Iterator[Any]:
        for tree in self._tree.find_data("ident"):
            yield from _children(tree)

    def _variables(self) -> Iterator[str]:
        """Yield the names that macros bind: the first argument of each."""
        for tree in self._tree.find_data("member_dot_arg"):
            _, name, *arguments = _children(tree)
            if name in _MACROS and arguments:
                yield from map(str, arguments[0].children[0].scan_values(lambda _: True))

    def _wrong(self, line: int, column: int, message: str) -> CompilationError:
        shown = self.text.splitlines()[line - 1] if self.text else ""
        return CompilationError(f"ERROR: <input>:{line}:{column}: {message}\n | {shown}\n | {'.' * (column - 1)}^")


def _children(tree: lark.Tree[Any]) -> list[Any]:
    return tree.children


def _said(error: CELEvalError) -> str:
    """Return why an evaluation failed, in the words of cel-go where it is the commonest of reasons."""
    if key := missed.get():
        return f"no such key: {key}"
    kinds = (*error.args[1:2], type(error.__cause__))
    if ZeroDivisionError in kinds:
        return "division by zero"
    if IndexError in kinds:
        return "index out of bounds"
    said = str(error.args[-1][0] if isinstance(error.args[-1], tuple) and error.args[-1] else error.args[0])
    if said.startswith("could not convert string to float"):
        return "type conversion error from 'string' to 'double'"
    return "no such overload" if TypeError in kinds and not said.startswith("no such overload: quantity") else said


def _holder(member: lark.Tree[Any], schema: Schema, names: tuple[str, ...]) -> Schema | None:
    """Return the schema of what a field is selected from; None when that is not known, or can be anything."""
    found = member.children[0] if member.data == "member" else member
    if found.data == "primary":
        inner = found.children[0]
        return schema if inner.data == "ident" and inner.children[0] in names else None
    if found.data != "member_dot" or (holder := _holder(found.children[0], schema, names)) is None:
        return None
    child = _field(holder, str(found.children[1]))
    return child if child is not None and child.type == "object" and not child.is_map else None


def _field(schema: Schema, name: str) -> Schema | None:
    return next((schema.child(key) for key in schema.node.get("properties", {}) if name in named(key)), None)
