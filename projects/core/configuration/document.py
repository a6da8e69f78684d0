"""A YAML file as data, together with the line of each of its values. Used for every file of the configuration.

The data is what PyYAML's safe loader gives, except that a date stays the text that it is written as. It is built
from the C parser's nodes, which know their lines; each alias is built anew, so no two keys share a list.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from projects.core.configuration.keys import KeyPath, format_key, name_of
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ConfigError

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_TEXT = {f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}value"}


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, written as ``projects/skeleton/testing/config.yaml:12``."""

    file: Path
    line: int

    def __str__(self) -> str:
        """Return the place, relative to the checkout when it is in it."""
        return f"{shown(self.file)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file whose top level is a mapping, and the line of each value in it."""

    file: Path
    data: dict[Any, Any] = field(default_factory=dict)
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def place(self, path: KeyPath) -> Place | None:
        """Return where the value at `path` is written, None when this file does not write it."""
        line = self.lines.get(path)
        return None if line is None else Place(self.file, line)


@functools.lru_cache(maxsize=512)
def shown(file: Path) -> str:
    """Return a file as messages name it: relative to the checkout when it is in it."""
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)


def read_document(file: Path, *, last_wins: bool = False) -> Document:
    """Read a YAML file.

    Args:
      file: The file.
      last_wins: Whether a key may be written again further down, as in a file that a CI writes line by line.

    Returns:
      The document; one without any value is an empty mapping.

    Raises:
      ConfigError: the file is missing, is not YAML, writes a key twice, or is not a mapping.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError("expected a YAML file, found none", place=shown(file)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected a YAML file, which cannot be read: {error}", place=shown(file)) from error
    return parse_document(text, file, last_wins=last_wins)


def parse_document(text: str, file: Path, *, last_wins: bool = False, lines: Sequence[int] | None = None) -> Document:
    """Read YAML text.

    Args:
      text: The text.
      file: Where it stands.
      last_wins: See `read_document`.
      lines: For each line of the text its line in the file, when the text was made from the file's.

    Returns:
      See `read_document`; so are the errors.
    """
    builder = _Builder(file, last_wins=last_wins, origins=lines)
    node = builder.compose(text)
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}null"):
        return Document(file)
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"expected a mapping at the top level, found {_kind(node)}", place=builder.at(node))
    return Document(file, builder.mapping(node, ()), builder.lines)


def parse_value(text: str, *, exact: bool = False) -> Any:
    """Read the YAML of a value that stands in no file, such as an argument.

    Args:
      text: The YAML.
      exact: Whether a number that would be written in another way, such as ``4.20`` or ``007``, is left the text it is.

    Raises:
      ConfigError: it is no YAML.
    """
    builder = _Builder(Path("value"), last_wins=False, origins=None, exact=exact)
    node = builder.compose(text)
    return None if node is None else builder.build(node, ())


def _with_pairs_joined(text: str) -> str:
    """Return YAML with JSON's escapes of characters like 🐴, which are two, as YAML's, which is one.

    libyaml refuses a half of such a pair; JSON, which is YAML otherwise, has no other way.
    """
    return _PAIR.sub(
        lambda found: rf"{found[1]}\U{0x10000 + ((int(found[2], 16) - 0xD800) << 10) + int(found[3], 16) - 0xDC00:08x}",
        text,
    )


def _kind(node: yaml.Node) -> str:
    return "a list" if isinstance(node, yaml.SequenceNode) else f"{node.value!r}"


class _Builder:
    """Builds the data of one file, and notes the line of each value."""

    def __init__(self, file: Path, *, last_wins: bool, origins: Sequence[int] | None, exact: bool = False) -> None:
        self.file = file
        self.exact = exact
        self.last_wins = last_wins
        self.origins = origins
        self.lines: dict[KeyPath, int] = {}
        self._open: set[int] = set()
        self._scalars = yaml.constructor.SafeConstructor()

    def compose(self, text: str) -> yaml.Node | None:
        try:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            if (joined := _with_pairs_joined(text)) != text:
                return self.compose(joined)
            mark = error.problem_mark or error.context_mark
            what = " ".join(filter(None, (error.problem, error.context)))
            place = shown(self.file) if mark is None else str(Place(self.file, self._line(mark.line)))
            raise ConfigError(f"expected YAML, found this: {what}", place=place) from error
        except yaml.YAMLError as error:
            raise ConfigError(f"expected YAML, found this: {error}", place=shown(self.file)) from error

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if id(node) in self._open:
            raise ConfigError(
                f"expected data, found an alias of what it is in ('{format_key(path)}')", place=self.at(node)
            )
        self._open.add(id(node))
        value = self.mapping(node, path) if isinstance(node, yaml.MappingNode) else self.sequence(node, path)
        self._open.discard(id(node))
        return value

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[Any, Any]:
        self._expect(node, f"{_TAG}map")
        data = self._merged(node, path)
        own = set()
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            key = self._key(key_node)
            below = (*path, name_of(key))
            if key in own and not self.last_wins:
                before = Place(self.file, self.lines[below])
                raise ConfigError(f"'{format_key(below)}' is written twice; first at {before}", place=self.at(key_node))
            own.add(key)
            self.lines[below] = self._line(key_node.start_mark.line)
            data[key] = self.build(value_node, below)
        return data

    def sequence(self, node: yaml.Node, path: KeyPath) -> list[Any]:
        self._expect(node, f"{_TAG}seq")
        elements = []
        for index, element in enumerate(node.value):
            self.lines[*path, index] = self._line(element.start_mark.line)
            elements.append(self.build(element, (*path, index)))
        return elements

    def scalar(self, node: yaml.ScalarNode) -> Any:
        value = self._value(node)
        if self.exact and type(value) in {int, float} and str(value) != node.value:
            return node.value
        return value

    def _value(self, node: yaml.ScalarNode) -> Any:
        tag, text = node.tag, node.value
        if tag in _TEXT:
            return text
        try:
            if tag == f"{_TAG}int":
                return self._scalars.construct_yaml_int(node)
            if tag == f"{_TAG}bool":
                return self._scalars.construct_yaml_bool(node)
            if tag == f"{_TAG}float":
                return self._scalars.construct_yaml_float(node)
        except (ValueError, KeyError) as error:
            raise ConfigError(f"expected {tag.removeprefix(_TAG)}, found {text!r}", place=self.at(node)) from error
        self._expect(node, f"{_TAG}null")
        return None

    def _merged(self, node: yaml.MappingNode, path: KeyPath) -> dict[Any, Any]:
        """Return what ``<<`` brings in; of several mappings, the first that has a key wins."""
        data: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag != _MERGE:
                continue
            sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            for source in reversed(sources):
                if not isinstance(source, yaml.MappingNode):
                    raise ConfigError(f"expected a mapping to merge, found {_kind(source)}", place=self.at(value_node))
                data.update(self.build(source, path))
        return data

    def _key(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        raise ConfigError(f"expected a name as the key of a mapping, found {_kind(node)}", place=self.at(node))

    def _expect(self, node: yaml.Node, tag: str) -> None:
        if node.tag != tag:
            raise ConfigError(
                f"expected data, found the YAML tag '{node.tag.replace(_TAG, '!!')}'", place=self.at(node)
            )

    def at(self, node: yaml.Node) -> str:
        return str(Place(self.file, self._line(node.start_mark.line)))

    def _line(self, counted: int) -> int:
        if self.origins is None:
            return counted + 1
        return self.origins[min(counted, len(self.origins) - 1)]
