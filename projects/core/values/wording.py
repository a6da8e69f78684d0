"""How numbers and outcomes are put into words for people. Called by every room that tells of them."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """Return how many there are of something whose plural ends with an s: ``1 step``, ``2 steps``, ``0 steps``."""
    return f"{number} {what}{'s' * (number != 1)}"


def in_words(status: str) -> str:
    """Return a status as it is written for people: ``timed out``."""
    return status.replace("_", " ")
