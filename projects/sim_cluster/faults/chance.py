"""What is left to chance, decided by the seed: the same whoever else asks for something in between. Used by `choosing` and behaviours."""

from __future__ import annotations

import hashlib


def chance(seed: int, *about: str | int) -> float:
    """Return a number from 0 to 1 (which it never is) that follows from the seed and from what it is about."""
    text = "\0".join(map(str, (seed, *about)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) / 2**64
