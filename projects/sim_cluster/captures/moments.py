"""When a captured cluster was last heard of. Called by `preparing`: the clock of a loaded cluster must not be behind that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.timestamps import seconds_of

Object = dict[str, Any]
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_PAST: Final = re.compile(r"(last|first|start|finish|complet|creat).*|time")  # not when something expires or is next


def latest_time(objects: Iterable[Object]) -> float:
    """Return the latest time at which something has happened to any object; 0 when none tells."""
    times = (time for obj in objects for part in (obj["metadata"], obj.get("status")) for time in _times(part))
    latest = max(times, default="")
    return seconds_of(latest) + 1 if latest else 0.0  # a second has many moments


def _times(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _times(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list):
                yield from _times(inner)
            elif isinstance(inner, str) and _PAST.match(key) and _TIME.fullmatch(inner):
                yield inner
