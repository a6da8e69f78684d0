"""A YAML file as data, together with the line of each of its values. Called by `reading`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

Path = tuple[str | int, ...]
_TAG: Final = "tag:yaml.org,2002:"


class NotDataError(Exception):
    """Text that is no YAML, or YAML that is more than data."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


@dataclass(frozen=True)
class Placed:
    """The data of a file, and the line (from 1) of each key and item."""

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Return the line of a value; that of what it would be in when it is not there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def placed(text: str) -> Placed:
    """Return the data of a YAML text; an empty one is an empty mapping."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotDataError(mark.line + 1 if mark else 1, f"expected YAML, found {error.problem}") from None
    except yaml.YAMLError as error:
        raise NotDataError(1, f"expected YAML, found {' '.join(str(error).split())}") from None
    builder = _Builder()
    return Placed({} if node is None else builder.build(node, (), ()), builder.lines)


class _Builder:
    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self._constructor = yaml.constructor.SafeConstructor()

    def build(self, node: yaml.Node, path: Path, within: tuple[yaml.Node, ...]) -> Any:
        if node in within:
            raise NotDataError(node.start_mark.line + 1, "expected data, found an alias of what it is in")
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, (*within, node))
        if isinstance(node, yaml.SequenceNode):
            return [self.build(each, (*path, index), (*within, node)) for index, each in enumerate(node.value)]
        if node.tag == f"{_TAG}timestamp":
            return node.value
        try:
            return self._constructor.construct_object(node)
        except yaml.YAMLError:
            raise NotDataError(node.start_mark.line + 1, f"expected data, found the tag {node.tag}") from None

    def _mapping(self, node: yaml.MappingNode, path: Path, within: tuple[yaml.Node, ...]) -> dict[str, Any]:
        self._constructor.flatten_mapping(node)
        data: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise NotDataError(line, "expected a name as a key, found more than that")
            if key.value in data and line >= self.lines[*path, key.value]:
                raise NotDataError(line, f"{key.value}: expected a key once, found it again")
            self.lines[*path, key.value] = line
            data[key.value] = self.build(value, (*path, key.value), within)
        return data
