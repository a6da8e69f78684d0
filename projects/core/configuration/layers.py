"""What a configuration is made of: base documents, and assignments laid over them. The vocabulary of the whole room.

Every value knows what set it: an `Origin` names the layer, the line, and the presets that it came through. The
assignments are kept in their order, so that `configure explain` can tell the whole chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from projects.core.configuration.document import Document, Place
from projects.core.configuration.keys import MISSING, KeyPath, find, replaced

if TYPE_CHECKING:
    from projects.core.configuration.schema import Schema


class Layer(StrEnum):
    """Who can set a value, from the weakest to the strongest."""

    ROOT = "root config"
    PROJECT = "project config"
    SHARED = "earlier CI step"
    RESOLVED = "resolved config"
    LOCAL = "local overrides"
    PRESET = "preset"
    CI = "ci_presets.variable_overrides"
    PR_PRESET = "preset of the pull request"
    SET = "--set"
    PR = "overrides of the pull request"
    CODE = "set_config"


@dataclass(frozen=True, slots=True)
class Origin:
    """What set a value: the layer, the line, and the presets from the applied one to the one where it stands."""

    layer: Layer
    place: Place | None = None
    presets: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the origin as one line."""
        through = f" {' > '.join(self.presets)}" if self.presets else ""
        return f"{self.layer}{through}" + (f" ({self.place})" if self.place else "")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One value set to one key, as it is written, and what set it."""

    key: str
    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class Base:
    """The documents under all assignments, the weaker first, and what they merge into."""

    documents: tuple[tuple[Layer, Document], ...]
    data: dict[Any, Any]

    def origin(self, path: KeyPath) -> Origin | None:
        """Return which document gives the value at `path`."""
        for layer, document in reversed(self.documents):
            if place := document.place(path):
                return Origin(layer, place)
        return None

    def place(self, path: KeyPath) -> Place | None:
        """Return where the value at `path` is written."""
        origin = self.origin(path)
        return None if origin is None else origin.place


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration at one moment. It is never changed: `assigned` returns the next one.

    Attributes:
      base: What was loaded.
      declared: What the project's own files say: a value's kind is compared with it.
      data: The values, references as they are written.
      origins: What set each path that is not as in the base.
      history: Every assignment, in order.
      schema: What `config.schema.yaml` declares, None when there is none.
    """

    base: Base
    declared: Mapping[Any, Any]
    data: dict[Any, Any]
    origins: Mapping[KeyPath, Origin] = field(default_factory=dict)
    history: tuple[Assignment, ...] = ()
    schema: Schema | None = None

    def origin(self, path: KeyPath) -> Origin | None:
        """Return what set the value at `path`: the last assignment to it or to what is around it, else the base."""
        for length in range(len(path), 0, -1):
            if origin := self.origins.get(path[:length]):
                return origin
        return self.base.origin(path)

    def is_secret(self, path: KeyPath) -> bool:
        """Return whether the value at `path` is declared to be a secret, wherever it stands."""
        return self.schema is not None and self.schema.is_secret(path)

    def place(self, path: KeyPath) -> Place | None:
        """Return where the value at `path` was set."""
        origin = self.origin(path)
        return None if origin is None else origin.place


def merged(under: Mapping[Any, Any], over: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return two trees as one: mappings are merged, anything else of `over` wins, null too."""
    data = dict(under)
    for key, value in over.items():
        below = data.get(key)
        data[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return data


def base_of(*documents: tuple[Layer, Document]) -> Base:
    """Return documents laid over each other, the weaker first."""
    data: dict[Any, Any] = {}
    for _, document in documents:
        data = merged(data, document.data)
    return Base(documents, data)


def assigned(configuration: Configuration, path: KeyPath, assignment: Assignment) -> Configuration:
    """Return the configuration after an assignment whose path was checked.

    Args:
      configuration: The one before, which stays as it is.
      path: Where the value goes.
      assignment: The value, which must not be changed afterwards, and its origin.
    """
    before = find(configuration.data, path)
    origins = dict(configuration.origins)
    if before is not MISSING and isinstance(before, dict | list):
        origins = {other: origin for other, origin in origins.items() if other[: len(path)] != path}
    origins[path] = assignment.origin
    return replace(
        configuration,
        data=replaced(configuration.data, path, assignment.value),
        origins=origins,
        history=(*_without_repetition(configuration.history, assignment), assignment),
    )


def _without_repetition(history: tuple[Assignment, ...], assignment: Assignment) -> tuple[Assignment, ...]:
    """Drop what code set the same key to before, so that a sweep over a key does not grow the history."""
    if assignment.origin.layer is not Layer.CODE:
        return history
    return tuple(each for each in history if each.key != assignment.key or each.origin.layer is not Layer.CODE)
