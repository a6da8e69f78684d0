"""What is wrong with a `config.schema.yaml` itself. Asked by `schema` when one is loaded.

JSON Schema ignores a keyword that it does not know, and so a misspelt one would declare nothing. Here it is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from projects.core.configuration.data import described
from projects.core.configuration.document import Place
from projects.core.configuration.errors import Problem
from projects.core.configuration.expectations import expectation
from projects.core.configuration.keys import MISSING, KeyPath, find, format_key
from projects.core.values.nearest import did_you_mean

FILE = "config.schema.yaml"
SECRET = "secret"  # noqa: S105 - the keyword
_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_ONE = (
    "additionalProperties",
    "items",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
)
_SOMETIMES = frozenset({"anyOf", "oneOf", "not", "if", "then", "else", "contains", "dependentSchemas", "propertyNames"})
_TOLD = frozenset(
    [
        "$schema",
        "$id",
        "$anchor",
        "$comment",
        "$vocabulary",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "then",
        "else",
        "definitions",
        "$defs",
        "minContains",
        "maxContains",
    ]
)


def pointed(reference: str) -> KeyPath:
    """Return the path that ``#/a/b`` means; one into another file leads nowhere."""
    if not reference.startswith("#"):
        return ("", reference)
    steps = reference.removeprefix("#").split("/")[1:]
    names = (step.replace("~1", "/").replace("~0", "~") for step in steps)
    return tuple(int(name) if name.isdecimal() else name for name in names)


def schemas_in(schema: Any, path: KeyPath = (), branch: str = "") -> Iterator[tuple[KeyPath, dict[str, Any], str]]:
    """Give a schema and each one in it, with its path, and the keyword by which it counts only sometimes."""
    if not isinstance(schema, dict):
        return
    yield path, schema, branch
    for keyword, members in schema.items():
        inner = keyword if keyword in _SOMETIMES else branch
        if keyword in _BY_NAME and isinstance(members, dict):
            for name, each in members.items():
                yield from schemas_in(each, (*path, keyword, name), inner)
        elif keyword in _LISTED and isinstance(members, list):
            for index, each in enumerate(members):
                yield from schemas_in(each, (*path, keyword, index), inner)
        elif keyword in _ONE:
            yield from schemas_in(members, (*path, keyword), inner)


def problems_of(document: dict[str, Any], place: Callable[[KeyPath], Place | None]) -> Iterator[Problem]:
    """Give what is wrong with declarations.

    Args:
      document: What the files declare.
      place: Tells where a part of it is written.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - it takes 60 ms to import

    def wrong(path: KeyPath, message: str, hint: str | None = None) -> Problem:
        return Problem(f"{FILE}: {message}", nearest_place(path, place), f"{FILE} {format_key(path)}", hint)

    for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(document):
        path = tuple(error.absolute_path)
        yield wrong(path, f"{format_key(path)}: {expectation(error)}")
    known = {*Draft202012Validator.VALIDATORS, *_TOLD, SECRET}
    for path, schema, branch in schemas_in(document):
        for keyword in schema:
            if keyword not in known and not keyword.startswith("x-"):
                hint = did_you_mean(keyword, known) or "a key is declared below 'properties', level by level"
                yield wrong((*path, keyword), f"'{keyword}' is no keyword of a JSON Schema", hint)
        reference = schema.get("$ref")
        if isinstance(reference, str) and find(document, pointed(reference)) is MISSING:
            said = f"expected a reference into this file, such as '#/$defs/name', found '{reference}'"
            yield wrong((*path, "$ref"), said)
        if SECRET in schema:
            yield from (wrong((*path, SECRET), said) for said in _wrong_secret(schema[SECRET], branch))


def _wrong_secret(value: Any, branch: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{SECRET}: expected true or false, found {described(value)}"
    if branch:
        yield f"{SECRET}: a value cannot be a secret only sometimes, below '{branch}'"


def nearest_place(path: KeyPath, place: Callable[[KeyPath], Place | None]) -> Place | None:
    """Return where a value is written, or else what is around it: a key that is missing is written nowhere."""
    return next((found for length in range(len(path), 0, -1) if (found := place(path[:length]))), None)
