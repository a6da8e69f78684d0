"""The last lines of a run: how it went, why, where to look, how to go on. Printed by `main`, made from the record and its directory alone.

The last twelve lines tell all that a person needs to act; a cause with more to say, such as a configuration that tells all
its mistakes at once, stands above them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from projects.core.console.progress import first_line
from projects.core.record.again import resume_line
from projects.core.record.artifacts import ANSIBLE_LOG, path_of
from projects.core.record.bundles import bundle_of
from projects.core.record.durations import duration
from projects.core.record.failures import FAILURES
from projects.core.record.finish import elapsed, entrypoints, title
from projects.core.record.steps import Step, read_steps
from projects.core.record.verdict import MEANINGS, Trouble, Verdict, troubles, verdict, within
from projects.core.values.outcomes import ExitCode, Status, worst
from projects.core.values.redaction import REDACTOR
from projects.core.values.wording import in_words

REPORT = "report.html"
PYTHON_COMMAND = "_python.cmd"
INDEX = "INDEX"
LINES = 12
"""How many lines tell all that is needed."""

_LONGEST = 60
_SHOWN = 3


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
    causes = troubles(judged)
    killed = exit_code is None and bool(found.running)
    above = [*_head(judged, found, code, killed=killed), *_where(causes)]
    below = [*_help(root, causes, judged), *_places(root), *_resume(root, judged, found)]
    message = _message(causes)
    room = max(1, LINES - len(above) - len(below))
    lines = [*_in_full(causes, message, room), *above, *_shortened(message, room), *below]
    return REDACTOR.redact("\n".join(lines) + "\n")


def print_summary(root: Path, *, exit_code: int | None = None, since: Collection[str] | None = None) -> None:
    """Print the summary of a run on standard output; see `summary`."""
    print(summary(root, exit_code=exit_code, since=since), end="", flush=True)


def _head(steps: list[Step], found: Verdict, code: ExitCode, *, killed: bool) -> Iterator[str]:
    name = title(steps) or "the run"
    if code == ExitCode.PASSED and killed:
        yield f"{name} was killed after {duration(elapsed(steps))}, before anything had failed"
    elif code == ExitCode.PASSED:
        yield f"{name} passed in {duration(elapsed(steps))}"
    else:
        yield f"{name} failed with exit code {int(code)} ({MEANINGS[code]}) after {duration(elapsed(steps))}"
    counted = [f"{found.counts[status]} {in_words(status)}" for status in Status if found.counts.get(status)]
    cut = ", ".join(path_of(step) for step in found.running[:_SHOWN]) + (", …" if len(found.running) > _SHOWN else "")
    yield f"  steps: {', '.join(counted) or 'none was recorded'}" + (f"; without an end: {cut}" if cut else "")


def _where(causes: Sequence[Trouble]) -> Iterator[str]:
    if causes:
        others = f" (of {len(causes)} causes, in their order in {FAILURES})" if len(causes) > 1 else ""
        yield f"  first cause: {causes[0].cause.type} in {path_of(causes[0].origin)}{others}"


def _message(causes: Sequence[Trouble]) -> list[str]:
    return causes[0].cause.message.splitlines() if causes else []


def _in_full(causes: Sequence[Trouble], message: Sequence[str], room: int) -> Iterator[str]:
    """Yield a message that has no room among the last lines, to stand above them."""
    if len(message) <= room:
        return
    yield f"{causes[0].cause.type} in {path_of(causes[0].origin)}:"
    yield from (f"  {line}" for line in message[:_LONGEST])
    if len(message) > _LONGEST:
        yield f"  … {len(message) - _LONGEST} more lines in {FAILURES}"
    yield ""


def _shortened(message: Sequence[str], room: int) -> Iterator[str]:
    shown = message if len(message) <= room else message[: max(1, room - 1)]
    yield from (f"    {line}" for line in shown)
    if len(shown) < len(message) and room > 1:
        yield f"    … {len(message) - len(shown)} more lines above"


def _help(root: Path, causes: Sequence[Trouble], steps: Sequence[Step]) -> Iterator[str]:
    if not causes:
        return
    cause, origin = causes[0].cause, causes[0].origin
    directory = root / origin.directory
    if cause.hint:
        yield f"    hint: {first_line(cause.hint)}"
    bundle = bundle_of(directory)
    if bundle and bundle.telling:
        yield f"    last condition: {bundle.telling}"
    if bundle:
        yield f"    bundle: {bundle.path / INDEX}"
    elif (directory / ANSIBLE_LOG).is_file():
        yield f"    log: {directory / ANSIBLE_LOG}"
    if (directory / PYTHON_COMMAND).is_file():
        yield f"    run it again: {directory / PYTHON_COMMAND}"
    elif line := next((step.line for step in reversed(entrypoints(steps)) if step.line), ""):
        yield f"    run it again: {line}"


def _places(root: Path) -> Iterator[str]:
    yield f"  artifacts: {root}"
    if (root / REPORT).is_file():
        yield f"  report: {(root / REPORT).absolute().as_uri()}"


def _resume(root: Path, steps: Sequence[Step], found: Verdict) -> Iterator[str]:
    if line := resume_line(root, steps, found):
        yield "  to go on from here:"
        yield f"    {line}"
