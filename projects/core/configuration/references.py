"""References: values that stand for others. Called for every value that is read from a configuration.

    "@key"                the other value, with its type
    "text {@key} text"    its text, any number of times
    "*$@key"              a secret: the content of the file that `key` names, in the declared directory

They are kept as they are written and followed when they are read, at any depth and through each other. A default
does not cover a reference that leads nowhere: the key that holds it does exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from projects.core.configuration.data import SECRET, described, is_reference
from projects.core.configuration.errors import BrokenReference, SecretUnhandled, UnknownKey
from projects.core.configuration.jsonpath import matches
from projects.core.configuration.keys import MISSING, KeyPath, find, format_key, name_of, parse_key
from projects.core.configuration.layers import Configuration
from projects.core.configuration.rules import suggestion
from projects.core.values.errors import SecretMissing
from projects.core.values.redaction import MASK

_INSIDE = re.compile(r"\{@([^{}]*)\}")

ReadSecret = Callable[[str, str], str]
"""Reads a secret: given the key that stands for it and the file's name, returns its value."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Follows the references of one configuration.

    Attributes:
      configuration: The configuration.
      read_secret: Reads a secret's file; without it, secrets are refused.
      masked: Whether a mask is given for a secret that stands in the configuration itself.
    """

    configuration: Configuration
    read_secret: ReadSecret | None = None
    masked: bool = False

    def resolve(self, value: Any, path: KeyPath, way: tuple[KeyPath, ...] = ()) -> Any:
        """Return a value with every reference in it followed; lists and mappings are new ones.

        Args:
          value: The value as it is written.
          path: Where it stands.
          way: Where the references stand that led here.

        Raises:
          BrokenReference: one leads nowhere, or to itself.
          SecretUnhandled: one is a secret, and there is nothing that reads secrets.
          SecretMissing: a secret's file is not there.
        """
        if self.configuration.is_secret(path) and (value := self._of_a_secret(value, path)) == MASK:
            return value
        if isinstance(value, str):
            return self._text(value, path, way) if "@" in value else value
        if isinstance(value, dict):
            return {key: self.resolve(member, (*path, name_of(key)), way) for key, member in value.items()}
        if isinstance(value, list):
            return [self.resolve(element, (*path, index), way) for index, element in enumerate(value)]
        return value

    def _of_a_secret(self, value: Any, path: KeyPath) -> Any:
        """Return what may be told of a value that is declared to be a secret."""
        if self.masked and not is_reference(value):
            return MASK
        if self.read_secret is None:
            raise self._unhandled(path, "a secret, as config.schema.yaml declares")
        if value == MASK:
            raise SecretMissing(
                f"{format_key(path)} is a secret that stood in a file, and is not handed on to other processes",
                hint=f"keep it in a file of the directory of secrets, and refer to it with '{SECRET}key'",
                place=self._place(path),
            )
        return value

    def locate(self, key: str, way: tuple[KeyPath, ...] = ()) -> KeyPath | None:
        """Return the path of the one value that a key names, None when there is none.

        A name after a reference goes on in what the reference stands for.

        Raises:
          UnknownKey: the key is a JSONPath that names several values.
        """
        data = self.configuration.data
        path = parse_key(key)
        if path is None:
            found = matches(data, key)
            if len(found) > 1:
                several = ", ".join(format_key(each) for each in found[:5])
                raise UnknownKey(f"{key} names {len(found)} values, expected one", hint=f"among them: {several}")
            return found[0] if found else None
        return path if find(data, path) is not MISSING else self._through(path, way)

    def target(self, text: str, path: KeyPath) -> KeyPath:
        """Return where a reference to a whole value leads in the end, through other references.

        Args:
          text: The reference, ``@key``.
          path: Where it stands.
        """
        way: tuple[KeyPath, ...] = ()
        value: Any = text
        while isinstance(value, str) and value.startswith("@"):
            way, path = (*way, path), self._target(value[1:], path, way)
            value = find(self.configuration.data, path)
        return path

    def _through(self, path: KeyPath, way: tuple[KeyPath, ...]) -> KeyPath | None:
        """Return where a path leads when a reference stands on it."""
        for length in range(1, len(path)):
            around = path[:length]
            value = find(self.configuration.data, around)
            if isinstance(value, str) and value.startswith("@"):
                target = self._target(value[1:], around, way)
                return self.locate(format_key((*target, *path[length:])), (*way, around))
        return None

    def _text(self, text: str, path: KeyPath, way: tuple[KeyPath, ...]) -> Any:
        if text.startswith("@"):
            return self._value(text[1:], path, way)
        if text.startswith(SECRET):
            return self._secret(text[len(SECRET) :], path, way)
        if text.startswith("*@"):
            raise self._broken(
                path, f"'{text}' is no reference", hint=f"'{text[1:]}' is the value, '*${text[1:]}' a secret"
            )
        if "{@" in text:
            return _INSIDE.sub(lambda found: str(self._value(found[1], path, way)), text)
        return text

    def _value(self, key: str, path: KeyPath, way: tuple[KeyPath, ...]) -> Any:
        target = self._target(key, path, way)
        return self.resolve(find(self.configuration.data, target), target, (*way, path))

    def _target(self, key: str, path: KeyPath, way: tuple[KeyPath, ...]) -> KeyPath:
        if path in way:
            loop = " -> ".join(format_key(each) for each in (*way[way.index(path) :], path))
            raise self._broken(path, f"the references go round in a circle: {loop}")
        try:
            target = self.locate(key, (*way, path))
        except UnknownKey as error:
            raise self._broken(path, f"the reference '@{key}' cannot be followed: {error}", hint=error.hint) from error
        if target is None:
            hint = suggestion(key, parse_key(key) or (), self.configuration.data)
            raise self._broken(
                path, f"the reference '@{key}' leads nowhere: {key} is not a key of the configuration", hint
            )
        return target

    def _secret(self, key: str, path: KeyPath, way: tuple[KeyPath, ...]) -> str:
        if self.read_secret is None:
            raise self._unhandled(path, f"a secret ({SECRET}{key})")
        return self.read_secret(format_key(path), self._file_of_secret(key, path, way))

    def file_of_secret(self, text: str, path: KeyPath) -> str:
        """Return the name of the file that a reference to a secret stands for; it is not read.

        Args:
          text: The reference, ``*$@key``.
          path: Where it stands.

        Raises:
          BrokenReference: it leads to no file name.
        """
        return self._file_of_secret(text.removeprefix(SECRET), path, ())

    def _file_of_secret(self, key: str, path: KeyPath, way: tuple[KeyPath, ...]) -> str:
        file = self._value(key, path, way)
        if isinstance(file, str):
            return file
        raise self._broken(path, f"'{SECRET}{key}': expected the name of a file at {key}, found {described(file)}")

    def _unhandled(self, path: KeyPath, what: str) -> SecretUnhandled:
        name = format_key(path)
        hint = f"read it with get_config({name!r}, handled_secretly=True), and hand it on without printing it"
        return SecretUnhandled(f"{name} is {what}", hint=hint, place=self._place(path))

    def _broken(self, path: KeyPath, message: str, hint: str | None = None) -> BrokenReference:
        return BrokenReference(f"{format_key(path)}: {message}", hint=hint, place=self._place(path))

    def _place(self, path: KeyPath) -> str | None:
        origin = self.configuration.origin(path)
        return str(origin.place) if origin and origin.place else None
