"""How long a proof runs: reduced to seconds in `make test`, whole in `make soak`. Used by the tests that are marked `soak`."""

from __future__ import annotations

import os

WHOLE = bool(os.environ.get("FORESAIL_SOAK"))
"""Whether this is `make soak`."""


def trials(reduced: int, whole: int) -> int:
    """Return how often a proof tries: `reduced` times in `make test`, `whole` times in `make soak`."""
    return whole if WHOLE else reduced


def say(figures: str) -> None:
    """Print the figures of a proof, which `make soak` shows."""
    if WHOLE:
        print(f"\nsoak: {figures}")
