"""What a record amounts to: exit code, counts, causes in order. Called by `main`, `finish` and everything that shows a run.

A failed step counts with its cause's exit code. Not counted: what a caller declared that it may fail, with all that
failed inside it; what was cancelled, since the failure that cancelled it counts; what was skipped; what a later attempt
has taken the place of; and what has no end, which is reported beside the exit code. A record without a step is not a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from projects.core.record.attempts import superseded
from projects.core.record.steps import Cause, Step
from projects.core.values.outcomes import ExitCode, Status, worst

MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.PASSED: "passed",
    ExitCode.TEST_FAILED: "the test failed",
    ExitCode.USAGE: "wrong usage or configuration",
    ExitCode.INFRASTRUCTURE: "infrastructure: what the test stands on is not there",
    ExitCode.TIMED_OUT: "something took longer than it was given",
    ExitCode.REGRESSION: "performance regression",
    ExitCode.LEASE: "lease unavailable or lost",
    ExitCode.SECRET_FOUND: "a secret was found in the artifacts",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "terminated",
}
"""What each exit code says, in a few words."""

FAILING = frozenset({Status.FAILED, Status.TIMED_OUT, Status.INTERRUPTED})
"""How a step ends when it did not do what it was there for, by its own doing."""

_WITHOUT_CAUSE = {Status.TIMED_OUT: ExitCode.TIMED_OUT, Status.INTERRUPTED: ExitCode.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One distinct cause with what it did.

    Attributes:
      cause: The cause, as the steps carry it.
      origin: The step where it began.
      failed: The other steps that failed by it, innermost first.
      cancelled: The steps that were cancelled because of it, in order of their start.
    """

    cause: Cause
    origin: Step
    failed: Sequence[Step] = ()
    cancelled: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What some steps amount to.

    Attributes:
      exit_code: The worst recorded outcome.
      counts: How many steps stand in each status; one that does not occur is left out.
      first: The cause that came first, None after a pass.
      running: Steps without an end. In a run that is over they were cut off by a kill.
    """

    exit_code: ExitCode
    counts: Mapping[Status, int] = field(default_factory=dict)
    first: Trouble | None = None
    running: Sequence[Step] = ()

    @property
    def passed(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == ExitCode.PASSED


def verdict(steps: Sequence[Step], *, since: Collection[str] | None = None) -> Verdict:
    """Judge steps.

    Args:
      steps: The steps of one record, all of them, since a step's place is known from its ancestors.
      since: Ids of the entrypoints to judge, with all that happened in them; None judges everything.

    Returns:
      The verdict; `ExitCode.TEST_FAILED` when there is no step to judge.
    """
    judged = steps if since is None else within(steps, since)
    if not judged:
        return Verdict(ExitCode.TEST_FAILED)
    replaced = superseded(judged)
    return Verdict(
        exit_code=worst(exit_code_of(step) for step in counting(judged)),
        counts=Counter(Status(step.status) for step in judged),
        first=next(iter(troubles(judged)), None),
        running=[step for step in judged if step.status == Status.RUNNING and step.id not in replaced],
    )


def within(steps: Iterable[Step], roots: Collection[str]) -> list[Step]:
    """Return the steps with one of these ids, and all below them."""
    inside = set(roots)
    found = []
    for step in steps:  # a parent starts, and so stands, before its children
        if step.id in inside or step.parent in inside:
            inside.add(step.id)
            found.append(step)
    return found


def tolerated(steps: Sequence[Step]) -> set[str]:
    """Return the ids of the steps whose failure is tolerated: by their own caller, or by that of a step around them."""
    return {step.id for step in within(steps, {step.id for step in steps if step.tolerated})}


def counting(steps: Sequence[Step]) -> list[Step]:
    """Return the steps whose outcome counts against the run."""
    excused = tolerated(steps) | superseded(steps)
    return [step for step in steps if step.status in FAILING and step.id not in excused]


def exit_code_of(step: Step) -> int:
    """Return the exit code that a failed step stands for."""
    if step.cause:
        return step.cause.exit_code
    return _WITHOUT_CAUSE.get(Status(step.status), ExitCode.TEST_FAILED)


def cause_of(step: Step) -> Cause:
    """Return the cause of a failed step; one is made from its status when the record has none."""
    return step.cause or Cause(str(step.status), "no cause was recorded", step.id, exit_code_of(step))


def troubles(steps: Sequence[Step]) -> list[Trouble]:
    """Return the distinct causes that count, in the order in which they happened.

    A cause happened when the first step that carries it ended: an inner step ends before the one around it.
    """
    by_id = {step.id: step for step in steps}
    carriers: dict[Cause, list[Step]] = {}
    for step in sorted(counting(steps), key=lambda step: step.end or ""):
        carriers.setdefault(cause_of(step), []).append(step)
    cancelled: dict[Cause, list[Step]] = {}
    for step in steps:
        if step.status == Status.CANCELLED and (reason := _reason(step, by_id, carriers)):
            cancelled.setdefault(reason, []).append(step)
    found = []
    for cause, failed in carriers.items():
        origin = by_id.get(cause.step, failed[0])
        others = [step for step in failed if step is not origin]
        found.append(Trouble(cause, origin, others, cancelled.get(cause, [])))
    return found


def _reason(step: Step, by_id: Mapping[str, Step], carriers: Mapping[Cause, list[Step]]) -> Cause | None:
    """Return why a step was cancelled: its own, that of the nearest failed step around it, else the first of all."""
    if step.cause in carriers:
        return step.cause
    for around in ancestors(step, by_id):
        if around.status in FAILING and cause_of(around) in carriers:
            return cause_of(around)
    return next(iter(carriers), None)


def ancestors(step: Step, by_id: Mapping[str, Step]) -> Iterator[Step]:
    """Yield the steps around a step, the innermost first."""
    while step.parent and step.parent in by_id:
        step = by_id[step.parent]
        yield step


def cancelled_by(found: Iterable[Trouble]) -> dict[str, Trouble]:
    """Return, per id of a cancelled step, the trouble that cancelled it."""
    return {step.id: trouble for trouble in found for step in trouble.cancelled}
