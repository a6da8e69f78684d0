"""What stood before in the place of a value: what does not change is not refused for rules that came later.

The server calls it ratcheting. Used by `custom_validation`, `custom_rules` and `cel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from projects.sim_cluster.api.schema import Schema

ABSENT: Final = object()
"""Stands where nothing stood, or nobody knows what did."""


def field_before(before: Any, key: str) -> Any:
    """Return what a field was, or an entry of a map."""
    return before.get(key, ABSENT) if isinstance(before, dict) else ABSENT


def item_before(before: Any, item: Any, keys: Sequence[str]) -> Any:
    """Return what an item of a list was: one of a list with keys is known by them, another one is not."""
    if not keys or not isinstance(item, dict) or not isinstance(before, list):
        return ABSENT
    same = (old for old in before if isinstance(old, dict) and all(old.get(key) == item.get(key) for key in keys))
    return next(same, ABSENT)


@dataclass(frozen=True)
class Place:
    """A value, what its schema says, and what stood there before."""

    value: Any
    schema: Schema
    before: Any
    path: str

    @property
    def is_as_before(self) -> bool:
        """Whether nothing changes here: what was wrong before stays unsaid then."""
        return bool(self.before == self.value)

    def inside(self, keyword: str) -> Iterator[Place]:
        """Yield the places inside whose schemas have a keyword, there or further in."""
        if isinstance(self.value, dict):
            yield from self._fields(self.value, keyword)
        elif isinstance(self.value, list) and (items := self.schema.items) is not None and items.has(keyword):
            for index, item in enumerate(self.value):
                before = item_before(self.before, item, self.schema.list_keys)
                yield Place(item, items, before, f"{self.path}[{index}]")

    def _fields(self, value: dict[str, Any], keyword: str) -> Iterator[Place]:
        for key, item in value.items():
            if (child := self.schema.child(key)) is not None and child.has(keyword):
                named = f"{self.path}.{key}".lstrip(".") if self.schema.has_field(key) else f"{self.path}[{key}]"
                yield Place(item, child, field_before(self.before, key), named)
