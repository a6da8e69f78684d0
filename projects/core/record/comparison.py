"""Two runs beside each other, step by step. Called by `runs compare` and by the report.

A step of one run is the one of the other that has the same path: kind, name and occurrence, of the steps around it and
of itself. Of several attempts the last one counts, and a step that a resume did not do again is the one that it reuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from projects.core.record.attempts import StepPath, paths, superseded
from projects.core.record.steps import Step

NOISE_RATIO = 1.25
NOISE_SECONDS = 1.0
"""A step took longer, or less, only when it is beyond both: two runs of the same thing are never equally fast."""


class Change(StrEnum):
    """How a step of two runs differs."""

    SAME = "same"
    ONLY_A = "only in A"
    ONLY_B = "only in B"
    STATUS = "ended otherwise"
    SLOWER = "slower"
    FASTER = "faster"


OUTCOMES = frozenset({Change.ONLY_A, Change.ONLY_B, Change.STATUS})
"""What makes the outcome of two runs differ; how long something took does not."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One step of the orchestration in both runs.

    Attributes:
      path: Which one.
      a: It in the first run, None when it is not there.
      b: It in the second one, likewise.
    """

    path: StepPath
    a: Step | None
    b: Step | None

    @property
    def step(self) -> Step:
        """The step as one of the runs has it, the second one if it does."""
        found = self.b or self.a
        assert found is not None
        return found

    @property
    def ratio(self) -> float | None:
        """How many times as long it took in B as in A; None when one of them has no duration."""
        if self.a is None or self.b is None or not self.a.duration or self.b.duration is None:
            return None
        return self.b.duration / self.a.duration

    @property
    def change(self) -> Change:
        """How the two differ."""
        if self.b is None:
            return Change.ONLY_A
        if self.a is None:
            return Change.ONLY_B
        if self.a.status != self.b.status:
            return Change.STATUS
        return _of_durations(self.a.duration, self.b.duration)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All steps of two runs: those of the second one in its order, each with those that only the first one has behind it.

    Attributes:
      pairs: The steps.
    """

    pairs: Sequence[Pair]

    @property
    def differences(self) -> Sequence[Pair]:
        """The steps that differ, in outcome or beyond the noise in duration."""
        return [pair for pair in self.pairs if pair.change is not Change.SAME]

    @property
    def same_outcome(self) -> bool:
        """Whether the same steps ended in the same way, however long they took."""
        return not any(pair.change in OUTCOMES for pair in self.pairs)

    def by_step(self) -> Mapping[str, Pair]:
        """Return the pairs by the ids of their steps, in either run."""
        return {step.id: pair for pair in self.pairs for step in (pair.a, pair.b) if step is not None}


def compare(a: Sequence[Step], b: Sequence[Step]) -> Comparison:
    """Compare the steps of two records.

    Args:
      a: All steps of the first run.
      b: All steps of the second one.
    """
    before, after = effective(a), effective(b)
    return Comparison([Pair(path, before.get(path), after.get(path)) for path in _in_order(before, after)])


def effective(steps: Sequence[Step]) -> dict[StepPath, Step]:
    """Return, by its path, the attempt of each step that counts; what was reused stands with all that ran inside it."""
    known, replaced = paths(steps), superseded(steps)
    by_id = {step.id: step for step in steps}
    inner: dict[str | None, list[Step]] = {}
    for step in steps:
        inner.setdefault(step.parent, []).append(step)
    found: dict[StepPath, Step] = {}
    for step in steps:
        if step.id not in replaced:
            for each in _with_inner(by_id.get(step.reuses), inner) if step.reuses else [step]:
                found[known[each.id]] = each
    return found


def _with_inner(step: Step | None, inner: Mapping[str | None, Sequence[Step]]) -> Iterator[Step]:
    waiting = [step] if step else []
    while waiting:
        yield (each := waiting.pop())
        waiting.extend(reversed(inner.get(each.id, ())))


def _of_durations(a: float | None, b: float | None) -> Change:
    if a is None or b is None or abs(b - a) <= NOISE_SECONDS or max(a, b) <= NOISE_RATIO * min(a, b):
        return Change.SAME
    return Change.SLOWER if b > a else Change.FASTER


def _in_order(before: Mapping[StepPath, Step], after: Mapping[StepPath, Step]) -> Iterator[StepPath]:
    """Yield the paths of both: what only the first one has comes behind what stands before it there."""
    behind: dict[StepPath | None, list[StepPath]] = {}
    last: StepPath | None = None
    for path in before:
        if path in after:
            last = path
        else:
            behind.setdefault(last, []).append(path)
    yield from behind.get(None, ())
    for path in after:
        yield path
        yield from behind.get(path, ())
