"""What stood before in the place of a value: what does not change is not refused for rules that came later.

The server calls it ratcheting. Used by `custom_validation` and `custom_rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

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
