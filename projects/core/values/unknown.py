"""Values that only a real run can know, as a plan hands them out. Made by whatever of the library would ask the world.

Such a value is text whose content is a visible marker, so that whatever it is written into (an f-string, an argument, a
manifest, JSON between two processes) carries the marker along and can be told by it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Literal, NoReturn, Self, SupportsIndex

from projects.core.values.errors import UnknownValue

_MARKER = re.compile(r"<unknown: ([^<>]*)>")
_LONGEST = 100
_ANGLES = str.maketrans("<>\n", "‹› ")  # noqa: RUF001 - a redirection within it must not end the marker

Witness = Callable[[Literal["unknown", "decision"], str], object]
"""Is told what is handed out that is not known, and what of it decides something."""
_witness: ContextVar[Witness | None] = ContextVar("foresail_witness", default=None)


def marker(what: str) -> str:
    """Return the text that stands for what is not known; one that is within it already is not repeated."""
    plain = _MARKER.sub(r"\1", what).translate(_ANGLES).strip()
    return f"<unknown: {plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + '…'}>"


def unknowns(value: Any) -> list[str]:
    """Return what is not known in a JSON-like value, each once, in order."""
    return list(dict.fromkeys(_all_in(value)))


def is_unknown(value: Any) -> bool:
    """Return whether something in a JSON-like value is not known."""
    return next(_all_in(value), None) is not None


def plain(value: Any) -> Any:
    """Return a JSON-like value whose texts are texts: the markers stay, nothing is told any more."""
    if isinstance(value, Unknown):
        return str(value)
    if type(value) is dict:
        return {plain(key): plain(member) for key, member in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain(member) for member in value)
    return value


def _all_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (found[1] for found in _MARKER.finditer(value))
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from _all_in(key)
            yield from _all_in(member)
    elif isinstance(value, list | tuple | set | frozenset):
        for member in value:
            yield from _all_in(member)


@contextlib.contextmanager
def witnessed(witness: Witness) -> Iterator[None]:
    """Tell `witness` of what is handed out and decided inside the block, in this context and in those copied from it."""
    token = _witness.set(witness)
    try:
        yield
    finally:
        _witness.reset(token)


def _tell(what: Literal["unknown", "decision"], of: str) -> None:
    if witness := _witness.get():
        witness(what, of)


class Unknown(str):
    """A text that is not known, or that holds such a one.

    Its methods return texts that are not known either. What would need the real value raises; what decides by it (a
    comparison, a truth test) is told, and answered by the text of the marker.

    Args:
      text: The text, with its marker.
    """

    __slots__ = ()

    @classmethod
    def of(cls, what: str) -> Self:
        """Hand out the value that is described by `what`."""
        made = cls(marker(what))
        _tell("unknown", made.what)
        return made

    @property
    def what(self) -> str:
        """What is not known."""
        return ", ".join(unknowns(str.__str__(self)))

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str.__str__(self),)

    # --- what needs the value -------------------------------------------------------------------------------------

    def _needed(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise UnknownValue(f"{self.what} is known to a real run only")

    __int__ = __float__ = __complex__ = __index__ = __iter__ = _needed
    encode = _needed

    # --- what decides by it ---------------------------------------------------------------------------------------

    def _decided(self) -> None:
        _tell("decision", self.what)

    def __bool__(self) -> bool:
        self._decided()
        return True

    def __len__(self) -> int:
        self._decided()
        return str.__len__(self)

    def __hash__(self) -> int:
        return str.__hash__(self)

    # --- what is not known either ---------------------------------------------------------------------------------

    def _kept(self, text: str) -> Unknown:
        """Return a text made of this one, unless that has taken its marker apart: then this one."""
        whole = unknowns(text) == unknowns(str.__str__(self))
        return Unknown(text if whole else str.__str__(self))

    def __add__(self, other: str) -> Unknown:
        return Unknown(str.__str__(self) + str.__str__(other))

    def __radd__(self, other: str) -> Unknown:
        return Unknown(str.__str__(other) + str.__str__(self))

    def __getitem__(self, index: SupportsIndex | slice) -> Unknown:
        return self

    def partition(self, _separator: str, /) -> tuple[Unknown, Unknown, Unknown]:
        """Return three texts of which none is known."""
        return self, self, self

    rpartition = partition

    def split(self, *_arguments: Any, **_options: Any) -> UnknownItems:  # type: ignore[override]
        """Return some texts; how many is not known."""
        return UnknownItems(self)


class UnknownItems(Sequence[Unknown]):
    """The parts of a text that is not known: each can be had, how many there are cannot.

    Args:
      whole: The text.
    """

    def __init__(self, whole: Unknown) -> None:
        self._whole = whole

    def __getitem__(self, index: Any) -> Any:
        return self if isinstance(index, slice) else self._whole

    def __len__(self) -> int:
        return int(self._whole)

    def __iter__(self) -> Iterator[Unknown]:
        return iter(self._whole)

    def __contains__(self, item: object) -> bool:
        return item in str.__str__(self._whole) if isinstance(item, str) else False

    def __bool__(self) -> bool:
        return bool(self._whole)


def _keeping(name: str) -> Callable[..., Unknown]:
    real = getattr(str, name)

    def kept(self: Unknown, *arguments: Any, **options: Any) -> Unknown:
        return self._kept(real(self, *arguments, **options))

    kept.__name__, kept.__doc__ = name, real.__doc__
    return kept


def _deciding(name: str) -> Callable[..., Any]:
    real = getattr(str, name)

    def decided(self: Unknown, *arguments: Any) -> Any:
        self._decided()
        return real(self, *arguments)

    decided.__name__, decided.__doc__ = name, real.__doc__
    return decided


_KEEPING = (
    "capitalize casefold center expandtabs format format_map join ljust lower lstrip removeprefix removesuffix replace"
    " rjust rstrip strip swapcase title translate upper zfill __mul__ __rmul__ __mod__"
)
_DECIDING = (
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __contains__ startswith endswith find index count rfind rindex"
    " isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper"
)
for _name in ("rsplit", "splitlines"):
    setattr(Unknown, _name, Unknown.split)
for _name in _KEEPING.split():
    setattr(Unknown, _name, _keeping(_name))
for _name in _DECIDING.split():
    setattr(Unknown, _name, _deciding(_name))
