"""Conversion of an argument by its annotation, and by nothing else. Called by `binding` for each argument.

Text from a command line becomes what the annotation says (a `str` stays the text as it stands); a value from
Python or from a template must already be of the annotated kind.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import inspect
import json
import types
import typing
from datetime import date
from pathlib import Path
from typing import Any, Literal

from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean
from projects.core.values.secret import Secret

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_CONTAINERS: tuple[type, ...] = (list, tuple, set, frozenset, dict)


class Words(tuple[str, ...]):
    """The values of a flag that may be given several times, in their order, each the text as it stands."""

    __slots__ = ()


def describe(annotation: Any) -> str:
    """Return an annotation as people read it, such as ``int`` or ``str | None``."""
    if annotation in (Any, inspect.Parameter.empty):
        return "any value"
    if annotation is types.NoneType:
        return "None"
    if annotation is Words:
        return "text, may be given several times"
    members = typing.get_args(annotation)
    if typing.get_origin(annotation) is Literal:
        return " or ".join(repr(choice) for choice in members)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " or ".join(repr(member.value) for member in annotation)
    if _is_union(annotation):
        return " | ".join(map(describe, members))
    if members:
        shown = ("..." if each is Ellipsis else "Any" if each is Any else describe(each) for each in members)
        return f"{typing.get_origin(annotation).__name__}[{', '.join(shown)}]"
    return getattr(annotation, "__name__", str(annotation))


def takes(annotation: Any, kind: type) -> bool:
    """Return whether `annotation` is `kind` or a union that holds it."""
    return annotation is kind or kind in typing.get_args(annotation)


def from_text(text: str, annotation: Any) -> Any:
    """Convert one word of a command line.

    Args:
      text: The word.
      annotation: The parameter's annotation; without one the word stays a string.

    Returns:
      The value.

    Raises:
      UsageError: the word is not of that kind; the message says what was expected and what was found.
    """
    if annotation in (Any, inspect.Parameter.empty, str):
        return text
    if _is_union(annotation):
        return _from_text_to_union(text, annotation)
    if typing.get_origin(annotation) is Literal:
        return _choice(text, {str(choice): choice for choice in typing.get_args(annotation)})
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _choice(text, {str(member.value): member for member in annotation})
    if _container(annotation):
        return _from_text_to_container(text, annotation)
    return _from_text_to_scalar(text, annotation)


def check(value: Any, annotation: Any) -> Any:
    """Accept a value that comes from Python or from a template.

    Args:
      value: The value.
      annotation: The parameter's annotation; without one every value is accepted.

    Returns:
      The value; an int is accepted, and converted, where a float is asked for, and text where a class
      with a `parse` method, an enumeration or a path is. Of a `Secret` its text, which the redactor knows.

    Raises:
      UsageError: the value is of another kind.
    """
    if not isinstance(value, Secret):
        return _checked(value, annotation)
    try:
        return _checked(value.reveal(), annotation)
    except UsageError:
        raise _mismatch(value, annotation) from None  # its message does not quote the text


def _checked(value: Any, annotation: Any) -> Any:
    if annotation in (Any, inspect.Parameter.empty) or (value is None and takes(annotation, types.NoneType)):
        return value
    if _is_union(annotation):
        return _first(check, value, annotation)
    if typing.get_origin(annotation) is Literal:
        return _member(value, typing.get_args(annotation), annotation)
    if _container(annotation):
        return _convert_elements(value, annotation, check)
    if annotation is float and type(value) is int:
        return float(value)
    if isinstance(value, str) and annotation is not str and (annotation is Path or _parses(annotation)):
        return from_text(value, annotation)
    if type(value) is bool and annotation is int:
        raise _mismatch(value, annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum) and not isinstance(value, annotation):
        return annotation(_member(value, tuple(each.value for each in annotation), annotation))
    with contextlib.suppress(TypeError):  # an annotation that nothing is an instance of
        if isinstance(value, annotation):
            return value
    raise _mismatch(value, annotation)


def to_data(value: Any) -> Any:
    """Return an argument as a role is given it: JSON-like data, a dataclass as a mapping of its fields."""
    if isinstance(value, Secret):
        return value.reveal()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: to_data(member) for key, member in dataclasses.asdict(value).items()}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, date):  # YAML reads one from 2026-11-05
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): to_data(member) for key, member in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((to_data(member) for member in value), key=str)
    if isinstance(value, list | tuple):
        return [to_data(member) for member in value]
    return value


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _origin(annotation: Any) -> Any:
    return typing.get_origin(annotation) or annotation


def _container(annotation: Any) -> type | None:
    origin = _origin(annotation)
    return origin if origin in _CONTAINERS else None


def _parses(annotation: Any) -> bool:
    return isinstance(annotation, type) and (hasattr(annotation, "parse") or issubclass(annotation, enum.Enum))


def _mismatch(value: Any, annotation: Any) -> UsageError:
    hint = "quote it where it is written" if annotation is str and isinstance(value, int | float) else None
    return UsageError(f"expected {describe(annotation)}, found the {type(value).__name__} {value!r}", hint=hint)


def _first(convert: Any, value: Any, annotation: Any) -> Any:
    for member in typing.get_args(annotation):
        if member is types.NoneType:
            continue
        try:
            return convert(value, member)
        except UsageError:
            continue
    raise _mismatch(value, annotation)


def _from_text_to_union(text: str, annotation: Any) -> Any:
    members = [member for member in typing.get_args(annotation) if member is not types.NoneType]
    ordered = [m for m in members if m is not str] + [m for m in members if m is str]
    if len(ordered) == 1:
        return from_text(text, ordered[0])
    return _first(from_text, text, typing.Union[tuple(ordered)])  # noqa: UP007 - built at run time


def _choice(text: str, choices: dict[str, Any]) -> Any:
    if text in choices:
        return choices[text]
    raise UsageError(f"expected one of {', '.join(choices)}, found {text!r}", hint=did_you_mean(text, choices))


def _member(value: Any, choices: tuple[Any, ...], annotation: Any) -> Any:
    if any(value == choice and type(value) is type(choice) for choice in choices):
        return value
    raise UsageError(
        f"expected {describe(annotation)}, found {value!r}", hint=did_you_mean(str(value), map(str, choices))
    )


def _from_text_to_scalar(text: str, annotation: Any) -> Any:
    try:
        if annotation is bool:
            return _boolean(text)
        if hasattr(annotation, "parse"):
            return annotation.parse(text)
        return annotation(text)
    except UsageError:
        raise
    except (ValueError, TypeError) as error:
        expected = "true or false" if annotation is bool else describe(annotation)
        reason = f" ({error})" if hasattr(annotation, "parse") else ""
        raise UsageError(f"expected {expected}, found {text!r}{reason}") from error


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)


def _from_text_to_container(text: str, annotation: Any) -> Any:
    elements = typing.get_args(annotation)
    if not elements or Any in elements:
        return _convert_elements(_read(text, annotation, typed=True), annotation, check)
    # All scalars stay text, so that the elements' annotation decides what 4.10 is.
    return _convert_elements(_read(text, annotation, typed=False), annotation, _from_word)


def _read(text: str, annotation: Any, *, typed: bool) -> Any:
    import yaml  # noqa: PLC0415 - most lines hold no list, and --help is measured in milliseconds

    # YAML takes most of JSON, but not its escapes of characters outside the basic plane, nor all control characters.
    with contextlib.suppress(ValueError):
        return json.loads(text) if typed else json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader if typed else yaml.CBaseLoader)  # noqa: S506 - BaseLoader builds strings only
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"expected {describe(annotation)} in YAML or JSON, found {text!r}") from error


def _from_word(value: Any, annotation: Any) -> Any:
    """Convert an element of a document whose scalars are text, but for JSON's true, false and null."""
    if value is None and takes(annotation, types.NoneType):
        return None
    if _container(annotation):
        return _convert_elements(value, annotation, _from_word)
    if isinstance(value, bool) or value is None:
        return from_text(json.dumps(value), annotation)
    if not isinstance(value, str) and not _is_union(annotation):
        raise _mismatch(value, annotation)
    return from_text(value, annotation) if isinstance(value, str) else _first(_from_word, value, annotation)


def _convert_elements(value: Any, annotation: Any, convert: Any) -> Any:
    container, elements = _origin(annotation), typing.get_args(annotation)
    accepted: Any = dict if container is dict else (list, tuple, set, frozenset)
    if not isinstance(value, accepted):
        raise _mismatch(value, annotation)
    if not elements:
        return container(value)
    if container is dict:
        return {convert(key, elements[0]): convert(member, elements[1]) for key, member in value.items()}
    return container(convert(member, elements[0]) for member in value)
