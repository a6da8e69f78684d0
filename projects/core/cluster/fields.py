"""Fields of an object by their path, such as ``status.conditions[Ready].status``. Called by `conditions` and `capturing`."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_NAMES = ("type", "name", "key")


def steps(path: str) -> list[str]:
    """Return the steps of a path: ``a.b[c.d/e][0]`` is a, b, c.d/e, 0.

    Raises:
      ValueError: the path is empty or not written so.
    """
    found = [bracketed or plain for bracketed, plain in _STEP.findall(path)]
    if not found or _STEP.sub("", path).strip("."):
        raise ValueError(f"{path!r} is not a path of fields, such as status.conditions[Ready].status")
    return found


def field(document: Any, path: str) -> Any:
    """Return the value at a path, or None.

    Args:
      document: An object.
      path: The path; a step into a list is an index, or the type, name or key of one of its entries.
    """
    found = document
    for step in steps(path):
        found = _enter(found, step)
        if found is None:
            return None
    return found


def _enter(found: Any, step: str) -> Any:
    if isinstance(found, dict):
        return found.get(step)
    if not isinstance(found, list):
        return None
    if step.lstrip("-").isdecimal():
        return found[int(step)] if -len(found) <= int(step) < len(found) else None
    return next((each for each in found if isinstance(each, dict) and step in [each.get(n) for n in _NAMES]), None)
