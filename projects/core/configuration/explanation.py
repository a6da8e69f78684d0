"""Why a key has its value: what has set it, in order, and where its references lead. Called by ``configure explain``.

A secret is never read: what is told of it is the reference, and the name of its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from projects.core.configuration.data import SECRET, is_reference, is_secret
from projects.core.configuration.errors import UnknownKey
from projects.core.configuration.keys import MISSING, KeyPath, everything, find, format_key, parse_key
from projects.core.configuration.layers import Assignment, Configuration, Origin
from projects.core.configuration.references import Resolver
from projects.core.configuration.rules import suggestion
from projects.core.values.errors import ConfigError
from projects.core.values.redaction import MASK

_INSIDE = re.compile(r"\{@([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that has set a key, or something around or below it.

    Attributes:
      key: What was set.
      value: What the asked key, or the key below it, was set to, as it is written; MISSING when it was taken away.
      origin: Who set it, and where.
    """

    key: str
    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class Step:
    """One reference that is followed.

    Attributes:
      depth: Through how many others it is reached.
      written: The reference, as it is written.
      key: The key that it leads to.
      value: What is written there; for a secret the name of its file.
      origin: Who set that.
      problem: Why it cannot be followed.
    """

    depth: int
    written: str
    key: str
    value: Any = None
    origin: Origin | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to tell about a key.

    Attributes:
      path: Where it stands.
      value: Its value, references followed, secrets masked.
      written: Its value as it is written.
      secret: Whether it is a secret.
      settings: What has set it, the last one last.
      steps: Where the references in it lead.
    """

    path: KeyPath
    value: Any
    written: Any
    secret: bool
    settings: tuple[Setting, ...]
    steps: tuple[Step, ...]


def explained(configuration: Configuration, key: str) -> Explanation:
    """Explain a key.

    Raises:
      UnknownKey: there is no such key, or it names several values.
    """
    path = Resolver(configuration).locate(key)
    if path is None:
        hint = suggestion(key, parse_key(key) or (), configuration.data)
        raise UnknownKey(f"{key} is not a key of the configuration", hint=hint)
    written = find(configuration.data, path)
    steps = tuple(_steps(configuration, written, path))
    value = MISSING if any(step.problem for step in steps) else resolved(configuration, path)
    secret = configuration.is_secret(path) or is_secret(written)
    return Explanation(
        path, value, shown(configuration, path, written), secret, tuple(_settings(configuration, path)), steps
    )


def resolved(configuration: Configuration, path: KeyPath) -> Any:
    """Return the value at a path with references followed; of a secret the reference to its file, or a mask.

    Raises:
      BrokenReference: one leads nowhere.
    """
    resolver = Resolver(configuration, lambda _key, file: f"{SECRET}{file}", masked=True)
    return resolver.resolve(find(configuration.data, path), path)


def shown(configuration: Configuration, path: KeyPath, value: Any) -> Any:
    """Return a value that stands at a path, or below it, without the secrets that are in it."""
    schema = configuration.schema
    return schema.masked(value, path, MASK) if schema and schema.has_secrets else value


def _settings(configuration: Configuration, path: KeyPath) -> Iterator[Setting]:
    for layer, document in configuration.base.documents:
        value = find(document.data, path)
        if value is not MISSING:
            yield _setting(configuration, path, value, Origin(layer, document.place(path)))
    # What a layer is laid twice with, such as local overrides, has set it the second time.
    laid = {(each.key, each.origin): (number, each) for number, each in enumerate(configuration.history)}
    for _, assignment in sorted(laid.values(), key=lambda item: item[0]):
        yield from _by_assignment(configuration, path, assignment)


def _by_assignment(configuration: Configuration, path: KeyPath, assignment: Assignment) -> Iterator[Setting]:
    target = parse_key(assignment.key)
    if target is None:
        return
    if target[: len(path)] == path:
        yield _setting(configuration, target, assignment.value, assignment.origin)
    elif target == path[: len(target)]:
        value = find(assignment.value, path[len(target) :])
        yield _setting(configuration, path, value, assignment.origin)


def _setting(configuration: Configuration, path: KeyPath, value: Any, origin: Origin) -> Setting:
    return Setting(format_key(path), shown(configuration, path, value), origin)


def _steps(
    configuration: Configuration, value: Any, path: KeyPath, depth: int = 0, seen: tuple[KeyPath, ...] = ()
) -> Iterator[Step]:
    """Give each reference in a value, and those that are met on its way."""
    for below, each in everything(value, path):
        if not is_reference(each):
            continue
        if is_secret(each):
            yield _secret(configuration, each, below, depth)
            continue
        for written, key in _named_in(each):
            yield from _followed(configuration, written, key, depth, (*seen, below))


def _named_in(text: str) -> list[tuple[str, str]]:
    """Return the references in a text, each as it is written and with the key that it names."""
    return [(text, text[1:])] if text.startswith("@") else [(found[0], found[1]) for found in _INSIDE.finditer(text)]


def _followed(
    configuration: Configuration, written: str, key: str, depth: int, seen: tuple[KeyPath, ...]
) -> Iterator[Step]:
    try:
        target = Resolver(configuration).locate(key)
    except ConfigError as error:
        yield Step(depth, written, key, problem=str(error))
        return
    if target is None or target in seen:
        hint = suggestion(key, parse_key(key) or (), configuration.data) if target is None else None
        problem = "it leads nowhere" + (f"; {hint}" if hint else "") if target is None else "it goes round in a circle"
        yield Step(depth, written, key, problem=problem)
        return
    value = find(configuration.data, target)
    yield Step(depth, written, format_key(target), shown(configuration, target, value), configuration.origin(target))
    yield from _steps(configuration, value, target, depth + 1, seen)


def _secret(configuration: Configuration, written: str, path: KeyPath, depth: int) -> Step:
    key = written.removeprefix(SECRET)
    try:
        file = Resolver(configuration).file_of_secret(written, path)
    except ConfigError as error:
        return Step(depth, written, key, problem=str(error))
    return Step(depth, written, key, file, configuration.origin(parse_key(key) or ()))
