"""Times as objects hold them."""

from __future__ import annotations

import time
from datetime import datetime


def timestamp(seconds: float) -> str:
    """Return seconds since the epoch as RFC 3339, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds_of(text: str) -> float:
    """Return the seconds since the epoch of a timestamp."""
    return datetime.fromisoformat(text).timestamp()
