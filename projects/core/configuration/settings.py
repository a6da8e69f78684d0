"""What ``--set key=value`` says, typed by what is declared. Called by `layering`.

A value is text exactly once, on the command line. Where the configuration holds text it stays that text: ``4.20``,
``null`` and ``[a]`` too. Anywhere else it is YAML: where a number stands a number (or null, or a list of what a sweep goes through), where
a list stands a list. Where null stands nothing says which kind is meant: a number that would be written in another way,
such as ``4.20`` or ``007``, is taken for text. `config.schema.yaml` has the first word where it declares a type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from projects.core.configuration.data import described, is_reference, is_secret
from projects.core.configuration.document import parse_value
from projects.core.configuration.errors import Problem, UnknownKey, WrongKind
from projects.core.configuration.keys import MISSING, KeyPath, find, parse_key
from projects.core.configuration.layers import Assignment, Configuration, Layer, Origin
from projects.core.configuration.references import Resolver
from projects.core.configuration.rules import WAYS_TO_WRITE, from_the_start
from projects.core.configuration.schema import Schema
from projects.core.values.errors import ConfigError

_TYPED = frozenset({"type", "enum", "const", "anyOf", "oneOf"})


def assignments(words: Iterable[str], configuration: Configuration, problems: list[Problem]) -> Iterator[Assignment]:
    """Give what the words set; those that cannot be read are added to the problems.

    Args:
      words: Each ``key=value``.
      configuration: Whose declarations say what kind a value is of.
      problems: What is wrong so far.
    """
    for word in words:
        key, text = _split(word)
        path = parse_key(key)
        if text is None or path is None:
            found = f"'{word}' has no =" if text is None else f"'{key}' is not a key"
            problems.append(Problem(f"{Layer.SET}: expected KEY=VALUE, {found}", hint=WAYS_TO_WRITE, error=UnknownKey))
            continue
        try:
            value = typed(text, from_the_start(configuration.data, path), configuration)
        except ConfigError as error:
            problems.append(Problem(f"{Layer.SET}: {key}: {error}", error=WrongKind))
            continue
        yield Assignment(key, value, Origin(Layer.SET))


def _split(word: str) -> tuple[str, str | None]:
    """Return key and text: divided at the first equals sign before which there is a whole key."""
    first: tuple[str, str | None] | None = None
    for position, character in enumerate(word):
        if character == "=":
            first = first or (word[:position], word[position + 1 :])
            if parse_key(word[:position]) is not None:
                return word[:position], word[position + 1 :]
    return first or (word, None)


def typed(text: str, path: KeyPath, configuration: Configuration) -> Any:
    """Return a text as the value that a key takes.

    Args:
      text: The text.
      path: The key's path.
      configuration: Whose declarations say what kind it is of.

    Raises:
      WrongKind: it is text where something else stands.
      ConfigError: it is no YAML.
    """
    if is_reference(text):
        return text
    schema = configuration.schema
    if schema and any(_TYPED & set(each) for each in schema.declared(path)):
        return _by_schema(text, path, schema)
    return _by_example(text, _example(path, configuration), shown=not configuration.is_secret(path))


def _by_schema(text: str, path: KeyPath, schema: Schema) -> Any:
    """Return the first of the things that a text may mean which the schema allows; its YAML when it allows none."""
    exact, meant = _or_text(text, exact=True), _or_text(text)
    choices = [text, meant] if isinstance(exact, str) else [exact, text]
    return next((each for each in choices if schema.allows(path, each)), meant)


def _or_text(text: str, *, exact: bool = False) -> Any:
    try:
        return parse_value(text, exact=exact)
    except ConfigError:
        return text


def _example(path: KeyPath, configuration: Configuration) -> Any:
    """Return what stands at a path, as the project's files declare it; what a reference there leads to."""
    declared = find(configuration.declared, path)
    value = find(configuration.data, path) if declared is MISSING else declared
    if not is_reference(value) or is_secret(value):
        return value
    try:
        return Resolver(configuration).resolve(value, path)
    except ConfigError:
        return None  # it leads nowhere, which is told by whoever reads it


def _by_example(text: str, example: Any, *, shown: bool) -> Any:
    if isinstance(example, str) or example is MISSING:  # a key that is not there is told when it is set
        return text
    value = parse_value(text, exact=not _of_numbers(example))
    if wanted := _wanted(example, value):
        stands, found = (described(example), described(value)) if shown else ("a secret", "something else")
        raise WrongKind(f"expected {wanted} where {stands} stands, found {found}")
    return value


def _of_numbers(example: Any) -> bool:
    among = example if isinstance(example, list) else [example]
    return bool(among) and all(isinstance(each, bool | int | float) for each in among)


def _wanted(example: Any, value: Any) -> str | None:
    """Return what was expected, when a value is of no kind that goes where the example stands."""
    if value is None or example is None:
        return None
    if isinstance(example, dict):
        return None if isinstance(value, dict) else "a mapping"
    if isinstance(example, list):
        return None if isinstance(value, list) else "a list such as [a, b]"
    kinds = (bool,) if isinstance(example, bool) else (int, float)
    among = value if isinstance(value, list) else [value]
    if all(type(each) in kinds for each in among):
        return None
    return "true or false" if isinstance(example, bool) else "a number"
