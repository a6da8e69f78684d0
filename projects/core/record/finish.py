"""The end of a run: `FAILURES`, `junit_foresail.xml` and `FINISHED`, all made from the record. Called by `main`, last of all.

`FINISHED` of an earlier process in the same directory goes first and a new one comes last, so that whoever sees
it sees the others whole; `FAILURES` comes before the rest, so that a kill in between never leaves a failed run
that looks like a passed one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from projects.core.record.artifacts import write_atomically
from projects.core.record.failures import write_failures_index
from projects.core.record.junit import write_junit
from projects.core.record.steps import Step, parse_time, read_steps
from projects.core.record.verdict import MEANINGS, ancestors, verdict, within
from projects.core.values.outcomes import ExitCode, Status, worst
from projects.core.values.redaction import REDACTOR

FINISHED = "FINISHED"


def finish(
    root: Path,
    *,
    properties: Mapping[str, str],
    exit_code: int | None = None,
    since: Collection[str] | None = None,
) -> ExitCode:
    """Write what is derived from a record, and judge: `write_results`, then `mark_finished`.

    Args:
      root: The run's root.
      properties: What the JUnit file says of the run, such as `project` or the cluster's version. The run's id, the
        entrypoints, the artifact directory and the exit code are added when they are not given.
      exit_code: What the caller knows beside the record, such as 2 for a wrong preset; the worst of both wins.
      since: Ids of the entrypoints of this process, when others wrote into the same root before; they alone are judged.

    Returns:
      What the process should exit with.
    """
    code = write_results(root, properties=properties, exit_code=exit_code, since=since)
    mark_finished(root, code, since=since)
    return code


def write_results(
    root: Path,
    *,
    properties: Mapping[str, str],
    exit_code: int | None = None,
    since: Collection[str] | None = None,
) -> ExitCode:
    """Take an earlier `FINISHED` away, write `FAILURES` and JUnit, and judge; the arguments are those of `finish`."""
    (root / FINISHED).unlink(missing_ok=True)
    steps = read_steps(root)
    judged = steps if since is None else within(steps, since)
    code = worst([verdict(judged).exit_code, exit_code or ExitCode.PASSED])
    write_failures_index(root, steps, exit_code=code)
    write_junit(root, steps, properties={**_own(root, steps, judged, code), **properties})
    return code


def mark_finished(root: Path, code: ExitCode, *, since: Collection[str] | None = None) -> None:
    """Write `FINISHED`, by which others know that everything else is there."""
    steps = read_steps(root)
    judged = steps if since is None else within(steps, since)
    write_atomically(root / FINISHED, REDACTOR.redact(_finished(judged, code)))


def entrypoints(steps: Sequence[Step]) -> list[Step]:
    """Return the entrypoints that no other one called, in the order in which they ran."""
    by_id = {step.id: step for step in steps}
    called = [step for step in steps if step.kind == "entrypoint"]
    return [step for step in called if not any(each.kind == "entrypoint" for each in ancestors(step, by_id))]


def title(steps: Sequence[Step]) -> str:
    """Return what a run is called: by the names of its entrypoints, else of its outermost steps."""
    outermost = entrypoints(steps) or [step for step in steps if step.parent is None]
    return ", ".join(dict.fromkeys(step.name for step in outermost))


def project_of(steps: Sequence[Step]) -> str:
    """Return the project that a run is of, as its entrypoints say; empty for toolbox commands."""
    return next((step.project for step in steps if step.project), "")


def elapsed(steps: Sequence[Step]) -> float:
    """Return the seconds from the first start to the last thing that was recorded."""
    if not steps:
        return 0.0
    return (parse_time(max(step.end or step.start for step in steps)) - parse_time(steps[0].start)).total_seconds()


def _own(root: Path, steps: Sequence[Step], judged: Sequence[Step], code: ExitCode) -> dict[str, str]:
    return {
        "run id": steps[0].id if steps else "",
        "project": project_of(steps),
        "entrypoint": title(judged),
        "artifacts": str(root),
        "exit code": str(int(code)),
    }


def _finished(steps: Sequence[Step], code: ExitCode) -> str:
    minutes, seconds = divmod(round(elapsed(steps)), 60)
    hours, minutes = divmod(minutes, 60)
    skipped = steps and all(step.status == Status.SKIPPED for step in steps)
    word = "failed" if code else "was skipped" if skipped else "succeeded"
    name = title(steps) or "nothing"
    return (
        f"Test of '{name}' {word} after {hours:02d} hours {minutes:02d} minutes {seconds:02d} seconds.\n"
        f"exit code {int(code)}: {MEANINGS[code]}\n"
    )
