"""The last lines of a run: how it went, why, where to look. Printed by `main`, made from the record and its directory alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from projects.core.console.progress import first_line, word
from projects.core.record.artifacts import ANSIBLE_LOG, path_of
from projects.core.record.durations import duration
from projects.core.record.failures import FAILURES
from projects.core.record.finish import elapsed, title
from projects.core.record.steps import Step, read_steps
from projects.core.record.verdict import MEANINGS, Trouble, Verdict, troubles, verdict, within
from projects.core.values.outcomes import ExitCode, Status, worst
from projects.core.values.redaction import REDACTOR

REPORT = "report.html"
PYTHON_COMMAND = "_python.cmd"

_LINES = 60  # a configuration tells all its mistakes at once


def summary(root: Path, *, exit_code: int | None = None, since: Collection[str] | None = None) -> str:
    """Return the summary of a run, the same whenever it is asked for.

    Args:
      root: The run's root.
      exit_code: What the process ends with, when that is not what the record says.
      since: Ids of the entrypoints that are meant; None means all that ran in this root.
    """
    steps = read_steps(root)
    judged = steps if since is None else within(steps, since)
    found = verdict(judged)
    code = worst([found.exit_code, exit_code or ExitCode.PASSED])
    lines = [*_head(judged, found, code), *_causes(root, troubles(judged)), *_places(root)]
    return REDACTOR.redact("\n".join(lines) + "\n")


def print_summary(root: Path, *, exit_code: int | None = None, since: Collection[str] | None = None) -> None:
    """Print the summary of a run on standard output; see `summary`."""
    print(summary(root, exit_code=exit_code, since=since), end="", flush=True)


def _head(steps: list[Step], found: Verdict, code: ExitCode) -> Iterator[str]:
    name = title(steps) or "the run"
    if code == ExitCode.PASSED:
        yield f"{name} passed in {duration(elapsed(steps))}"
    else:
        yield f"{name} failed with exit code {int(code)} ({MEANINGS[code]}) after {duration(elapsed(steps))}"
    counted = [f"{found.counts[status]} {word(status)}" for status in Status if found.counts.get(status)]
    yield f"  steps: {', '.join(counted) or 'none was recorded'}"
    if found.running:
        cut = ", ".join(path_of(step) for step in found.running[:3])
        yield f"  without an end: {cut}" + (", …" if len(found.running) > 3 else "")  # noqa: PLR2004 - three are shown


def _causes(root: Path, found: list[Trouble]) -> Iterator[str]:
    if not found:
        return
    cause, origin = found[0].cause, found[0].origin
    yield f"  first cause: {cause.type} in {path_of(origin)}"
    lines = cause.message.splitlines()
    yield from (f"    {line}" for line in lines[:_LINES])
    if len(lines) > _LINES:
        yield f"    … {len(lines) - _LINES} more lines in {FAILURES}"
    if cause.hint:
        yield f"    hint: {first_line(cause.hint)}"
    for what, name in (("log", ANSIBLE_LOG), ("run it again", PYTHON_COMMAND)):
        if (root / origin.directory / name).is_file():
            yield f"    {what}: {root / origin.directory / name}"
    if len(found) > 1:
        yield f"  causes: {len(found)}, in their order in {FAILURES}"


def _places(root: Path) -> Iterator[str]:
    yield f"  artifacts: {root}"
    if (root / REPORT).is_file():
        yield f"  report: {(root / REPORT).absolute().as_uri()}"
