"""Where each step stands on the time line: its share of the run's time across, a lane down. Used by the page.

A step's inner steps lie below it. Those that follow each other share a lane; those that run at the same time get
lanes of their own. A branch that has steps inside is not drawn, since they take its lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from projects.core.record.attempts import superseded
from projects.core.record.steps import Step, parse_time

_STEPS = (0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_TICKS = 6
_MARGIN = 1.005  # what happens at the very end is still seen
SLACK = 1e-3
"""Seconds: a step that begins so soon after, or before, the end of another one follows it."""


@dataclass(slots=True)
class Bar:
    """A step on the time line.

    Attributes:
      step: The step.
      start: Seconds from the run's first start.
      end: Seconds from there to its end; of one without an end, to the last thing that was recorded while it ran.
      depth: How many steps are around it.
      top: Which lane it lies in, or what is inside it when it is not drawn itself.
      inner: The steps directly inside.
    """

    step: Step
    start: float
    end: float
    depth: int
    top: int = 0
    inner: list[Bar] = field(default_factory=list)

    @property
    def drawn(self) -> bool:
        """Whether it gets a bar of its own."""
        return self.step.kind != "branch" or not self.inner


@dataclass(frozen=True, slots=True)
class Timeline:
    """All bars in the order of the tree, the number of lanes, the seconds across, and where its ticks are."""

    bars: Sequence[Bar]
    lanes: int
    seconds: float
    ticks: Sequence[float]

    def percent(self, seconds: float) -> str:
        """Return a time as a share of the width, as CSS writes it."""
        return f"{100 * seconds / self.seconds / _MARGIN:.6g}%"


def timeline(steps: Sequence[Step]) -> Timeline:
    """Lay out the steps of a record."""
    if not steps:
        return Timeline([], 0, 1.0, [])
    zero = min(parse_time(step.start) for step in steps)
    last = max((parse_time(step.end or step.start) - zero).total_seconds() for step in steps)
    ends = ends_of_the_open(steps)
    bars: dict[str, Bar] = {}
    roots: list[Bar] = []
    for step in steps:
        start = (parse_time(step.start) - zero).total_seconds()
        end = (parse_time(step.end or ends.get(step.id, step.start)) - zero).total_seconds()
        around = bars.get(step.parent or "")
        bars[step.id] = bar = Bar(step, start, max(start, end), around.depth + 1 if around else 0)
        (around.inner if around else roots).append(bar)
    lanes = _place(roots)
    ordered = _in_order(roots)
    for bar in ordered:  # a bar stands before those inside it, whose lanes are counted from its own
        for inner in bar.inner:
            inner.top += bar.top + _own_lanes(bar)
    seconds = max(last, 1e-3)
    return Timeline(ordered, lanes, seconds, _ticks(seconds))


def ends_of_the_open(steps: Sequence[Step]) -> Mapping[str, str]:
    """Return until when the steps without an end have run, by their ids: until the last thing recorded.

    For one whose place a later attempt has taken it is the last thing that its own process has recorded.
    """
    replaced = superseded(steps)
    root: dict[str, str] = {}
    last: dict[str, str] = {}
    for step in steps:  # a parent stands before its children
        root[step.id] = root.get(step.parent or "", step.id)
        last[root[step.id]] = max(step.end or step.start, last.get(root[step.id], ""))
    latest = max(last.values())
    return {step.id: last[root[step.id]] if step.id in replaced else latest for step in steps if not step.end}


def _in_order(bars: Sequence[Bar]) -> list[Bar]:
    """Return bars and all inside them, each before what is inside it."""
    found: list[Bar] = []
    stack = list(reversed(bars))
    while stack:
        bar = stack.pop()
        found.append(bar)
        stack.extend(reversed(bar.inner))
    return found


def _place(bars: Sequence[Bar]) -> int:
    """Give each bar the first lanes that are free for it and all inside it, counted from the first lane below their parent.

    Returns:
      How many lanes they take together.
    """
    free: list[float] = []  # per lane, when it becomes free
    for bar in sorted(bars, key=lambda bar: bar.start):
        height = _place(bar.inner) + _own_lanes(bar)
        bar.top = _first_free(free, height, bar.start + SLACK)
        free.extend(0.0 for _ in range(bar.top + height - len(free)))
        free[bar.top : bar.top + height] = [bar.end] * height
    return len(free)


def _own_lanes(bar: Bar) -> int:
    return 1 if bar.drawn else 0


def _first_free(free: Sequence[float], height: int, start: float) -> int:
    """Return the first of `height` lanes that are free from `start` on; there are always free ones below the last."""
    together = 0
    for lane, until in enumerate(free):
        together = together + 1 if until <= start else 0
        if together == height:
            return lane - height + 1
    return len(free) - together


def tick(seconds: float) -> str:
    """Return a time of the axis, without what is zero: ``0``, ``0.5s``, ``30s``, ``2m``, ``1h30m``."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:g}s" if seconds else "0"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    return "".join(f"{count}{unit}" for count, unit in parts if count)


def _ticks(seconds: float) -> list[float]:
    step = next((each for each in _STEPS if seconds / each <= _TICKS), _STEPS[-1])
    return [step * number for number in range(int(seconds / step) + 1)]
