"""Ages as kubectl shows them. Used by `tables` and `printers`."""

from __future__ import annotations

from projects.sim_cluster.api.timestamps import seconds_of

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 31_536_000


def human_duration(seconds: float) -> str:
    """Return a duration as apimachinery's ``HumanDuration`` writes it."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        return _two(whole, _MINUTE, "m", 1, "s")
    if whole < 3 * _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 8 * _HOUR:
        return _two(whole, _HOUR, "h", _MINUTE, "m")
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    if whole < 8 * _DAY:
        return _two(whole, _DAY, "d", _HOUR, "h")
    if whole < 2 * _YEAR:
        return f"{whole // _DAY}d"
    return _two(whole, _YEAR, "y", _DAY, "d") if whole < 8 * _YEAR else f"{whole // _YEAR}y"


def _two(seconds: int, big: int, big_name: str, small: int, small_name: str) -> str:
    rest = seconds % big // small
    return f"{seconds // big}{big_name}" + (f"{rest}{small_name}" if rest else "")


def age(timestamp: str | None, now: float) -> str:
    """Return how long ago a timestamp was."""
    return human_duration(now - seconds_of(timestamp)) if timestamp else "<unknown>"
