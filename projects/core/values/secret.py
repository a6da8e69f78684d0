"""A secret as a value that cannot be shown by mistake. Made by `config.project.get_secret`, taken by toolbox commands.

Whatever would write it out writes the mask, or refuses: it is no `str`, so that `json.dumps` and `+` do not take it.
"""

from __future__ import annotations

import hmac
from typing import NoReturn, Self

from projects.core.values.redaction import MASK, REDACTOR


class Secret:
    """A secret text. Its making tells the redactor.

    Args:
      value: The text.
      name: What it is called where it is shown, such as its key in the configuration.
    """

    __slots__ = ("__value", "name")

    def __init__(self, value: str, name: str = "") -> None:
        if not isinstance(value, str):
            raise TypeError(f"Secret: expected text, found {type(value).__name__}")
        REDACTOR.register(value)
        self.__value = value
        self.name = name

    def reveal(self) -> str:
        """Return the text itself, for the program or the object that needs it."""
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({self.name or MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return format(MASK, specification)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # In a time that does not tell how much of it is the same.
        return hmac.compare_digest(_bytes(self), _bytes(other))

    def __hash__(self) -> int:
        return hash(self.__value)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} cannot be pickled, since that would write it in clear: hand its key on, and read it there"
        )


def _bytes(secret: Secret) -> bytes:
    return secret.reveal().encode("utf-8", "surrogatepass")
