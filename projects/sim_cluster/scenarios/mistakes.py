"""Puts what is wrong with a scenario into words: ``LINE: key: expected …, found …``. Called by `reading`."""

from __future__ import annotations

import collections.abc
import json
import re
import typing
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from projects.sim_cluster.scenarios.model import Scenario
from projects.sim_cluster.scenarios.names import hint
from projects.sim_cluster.scenarios.places import Path, Placed

_TAG: Final = "do"
_LONGEST: Final = 60


def told(error: ValidationError, document: Placed) -> list[str]:
    """Return everything that is wrong, in the order of the file."""
    mistakes = {_mistake(dict(each), document) for each in error.errors(include_url=False, include_context=True)}
    return [f"{line}: {text}" for line, text in sorted(mistakes)]


def _mistake(error: dict[str, Any], document: Placed) -> tuple[int, str]:
    path = _path(error["loc"], document.data)
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        path = (*path, _TAG)
    found = _found(document.data, path)
    return document.line(path), f"{_key(path)}{_words(error, path, found)}"


def _path(location: tuple[str | int, ...], data: Any) -> Path:
    """Return where an error is in the file: of a choice by `do`, pydantic names what was chosen as well."""
    path: list[str | int] = []
    for each in location:
        if isinstance(data, dict) and each not in data and data.get(_TAG) == each:
            continue
        path.append(each)
        data = _step(data, each)
    return tuple(path)


def _step(data: Any, key: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(key)
    return data[key] if isinstance(data, list) and isinstance(key, int) and key < len(data) else None


def _found(data: Any, path: Path) -> Any:
    for key in path:
        data = _step(data, key)
    return data


def _key(path: Path) -> str:
    text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).lstrip(".")
    return f"{text}: " if text else ""


def _words(error: dict[str, Any], path: Path, found: Any) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "extra_forbidden":
        return unknown(str(path[-1]), _keys_at(error["loc"][:-1]), "one of the keys", found=f"the key '{path[-1]}'")
    if kind == "missing":
        return "expected this key, found none"
    if kind == "union_tag_not_found":
        return f"expected one of {_listed(_choices(error['loc']))}, found none"
    if kind == "union_tag_invalid":
        return unknown(str(found), _tags(context), "one of")
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return unknown(str(found), choices, "one of") if choices and isinstance(found, str) else _plain(error, found)
    return _plain(error, found)


def _plain(error: dict[str, Any], found: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    message = message.replace("String should", "expected text that should").replace("a valid dictionary", "a mapping")
    message = re.sub(r"an object$|a valid dictionary.*", "a mapping", message).replace("a valid array", "a list")
    return f"{message}, found {_shown(found)}"


def _shown(found: Any) -> str:
    if found is None:
        return "nothing"
    text = json.dumps(found, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _tags(context: dict[str, Any]) -> list[str]:
    return re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))


def _choices(location: tuple[str | int, ...]) -> list[str]:
    """Return what `do` may be at a place."""
    tags = [section.model_fields[_TAG].annotation for section in _sections(Scenario, location)]
    return [typing.get_args(tag)[0] for tag in tags]


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def unknown(name: str, known: list[str], what: str, found: str = "") -> str:
    """Return the words for a name that there is not, with the nearest that there is."""
    return f"expected {what} {_listed(known)}, found {found or repr(name)}{hint(name, known)}"


def _keys_at(location: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the section at a place has."""
    for model in _sections(Scenario, location):
        return list(model.model_fields)
    return []


def _sections(hint: Any, location: tuple[str | int, ...]) -> collections.abc.Iterator[type[BaseModel]]:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        if not location:
            yield hint
        elif (field := hint.model_fields.get(str(location[0]))) is not None:
            yield from _sections(field.annotation, location[1:])
        elif (tag := hint.model_fields.get(_TAG)) is not None and typing.get_args(tag.annotation) == (location[0],):
            yield from _sections(hint, location[1:])
        return
    rest = location[1:] if location and _holds(hint, location[0]) else location
    for each in typing.get_args(hint):
        yield from _sections(each, rest)


def _holds(hint: Any, key: str | int) -> bool:
    """Return whether a key is of a list, or of a mapping whose keys are anybody's."""
    origin = typing.get_origin(hint)
    return origin is tuple if isinstance(key, int) else origin in {dict, collections.abc.Mapping}
