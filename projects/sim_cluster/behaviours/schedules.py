"""Times of a cron schedule, in the grammar of robfig/cron as CronJobs take it. Used by `cron_jobs`."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

_MACROS: Final = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_BOUNDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_YEARS: Final = 5
"""A time that does not come in so many years never comes, such as the thirtieth of February."""
Fields = tuple[frozenset[int], ...]


@lru_cache(maxsize=256)
def _fields(schedule: str) -> tuple[Fields, bool, bool]:
    """Return the values of the five fields, and whether any day of the month and any day of the week do."""
    parts = _MACROS.get(schedule.strip().lower(), schedule).split()
    if len(parts) != len(_BOUNDS):
        raise ValueError(f"expected exactly {len(_BOUNDS)} fields, found {len(parts)}: {schedule}")
    values = tuple(_values(part.lower(), *bounds) for part, bounds in zip(parts, _BOUNDS, strict=True))
    return values, parts[2][0] in "*?", parts[4][0] in "*?"


def _values(text: str, least: int, most: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = least, most
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin)
            last = _number(end) if dash else most if step else first
        found |= {7 % 7 if value == 7 and most == 6 else value for value in range(first, last + 1, int(step or 1))}  # noqa: PLR2004 - Sunday is 0 and 7
    return frozenset(found)


def _number(text: str) -> int:
    if text in _MONTHS:
        return _MONTHS.index(text) + 1
    return _DAYS.index(text) if text in _DAYS else int(text)


def next_time(schedule: str, after: float, zone: tzinfo) -> float | None:
    """Return the first time of a schedule after another time, in seconds since the epoch; None when there is none."""
    (minutes, hours, days, months, weekdays), any_day, any_weekday = _fields(schedule)
    at = datetime.fromtimestamp(after, zone).replace(second=0, microsecond=0) + timedelta(minutes=1)
    limit = at.year + _YEARS
    while at.year <= limit:
        if at.month not in months:
            at = (at.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
        elif not _is_day(at, days, weekdays, either=not any_day and not any_weekday):
            at = at.replace(hour=0, minute=0) + timedelta(days=1)
        elif at.hour not in hours:
            at = at.replace(minute=0) + timedelta(hours=1)
        elif at.minute not in minutes:
            at += timedelta(minutes=1)
        else:
            return at.timestamp()
    return None


def _is_day(at: datetime, days: frozenset[int], weekdays: frozenset[int], *, either: bool) -> bool:
    """Return whether a day is meant; when both days are restricted, either will do."""
    of_month, of_week = at.day in days, at.isoweekday() % 7 in weekdays
    return of_month or of_week if either else of_month and of_week
