"""One measured figure with its bar, and the table of them. Used by every benchmark."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Args:
      name: What was measured.
      value: The figure.
      unit: Its unit.
      bar: What it is held against, None when it is for information.
      at_least: Whether the bar is a minimum, as for a ratio.
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False

    def line(self) -> str:
        """Return the figure as a line of the table."""
        if self.bar is None:
            return f"{self.name:<62} {self.value:>10.4g} {self.unit}"
        holds = self.value >= self.bar if self.at_least else self.value <= self.bar
        sign, word = (">=" if self.at_least else "<="), ("ok" if holds else "MISSED")
        return f"{self.name:<62} {self.value:>10.4g} {self.unit:<5} bar {sign} {self.bar:g}  {word}"


def median_seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median time of some rounds of work."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
