"""Functions of the samples of a range, such as ``rate``. Called by `evaluation`."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Final

_FAR: Final = 1.1  # of the average distance: a range that ends further from its last sample is not filled up
_LEAST: Final = 2


class Range:
    """The samples of one series between two times."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end
        self.samples: list[tuple[float, float]] = []

    def add(self, at: float, value: float) -> None:
        """Add a sample; they come in order."""
        self.samples.append((at, value))

    @property
    def values(self) -> list[float]:
        """The values."""
        return [value for _, value in self.samples]


def _extrapolated(found: Range, *, counts: bool) -> float | None:
    """Return by how much a series grew over a whole range, from the samples that there are, as Prometheus reckons it."""
    if len(found.samples) < _LEAST:
        return None
    (first, start), (last, end) = found.samples[0], found.samples[-1]
    grown = (
        end
        - start
        + (
            sum(before for before, after in zip(found.values, found.values[1:], strict=False) if after < before)
            if counts
            else 0
        )
    )
    covered = last - first
    usual = covered / (len(found.samples) - 1)
    to_start, to_end = first - found.start, found.end - last
    if to_start >= usual * _FAR:
        to_start = usual / 2
    if counts and grown > 0 and start >= 0:
        to_start = min(to_start, covered * start / grown)  # a counter was not below nothing
    if to_end >= usual * _FAR:
        to_end = usual / 2
    return grown * (covered + to_start + to_end) / covered


def _rate(found: Range) -> float | None:
    grown = _extrapolated(found, counts=True)
    return None if grown is None else grown / (found.end - found.start)


def _instant(found: Range) -> float | None:
    if len(found.samples) < _LEAST:
        return None
    (first, start), (last, end) = found.samples[-2:]
    return (end if end < start else end - start) / (last - first)


RANGE_FUNCTIONS: Final[dict[str, Callable[[Range], float | None]]] = {
    "rate": _rate,
    "irate": _instant,
    "increase": lambda found: _extrapolated(found, counts=True),
    "delta": lambda found: _extrapolated(found, counts=False),
    "avg_over_time": lambda found: fmean(found.values),
    "min_over_time": lambda found: min(found.values),
    "max_over_time": lambda found: max(found.values),
    "sum_over_time": lambda found: sum(found.values),
    "count_over_time": lambda found: float(len(found.values)),
    "last_over_time": lambda found: found.values[-1],
}
