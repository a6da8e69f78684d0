"""The vocabulary of outcomes: how a step ends and what the process exits with. Used by every writer and reader of a run.

The exit codes are the table of docs/reference/exit-codes.md.
"""

from __future__ import annotations

from collections.abc import Iterable
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
