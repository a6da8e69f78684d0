"""The configuration as a template sees it: mappings whose values are followed through references when they are used.

So a reference that leads nowhere, or a secret that is not there, fails only the template that uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from projects.core.configuration.keys import KeyPath, find, format_key, name_of
from projects.core.configuration.reads import note
from projects.core.configuration.references import Resolver


class View(Mapping[Any, Any]):
    """A mapping of the configuration that resolves what is taken out of it.

    Args:
      resolver: What follows references.
      path: Where the mapping stands.
    """

    __slots__ = ("_data", "_path", "_resolver")

    def __init__(self, resolver: Resolver, path: KeyPath = ()) -> None:
        self._resolver = resolver
        self._path = path
        self._data: dict[Any, Any] = find(resolver.configuration.data, path)

    def __getitem__(self, key: Any) -> Any:
        """Return a value; a mapping again as a view."""
        value = self._data[key]
        return self._seen(value, (*self._path, name_of(key)))

    def __contains__(self, key: object) -> bool:
        """Tell whether a key is there, without following its value."""
        found = key in self._data
        if not found:
            note(self._resolver.configuration, self.key(str(key)))
        return found

    def __iter__(self) -> Iterator[Any]:
        """Give the keys."""
        note(self._resolver.configuration, self._path)
        return iter(self._data)

    def __len__(self) -> int:
        """Return how many keys there are."""
        note(self._resolver.configuration, self._path)
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        """Compare as the mapping of resolved values that this stands for."""
        return self.resolved() == (other.resolved() if isinstance(other, View) else other)

    def __hash__(self) -> int:
        """Refuse, as a dict does."""
        raise TypeError("a mapping of the configuration cannot be the key of another one")

    def __str__(self) -> str:
        """Return the text of the resolved mapping."""
        return str(self.resolved())

    def key(self, name: str) -> str:
        """Return the configuration's key for a name in this mapping."""
        return format_key((*self._path, name))

    def resolved(self) -> dict[Any, Any]:
        """Return the mapping with every reference in it followed."""
        note(self._resolver.configuration, self._path)
        data: dict[Any, Any] = self._resolver.resolve(self._data, self._path)
        return data

    def _seen(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return View(self._resolver, path)
        note(self._resolver.configuration, path)
        if isinstance(value, list):
            return [self._seen(element, (*path, index)) for index, element in enumerate(value)]
        if isinstance(value, str) and value.startswith("@"):
            target = self._resolver.target(value, path)
            return self._seen(find(self._resolver.configuration.data, target), target)
        return self._resolver.resolve(value, path)
