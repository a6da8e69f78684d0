"""The nearest match of a name that does not exist, for error messages. Called by every room that looks names up."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is closest to `name`, or None when none is close.

    Args:
      name: What was written.
      known: What could have been written.

    Returns:
      The best match of `difflib.get_close_matches` at its default cut-off of 0.6.
    """
    found = difflib.get_close_matches(name, list(known), n=1)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint: the nearest match, else all there are (when they fit on a line), else None."""
    names = sorted(known)
    if match := nearest(name, names):
        return f"did you mean '{match}'?"
    listed = ", ".join(names)
    return f"there are: {listed}" if names and len(listed) <= 240 else None  # noqa: PLR2004 - two lines of a terminal
