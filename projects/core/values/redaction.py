"""The redactor: it knows every secret value that was read and takes it out of text. Every writer of the core calls it.

There is one per process, because there is one disk and one console to keep clean. A process that serves
another one (the warm Ansible host) is handed the values over its socket.

A text is searched for all values at once, by an automaton that is built when the first text after a new value comes:
a line without a secret costs a microsecond, however many are known.
"""

from __future__ import annotations

import bisect
import functools
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from projects.core.values.encodings import forms_of, seeds_of, tiles_of
from projects.core.values.manifests import without_values
from projects.core.values.unknown import is_unknown

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

MASK = "********"
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class Redactor:
    """A set of secret values and the text without them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, _Value] = {}
        self._search: _Search | None = None
        self._stale = False

    @property
    def values(self) -> tuple[str, ...]:
        """The values that are known, to be handed to another process over a private channel."""
        return tuple(self._values)

    @property
    def forms(self) -> tuple[str, ...]:
        """Every text by which one of the values is known, for who searches files."""
        with self._lock:
            return tuple({text for value in self._values.values() for text in value.texts})

    def register(self, value: str) -> None:
        """Take a secret value out of everything that is redacted from now on, in each of its encodings.

        Args:
          value: The secret. One of fewer than four characters cannot be told from ordinary text and is left out; so is
            what stands for a secret in a plan, which never read it.
        """
        if is_unknown(value):
            return
        with self._lock:
            if value not in self._values:
                self._values[value] = _Value(value)
                self._stale = True

    def redact(self, text: str) -> str:
        """Return `text` with a mask in place of each known value."""
        search = self._built() if self._stale else self._search
        return text if search is None else search.masked(text)

    def begun(self, text: str) -> int:
        """Return how many characters at the end of `text` may be the beginning of a known value, whose rest is to come."""
        search = self._built() if self._stale else self._search
        return 0 if search is None else search.begun(text)

    def _built(self) -> _Search | None:
        with self._lock:
            if self._stale:
                search = _Search(tuple(self._values.values()))
                self._search = search if search.seeds else None
                self._stale = False
            return self._search


class _Value:
    """One secret; what costs time is done when a text is seen that may hold it."""

    def __init__(self, value: str) -> None:
        self._value = value

    @functools.cached_property
    def seeds(self) -> list[bytes]:
        """Short texts of which each form holds one."""
        return [_bytes(seed) for seed in seeds_of(self._value)]

    @functools.cached_property
    def texts(self) -> set[str]:
        """Every text by which it is known."""
        return forms_of(self._value) | self._tiles

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where it stands in a text. What is found by a piece of its base64 goes on as far as the base64 does."""
        automaton, first_tile = self._automaton
        for each, start, end in automaton.find_matches_as_indexes(data, overlapping=True):
            yield _run(data, start, end) if each >= first_tile else (start, end)

    @functools.cached_property
    def _tiles(self) -> set[str]:
        return tiles_of(self._value)

    @functools.cached_property
    def _automaton(self) -> tuple[BytesAhoCorasick, int]:
        forms = self.texts - self._tiles
        return _automaton([*map(_bytes, forms), *map(_bytes, self._tiles)]), len(forms)


class _Search:
    """A search for many secrets at once: for seeds of all of them, then for those that a seed was found of.

    An automaton of all their forms would take ten times as long to build, and each command builds one in its fork.
    """

    def __init__(self, values: Sequence[_Value]) -> None:
        self._values = values
        self._owners: dict[bytes, list[_Value]] = {}
        for value in values:
            for seed in value.seeds:
                self._owners.setdefault(seed, []).append(value)
        self.seeds = list(self._owners)
        self._automaton = _automaton(self.seeds)

    def masked(self, text: str) -> str:
        data = _bytes(text)
        if not (found := self._automaton.find_matches_as_indexes(data, overlapping=True)):
            return text
        values = {value for seed, _, _ in found for value in self._owners[self.seeds[seed]]}
        spans = sorted(span for value in values for span in value.spans(data))
        return _without(data, spans).decode("utf-8", "surrogatepass") if spans else text

    def begun(self, text: str) -> int:
        for size in range(min(self._longest - 1, len(text)), 0, -1):
            end = text[-size:]
            position = bisect.bisect_right(self._sorted, end)
            if position < len(self._sorted) and self._sorted[position].startswith(end):
                return size
        return 0

    @functools.cached_property
    def _sorted(self) -> list[str]:
        return sorted({text for value in self._values for text in value.texts})

    @functools.cached_property
    def _longest(self) -> int:
        return max(map(len, self._sorted))


def _automaton(patterns: Sequence[bytes]) -> BytesAhoCorasick:
    from ahocorasick_rs import BytesAhoCorasick  # noqa: PLC0415 - most processes know no secret

    return BytesAhoCorasick(patterns)


def _bytes(text: str) -> bytes:
    # Texts may hold what is no Unicode, such as an argument's stray bytes. A plan's text that is not known has no `encode`.
    return str.encode(text, "utf-8", "surrogatepass")


def _run(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the span of the base64 text around a piece of it."""
    while start and data[start - 1] in _BASE64:
        start -= 1
    while end < len(data) and data[end] in _BASE64:
        end += 1
    return start, end


def _without(data: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    parts, position, mask = [], 0, MASK.encode()
    for start, end in spans:
        if start >= position:
            parts += [data[position:start], mask]
        position = max(position, end)
    return b"".join([*parts, data[position:]])


REDACTOR = Redactor()


def redacted(value: Any) -> Any:
    """Return a JSON-like value with each text in it redacted, and each manifest of kind Secret without its values.

    What is to be encoded is redacted first: in an encoding of an encoding a value would not be known.
    """
    if isinstance(value, str):
        return REDACTOR.redact(value)
    if isinstance(value, Mapping):
        return {redacted(key): redacted(member) for key, member in without_values(value, MASK).items()}
    if isinstance(value, list | tuple):
        return [redacted(member) for member in value]
    return value
