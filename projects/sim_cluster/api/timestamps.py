"""Times as the API writes them. The clock is handed in by whoever starts the cluster."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=64)
def _at_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def timestamp(seconds: float) -> str:
    """Return seconds since the epoch as RFC 3339, to the second."""
    return _at_second(int(seconds))


def micro_timestamp(seconds: float) -> str:
    """Return seconds since the epoch as RFC 3339, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_of(text: str) -> float:
    """Return the seconds since the epoch of a timestamp."""
    return datetime.fromisoformat(text).timestamp()
