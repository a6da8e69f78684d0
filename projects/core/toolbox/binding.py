"""Binding of a command line, or of keyword arguments, to a signature, before anything runs.

Called for entrypoints and toolbox commands alike. All mistakes of a line are reported together.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projects.core.toolbox import conversion
from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a signature, its annotation resolved."""

    name: str
    annotation: Any
    default: Any
    positional: bool

    @property
    def flag(self) -> str:
        """Its name on a command line: one that Python does not allow, such as `from`, ends with an underscore there."""
        return self.name.removesuffix("_")

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty


def parameters_of(function: Callable[..., Any]) -> dict[str, Parameter]:
    """Return the parameters of a function or method by name, `self` left out."""
    hints = typing.get_type_hints(function)
    return {
        each.name: Parameter(
            each.name,
            hints.get(each.name, each.annotation),
            each.default,
            each.kind is not inspect.Parameter.KEYWORD_ONLY,
        )
        for each in inspect.signature(function).parameters.values()
        if each.name != "self" and each.kind in _NAMED
    }


def bind_line(parameters: Mapping[str, Parameter], words: Sequence[str]) -> dict[str, Any]:
    """Bind the words that follow a command's name: ``--name=value``, ``--name value``, ``--flag``, ``--noflag``, positional.

    Args:
      parameters: What the function takes.
      words: The words of the line.

    Returns:
      The given arguments by name, converted; defaults are not filled in.

    Raises:
      UsageError: unknown, missing, surplus, repeated or ill-typed arguments, all of them in one message.
    """
    line = _Line(parameters)
    line.read(list(words))
    return line.finish()


def bind_values(parameters: Mapping[str, Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Bind keyword arguments that come from Python or from a template; they must be of the annotated kinds.

    Raises:
      UsageError: unknown, missing or ill-typed arguments, all of them in one message.
    """
    problems: list[UsageError] = []
    bound: dict[str, Any] = {}
    for name, value in values.items():
        if name not in parameters:
            problems.append(_unknown(name, parameters, dashes=False))
            continue
        _collect(problems, bound, parameters[name], conversion.check, value)
    return _complete(parameters, bound, problems, given=values)


class _Line:
    """The reading of one command line; it remembers every mistake it meets."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters
        self.flags = {each.flag: each for each in parameters.values()}
        self.bound: dict[str, Any] = {}
        self.given: set[str] = set()
        self.problems: list[UsageError] = []
        self.positional = [each for each in parameters.values() if each.positional]

    def read(self, words: list[str]) -> None:
        while words:
            word = words.pop(0)
            if word == "--":
                for rest in words:
                    self._place(rest)
                return
            if word.startswith("--"):
                self._flag(word[2:], words)
            else:
                self._place(word)

    def finish(self) -> dict[str, Any]:
        return _complete(self.parameters, self.bound, self.problems, given=self.given)

    def _flag(self, text: str, words: list[str]) -> None:
        written, equals, value = text.partition("=")
        name = written.replace("-", "_")
        parameter = self.flags.get(name)
        if parameter is None:
            self._negated(written, name, equals)
        elif equals:
            self._bind(parameter, conversion.from_text, value)
        elif conversion.takes(parameter.annotation, bool) and not _next_is_value(parameter, words):
            self._bind(parameter, conversion.check, True)
        elif words and not words[0].startswith("--"):  # a value that begins so is written with an equals sign
            self._bind(parameter, conversion.from_text, words.pop(0))
        else:
            self.given.add(parameter.name)
            found = words[0] if words else "the end of the line"
            self.problems.append(UsageError(f"--{written}: expected a value after it, found {found}"))

    def _negated(self, written: str, name: str, equals: str) -> None:
        positive = self.flags.get(name.removeprefix("no").removeprefix("_"))
        if name.startswith("no") and not equals and positive and conversion.takes(positive.annotation, bool):
            self._bind(positive, conversion.check, False)
        else:
            self.problems.append(_unknown(written, self.parameters, dashes=True))

    def _place(self, word: str) -> None:
        free = next((each for each in self.positional if each.name not in self.given), None)
        if free is None:
            known = ", ".join(self.parameters) or "none"
            self.problems.append(UsageError(f"surplus argument {word!r}; the arguments are: {known}"))
        else:
            self._bind(free, conversion.from_text, word)

    def _bind(self, parameter: Parameter, convert: Callable[[Any, Any], Any], value: Any) -> None:
        if parameter.annotation is conversion.Words:
            self.given.add(parameter.name)
            self.bound[parameter.name] = conversion.Words((*self.bound.get(parameter.name, ()), value))
            return
        if parameter.name in self.given:
            self.problems.append(UsageError(f"--{parameter.flag} is given twice"))
        self.given.add(parameter.name)
        _collect(self.problems, self.bound, parameter, convert, value)


def _next_is_value(parameter: Parameter, words: list[str]) -> bool:
    # A flag that may also hold text, such as --show_args [ARG], takes the next word unless that is a flag.
    return conversion.takes(parameter.annotation, str) and bool(words) and not words[0].startswith("--")


def _collect(
    problems: list[UsageError],
    bound: dict[str, Any],
    parameter: Parameter,
    convert: Callable[[Any, Any], Any],
    value: Any,
) -> None:
    try:
        bound[parameter.name] = convert(value, parameter.annotation)
    except UsageError as error:
        problems.append(UsageError(f"{parameter.name}: {error.message}", hint=error.hint))


def _unknown(name: str, parameters: Mapping[str, Parameter], *, dashes: bool) -> UsageError:
    mark = "--" if dashes else ""
    return UsageError(
        f"unknown argument {mark}{name}",
        hint=did_you_mean(mark + name, [mark + each.flag for each in parameters.values()]),
    )


def _complete(
    parameters: Mapping[str, Parameter],
    bound: dict[str, Any],
    problems: list[UsageError],
    *,
    given: Collection[str],
) -> dict[str, Any]:
    # A required argument whose misspelt name was just told about is not missing as well.
    meant = " ".join(problem.hint or "" for problem in problems)
    problems += [
        UsageError(f"missing argument {each.name} ({conversion.describe(each.annotation)})")
        for each in parameters.values()
        if each.required and each.name not in given and f"{each.name}'" not in meant
    ]
    if not problems:
        return bound
    lines = [p.message + (f" ({p.hint})" if p.hint else "") for p in problems]
    raise UsageError("\n".join(lines))
