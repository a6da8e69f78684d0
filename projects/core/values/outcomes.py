"""The vocabulary of outcomes: how a step ends and what the process exits with. Used by every writer and reader of a run.

The exit codes are the table of docs/reference/exit-codes.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Status(StrEnum):
    """How a step stands or ended; the same words in the record, on the console, in JUnit and in the report."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    PLANNED = "planned"


class ExitCode(IntEnum):
    """What a Foresail process exits with."""

    PASSED = 0
    TEST_FAILED = 1
    USAGE = 2
    INFRASTRUCTURE = 3
    TIMED_OUT = 4
    REGRESSION = 5
    LEASE = 6
    SECRET_FOUND = 7
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Advice:
    """What an exit code asks for.

    Attributes:
      who: Who should act.
      look: What to look at next.
      go_on: How to go on.
    """

    who: str
    look: str
    go_on: str


ADVICE: Mapping[ExitCode, Advice] = {
    ExitCode.PASSED: Advice("nobody", "the report, for the KPIs", "nothing is left to do"),
    ExitCode.TEST_FAILED: Advice(
        "who owns the test or what it tests",
        "`runs why DIR`: the first cause, the step where it began, its last lines",
        "mend it, then resume the run: what has passed is not done again",
    ),
    ExitCode.USAGE: Advice(
        "who wrote the line or the configuration",
        "the message: it names the flag, the key or the preset, its file and line, and the nearest match",
        "correct it and start again; `configure lint PROJECT` tells everything that is wrong at once",
    ),
    ExitCode.INFRASTRUCTURE: Advice(
        "who owns the cluster, or the machine that the run was started on",
        "`doctor`: what is missing here; `runs why DIR`: what could not be reached",
        "resume the run when the cluster is back",
    ),
    ExitCode.TIMED_OUT: Advice(
        "who owns the test; the cluster's owner when it was slow",
        "`runs why DIR`: what was waited for, and how the object stood in the end",
        "give it more time when it only was slow, then resume the run",
    ),
    ExitCode.REGRESSION: Advice(
        "who owns what is measured",
        "the report: the KPIs beside those of earlier runs",
        "measure again to tell a regression from noise; the run itself is complete",
    ),
    ExitCode.LEASE: Advice(
        "who shares the cluster",
        "`runs why DIR`: which lease, and who holds it",
        "wait until it is free, then resume the run",
    ),
    ExitCode.SECRET_FOUND: Advice(
        "who owns the secret, at once",
        "the message and FAILURES: the step and the file, which was moved out of the artifacts",
        "replace the secret, and find out which command printed it; do not publish the artifacts before",
    ),
    ExitCode.INTERRUPTED: Advice(
        "who pressed Ctrl-C",
        "`runs show DIR`: what was done, and what was cut off",
        "resume the run, or undo what it has left with its clean-up entrypoint",
    ),
    ExitCode.TERMINATED: Advice(
        "who ended the job: the CI's time limit, an eviction, or a person",
        "`runs show DIR`: what took the time",
        "resume the run, with a longer limit when that was why",
    ),
}
"""What each exit code asks for. What it means in a few words is in `record.verdict.MEANINGS`."""

# From best to worst. A failed test beside an unreachable cluster is an infrastructure problem: whoever is
# paged first is whoever can mend the cluster. An interruption explains everything that follows it.
SEVERITY = (
    ExitCode.PASSED,
    ExitCode.REGRESSION,
    ExitCode.TEST_FAILED,
    ExitCode.TIMED_OUT,
    ExitCode.LEASE,
    ExitCode.INFRASTRUCTURE,
    ExitCode.USAGE,
    ExitCode.SECRET_FOUND,
    # Ctrl-C last: what it interrupts passes TERM on to its children, which then say that they were terminated.
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
)


def worst(codes: Iterable[int]) -> ExitCode:
    """Return the worst of some exit codes.

    Args:
      codes: Exit codes of the table above; another number counts as a failed test.

    Returns:
      The one that stands last in `SEVERITY`; `ExitCode.PASSED` when there are none.
    """
    known = {int(code): code for code in SEVERITY}
    found = [known.get(int(code), ExitCode.TEST_FAILED) for code in codes]
    return max(found, key=SEVERITY.index, default=ExitCode.PASSED)
