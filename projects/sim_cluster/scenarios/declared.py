"""Sections of a scenario that are declared where they are used: a behaviours' dataclass, read as a section of its file. Used by `model`."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeVar

import docstring_parser
from pydantic import Field, create_model

from projects.sim_cluster.scenarios.fields import Probability, Seconds, Section

T = TypeVar("T")


@cache
def section_of(declared: type, without: str = "") -> type[Section]:
    """Return the section whose keys are the fields of a dataclass but one, with its words; times are spans of time."""
    parsed = docstring_parser.parse(inspect.getdoc(declared) or "")
    said = {each.arg_name: each.description or "" for each in parsed.params}
    hints = typing.get_type_hints(declared)
    fields: dict[str, Any] = {}
    for each in dataclasses.fields(declared):
        if each.name == without:
            continue
        read_as = Probability if each.name == "probability" else _read_as(hints[each.name])
        fields[each.name] = (read_as, Field(**_default(each), description=said.get(each.name)))
    made = create_model(declared.__name__, __base__=Section, **fields)
    made.__doc__ = parsed.short_description
    return made


def _default(each: dataclasses.Field[Any]) -> dict[str, Any]:
    """Return what a field's section has when it is not given; nothing at all for one that has to be."""
    given = {"default": each.default, "default_factory": each.default_factory}
    return {name: value for name, value in given.items() if value is not dataclasses.MISSING}


def _read_as(hint: Any) -> Any:
    """Return what a field's type is in a section: a dataclass becomes a section, a float a span of time."""
    if dataclasses.is_dataclass(hint):
        return section_of(typing.cast("type", hint))
    if hint is float:
        return Seconds
    arguments = typing.get_args(hint)
    if not arguments or typing.get_origin(hint) in {typing.Literal, Annotated}:
        return hint
    read = tuple(argument if argument is ... else _read_as(argument) for argument in arguments)
    origin = typing.get_origin(hint)
    if origin is types.UnionType:
        return typing.Union[read]  # noqa: UP007 - made of what there is
    return origin[read]


def made(declared: type[T], section: Section) -> T:
    """Return what a section says, as the dataclass that it was declared by."""
    hints = typing.get_type_hints(declared)
    return declared(**{name: _made(hints[name], getattr(section, name)) for name in type(section).model_fields})


def _made(hint: Any, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_made(typing.get_args(hint)[0], each) for each in value)
    if isinstance(value, Mapping) and any(isinstance(each, Section) for each in value.values()):
        return {key: _made(typing.get_args(hint)[1], each) for key, each in value.items()}
    if isinstance(value, Section):
        return made(hint, value)
    return value
