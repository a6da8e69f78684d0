"""What `config.schema.yaml` declares about values: types, choices, descriptions, secrets. Asked wherever a value is set.

The file is a JSON Schema (draft 2020-12) of the whole configuration, with one keyword more: ``secret: true``. The root's
lies under the project's, as their `config.yaml` do. jsonschema takes 60 ms to import: who declares nothing does not pay.
A value that is a reference is what it leads to, so it is checked when the whole configuration is; a secret never is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from projects.core.configuration.data import is_reference
from projects.core.configuration.declarations import SECRET, nearest_place, pointed, schemas_in
from projects.core.configuration.document import Place
from projects.core.configuration.errors import NotAllowed, Problem
from projects.core.configuration.expectations import expectation
from projects.core.configuration.keys import KeyPath, find, format_key, name_of, parse_key

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

    from projects.core.configuration.layers import Base

_BEFORE_KEYS: Mapping[str | int, int] = {"ci_presets": 2, "overrides": 1}
"""Blocks that hold keys with dots, and how many steps above those they have."""
_OF_KEYS = frozenset({"required", "additionalProperties", "minProperties", "maxProperties", "minItems", "maxItems"})

Follow = Callable[[str, KeyPath], Any]
"""Returns what a reference leads to, given how it is written and where it stands; UNKNOWN when nobody can tell."""


class _Unknown:
    """A value that cannot be told, such as a secret's."""


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that is not as declared: where it stands, what was expected and found, and where that is declared."""

    path: KeyPath
    text: str
    declared: Place | None

    def __str__(self) -> str:
        """Return the fault as one line."""
        return f"{format_key(self.path)}: {self.text}" + (f" ({self.declared})" if self.declared else "")


class Schema:
    """The declarations of some files.

    Args:
      base: The files, laid over each other.
    """

    def __init__(self, base: Base) -> None:
        self.data: dict[str, Any] = _named(base.data)
        self.place = base.place
        self.has_secrets = any(each.get(SECRET) is True for _, each, _ in schemas_in(self.data))
        self._at: dict[KeyPath, list[KeyPath]] = {(): [()]}
        self._secret: dict[KeyPath, bool] = {(): False}
        self._validator: Draft202012Validator | None = None

    def faults(self, path: KeyPath, value: Any) -> list[Fault]:
        """Return what is wrong with a value that is to be set at a path; references in it are left for later."""
        return [fault for at in self._declared_at(path) for fault in self._faults(at, value, path, _untold)]

    def problems(self, data: Any, place: Callable[[KeyPath], Place | None], follow: Follow) -> Iterator[Problem]:
        """Give what is wrong with a whole configuration.

        Args:
          data: The configuration.
          place: Tells where the value at a path is written.
          follow: What its references lead to.
        """
        for fault in self._faults((), data, (), follow):
            key = format_key(fault.path)
            yield Problem(str(fault), nearest_place(fault.path, place), key, error=NotAllowed)

    def is_secret(self, path: KeyPath) -> bool:
        """Return whether the value at a path, or what it is a part of, is declared to be a secret."""
        if not self.has_secrets:
            return False
        if path not in self._secret:
            declared = (find(self.data, at) for at in self._meant(self._declared_at(path)))
            own = any(isinstance(each, dict) and each.get(SECRET) is True for each in declared)
            self._secret[path] = own or self.is_secret(path[:-1])
        return self._secret[path]

    def is_secret_written(self, path: KeyPath) -> bool:
        """Return whether what a file writes at a path is a secret: also an item of a preset or of overrides."""
        before = _BEFORE_KEYS.get(path[0], 0) if path else 0
        if before and len(path) > before:
            return self.is_secret((*(parse_key(str(path[before])) or ()), *path[before + 1 :]))
        return self.is_secret(path)

    def masked(self, value: Any, path: KeyPath, mask: str) -> Any:
        """Return a value of the configuration with a mask in the place of each secret that stands in it."""
        if isinstance(value, dict):
            return {key: self.masked(member, (*path, name_of(key)), mask) for key, member in value.items()}
        if isinstance(value, list):
            return [self.masked(element, (*path, index), mask) for index, element in enumerate(value)]
        hidden = value is not None and not is_reference(value) and self.is_secret_written(path)
        return mask if hidden else value

    def secrets_in(self, value: Any, path: KeyPath = ()) -> Iterator[str]:
        """Give the text of each secret that stands in a value of the configuration, rather than in a file of its own."""
        members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, member in members:
            yield from self.secrets_in(member, (*path, key if isinstance(value, list) else name_of(key)))
        if isinstance(value, str | int | float) and not is_reference(value) and self.is_secret_written(path):
            yield str(value)

    def declared(self, path: KeyPath) -> list[Mapping[str, Any]]:
        """Return what is declared for a path, each with its keywords."""
        found = (find(self.data, at) for at in self._meant(self._declared_at(path)))
        return [each for each in found if isinstance(each, dict)]

    def allows(self, path: KeyPath, value: Any) -> bool:
        """Return whether a value may stand at a path."""
        return not self.faults(path, value)

    def _declared_at(self, path: KeyPath) -> list[KeyPath]:
        """Return where in the schema the value at a path is declared."""
        if path not in self._at:
            around = self._meant(self._declared_at(path[:-1]))
            self._at[path] = [at for each in around for at in self._inside(each, path[-1])]
        return self._at[path]

    def _inside(self, at: KeyPath, step: str | int) -> Iterator[KeyPath]:
        """Give where the schema at a place declares a member or an element."""
        schema = find(self.data, at)
        if not isinstance(schema, dict):
            return
        if isinstance(step, int):
            among = 0 <= step < len(schema.get("prefixItems", ()))
            yield from [(*at, "prefixItems", step)] if among else [(*at, "items")] if "items" in schema else []
            return
        named = [(*at, "properties", step)] if step in schema.get("properties", {}) else []
        named += [
            (*at, "patternProperties", each) for each in schema.get("patternProperties", {}) if re.search(each, step)
        ]
        others = [(*at, "additionalProperties")] if "additionalProperties" in schema else []
        yield from named or others

    def _meant(self, places: Iterable[KeyPath]) -> list[KeyPath]:
        """Return places of the schema with those that ``$ref`` and ``allOf`` lead to."""
        found: list[KeyPath] = []
        waiting = list(places)
        while waiting:
            at = waiting.pop(0)
            if at in found:
                continue
            found.append(at)
            schema = find(self.data, at)
            if isinstance(schema, dict):
                waiting += [pointed(schema["$ref"])] if "$ref" in schema else []
                waiting += [(*at, "allOf", index) for index in range(len(schema.get("allOf", ())))]
        return found

    def _faults(self, at: KeyPath, value: Any, path: KeyPath, follow: Follow) -> Iterator[Fault]:
        """Give what the schema at a place has against a value."""
        unknown: list[KeyPath] = []
        instance = _followed(value, path, follow, unknown)
        if any(each == path for each in unknown):
            return
        for error in self._errors(at, instance):
            stands = (*path, *error.absolute_path)
            hidden = any(each[: len(stands)] == stands for each in unknown)
            if not hidden or error.validator in _OF_KEYS:
                text = expectation(error, secret=self.is_secret(stands))
                yield Fault(stands, text, self.place(self._keyword(at, error)))

    def _errors(self, at: KeyPath, instance: Any) -> Iterator[ValidationError]:
        if self._validator is None:
            from jsonschema import Draft202012Validator  # noqa: PLC0415 - see the module's docstring

            self._validator = Draft202012Validator(self.data)
        errors: Iterator[ValidationError] = self._validator.evolve(schema=find(self.data, at)).iter_errors(instance)
        return errors

    def _keyword(self, at: KeyPath, error: ValidationError) -> KeyPath:
        """Return where the keyword that refuses a value is written."""
        path = at
        for step in error.absolute_schema_path:  # it does not tell that it goes on where a $ref leads to
            while isinstance(around := find(self.data, path), dict) and step not in around and "$ref" in around:
                path = pointed(around["$ref"])
            path = (*path, step)
        return path


def _untold(_text: str, _path: KeyPath) -> Any:
    return UNKNOWN


def _followed(value: Any, path: KeyPath, follow: Follow, unknown: list[KeyPath]) -> Any:
    """Return a value as the validator wants it: references followed, names as they are written in YAML."""
    if isinstance(value, dict):
        return {name_of(key): _followed(each, (*path, name_of(key)), follow, unknown) for key, each in value.items()}
    if isinstance(value, list):
        return [_followed(each, (*path, index), follow, unknown) for index, each in enumerate(value)]
    found = follow(value, path) if is_reference(value) else value
    if isinstance(found, _Unknown):
        unknown.append(path)
        return None
    return _followed(found, path, _untold, unknown) if isinstance(found, dict | list) else found


def _named(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name_of(key): _named(value) for key, value in tree.items()}
    return [_named(each) for each in tree] if isinstance(tree, list) else tree
