"""What determined how long a run took: the chain of steps of which each one was waited for. Used by the page.

It is found from the end: of the steps inside a step, the one that ended last, then the one that had ended when that one
began, and so on; of the branches of a `Parallel`, the one that ended last. What lies between two links of the chain is the
time of the step around them: its own code, or idleness.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from projects.core.report.timeline import SLACK, Bar

_WORTH_TELLING = 0.01
"""Of the run's time; a gap that is shorter is part of every run."""


@dataclass(frozen=True, slots=True)
class Link:
    """A part of the chain.

    Attributes:
      bar: The step that was waited for; the one around, in a gap; None in a gap between outermost steps.
      start: Seconds from the run's start.
      end: Likewise.
      gap: Whether none of the inner steps ran then.
    """

    bar: Bar | None
    start: float
    end: float
    gap: bool = False

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Part:
    """Links of the chain with the same name: one step of it, or several, or all that lay between the steps in one."""

    links: Sequence[Link]

    @property
    def seconds(self) -> float:
        """How long they took together."""
        return sum(link.seconds for link in self.links)

    @property
    def longest(self) -> Link:
        """The one that took most."""
        return max(self.links, key=lambda link: link.seconds)

    @property
    def times(self) -> int:
        """How many steps they are."""
        return len({link.bar.step.id for link in self.links if link.bar})


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The chain.

    Attributes:
      links: Its parts, in order, without a hole.
      steps: The ids of all steps on it, also of those with steps inside.
      seconds: Of the run.
    """

    links: Sequence[Link] = ()
    steps: Collection[str] = field(default_factory=frozenset)
    seconds: float = 0.0

    def longest(self, count: int) -> list[Part]:
        """Return the parts that took most, the longest first; what has the same name is one of them."""
        found: dict[tuple[str, bool], list[Link]] = {}
        for link in self.links:
            found.setdefault((link.bar.step.name if link.bar else "", link.gap), []).append(link)
        parts = sorted((Part(links) for links in found.values()), key=lambda part: -part.seconds)
        return [part for part in parts if part.seconds >= _WORTH_TELLING * self.seconds][:count]


def critical_path(bars: Sequence[Bar]) -> CriticalPath:
    """Return the chain through a run.

    Args:
      bars: All of its time line.
    """
    if not bars:
        return CriticalPath()
    end = max(bar.end for bar in bars)
    links: list[Link] = []
    steps: set[str] = set()
    outermost = [bar for bar in bars if bar.depth == 0]
    waiting = list(_chain(None, outermost, 0.0, end))
    while waiting:
        link = waiting.pop()
        if link.bar is not None and not link.gap:
            steps.add(link.bar.step.id)
        if link.bar is None or link.gap or not link.bar.inner:
            links.append(link)
        else:
            waiting.extend(_chain(link.bar, link.bar.inner, link.start, link.end))
    return CriticalPath(sorted(links, key=lambda link: (link.start, link.end)), steps, end)


def _chain(around: Bar | None, inner: Sequence[Bar], start: float, end: float) -> Iterator[Link]:
    """Yield the links between two moments in a step, the last first."""
    until = end
    for bar in sorted(inner, key=lambda bar: (bar.end, bar.start), reverse=True):
        if bar.end > until + SLACK or bar.end < start:
            continue  # it ran beside the chain: nobody waited for it
        if bar.end < until:
            yield Link(around, bar.end, until, gap=True)
        begin = max(min(bar.start, until), start)
        yield Link(bar, begin, min(bar.end, until))
        until = begin
    if until > start:
        yield Link(around, start, until, gap=True)
