"""What a value of the configuration may be: scalars, lists and mappings. Called wherever a value comes in or goes out."""

from __future__ import annotations

from typing import Any

from projects.core.configuration.errors import WrongKind

_SCALARS = (str, bool, int, float, type(None))
SECRET = "*$@"  # noqa: S105 - how a reference to a secret starts


def copied(value: Any) -> Any:
    """Return a value that shares no list or mapping with the one given.

    Raises:
      WrongKind: it holds something that YAML cannot say, such as a `Path`.
    """
    if type(value) is str:
        return value if value.isascii() else _unicode(value)
    if type(value) in _SCALARS:
        return value
    if isinstance(value, dict):
        return {_name(key): copied(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [copied(element) for element in value]
    return _plain(value)


def described(value: Any) -> str:
    """Return a value's kind and, when it is short, the value, as error messages name it."""
    if isinstance(value, dict):
        return f"a mapping of {len(value)}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    text = str(value)
    return f"the text {text!r}" if len(text) <= 60 else f"a text of {len(text)} characters"  # noqa: PLR2004 - half a line


def is_reference(value: Any) -> bool:
    """Tell whether a value, as it is written, stands for another one, or holds the text of one."""
    return isinstance(value, str) and (value.startswith(("@", SECRET)) or "{@" in value)


def is_secret(value: Any) -> bool:
    """Tell whether a value, as it is written, is a reference to a secret."""
    return isinstance(value, str) and value.startswith(SECRET)


def _name(key: Any) -> Any:
    if type(key) in _SCALARS:
        return key
    if isinstance(key, str):
        return str.__str__(key)
    raise WrongKind(f"expected a name as the key of a mapping, found {type(key).__name__}")


def _unicode(text: str) -> str:
    """Return a text that can be written to a file, which one made of an argument's stray bytes cannot."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise WrongKind(f"expected text, found what is no Unicode: {text!r}") from error
    return text


def _plain(value: Any) -> Any:
    """Return a value of a class derived from a scalar's, such as a `StrEnum`'s member, as that scalar."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    raise WrongKind(
        f"expected text, a number, true, false, null, a list or a mapping, found {type(value).__name__}",
        hint="a path is given as str(path)" if hasattr(value, "__fspath__") else None,
    )
