"""The page: everything that the report says, gathered from the record and the survey, rendered by one template.

The template decides what it looks like; this module decides what is said. Each text passes the redactor on its
way into the page, and is escaped by Jinja.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from projects.core.record.again import resume_line
from projects.core.record.artifacts import ANSIBLE_LOG, clean, path_of
from projects.core.record.bundles import bundle_of
from projects.core.record.durations import duration
from projects.core.record.failures import FAILURE, origin_lines
from projects.core.record.finish import entrypoints, project_of, title
from projects.core.record.flakes import flakes
from projects.core.record.standing import is_alive
from projects.core.record.steps import Step, parse_time, read_steps
from projects.core.record.verdict import MEANINGS, Trouble, Verdict, troubles, verdict
from projects.core.report.compared import Compared, compared
from projects.core.report.critical import critical_path
from projects.core.report.figures import figures
from projects.core.report.kpis import Kpi
from projects.core.report.rows import CUT_OFF, LABELLED_LANES, Rows, innermost
from projects.core.report.survey import Link, link_to, survey
from projects.core.report.timeline import tick, timeline
from projects.core.report.waits import waits
from projects.core.values.outcomes import ExitCode, Status, worst
from projects.core.values.wording import in_words

_PYTHON_COMMAND = "_python.cmd"
_OPEN_ROWS = 60  # a longer table of steps starts closed
_LINES = 30
_LONGEST = 8
"""Links of the critical path that are told."""
_WAITS = 12
_MOMENT_S = 0.05
"""A shorter wait was none: what was waited for was there already."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A distinct cause as the page shows it.

    Attributes:
      telling: How the object stood that tells most of why; empty when there is no bundle that says it.
    """

    trouble: Trouble
    place: str
    anchor: str
    links: Sequence[Link]
    telling: str
    lines: str
    also: Sequence[str]
    cancelled: Sequence[str]


def render(root: Path, *, exit_code: int | None = None, compare_with: Path | None = None) -> str:
    """Return the report of a run as HTML.

    Args:
      root: The run's root.
      exit_code: What the process ends with, when that is not what the record says.
      compare_with: The root of an earlier run, when it is to be compared with that.

    Raises:
      UsageError: there is no earlier run to compare it with.
    """
    steps = read_steps(root)
    found = survey(root)
    judged = verdict(steps)
    code = worst([judged.exit_code, exit_code or ExitCode.PASSED])
    goes_on = exit_code is None and is_alive(root)
    line = timeline(steps)
    critical = critical_path(line.bars)
    unsteady = innermost(flakes(root, steps), steps)
    rows = Rows(root, line, flakes=unsteady, critical=critical.steps, goes_on=goes_on)
    shown = rows.all()
    outer = {step.id for step in entrypoints(steps)}
    measured, unreadable = figures(root, found.kpi_files)
    waited = [wait for wait in waits(root, steps) if wait.seconds >= _MOMENT_S]
    kpis = [kpi for group in measured for kpi in group.kpis]
    return _template().render(
        word=_verdict_word(code, judged.running, goes_on=goes_on),
        code=int(code),
        meaning=MEANINGS[code],
        counts=_counts(judged, goes_on=goes_on),
        running=[path_of(step) for step in judged.running],
        goes_on=goes_on,
        again=resume_line(root, steps, judged),
        flakes=unsteady,
        project=project_of(steps),
        title=title(steps),
        entrypoints=[row for row in shown if row.bar.step.id in outer],
        begin=parse_time(steps[0].start) if steps else None,
        seconds=line.seconds if steps else 0.0,
        timeline=line,
        lane_height=_lane_height(line.lanes),
        labelled=line.lanes <= LABELLED_LANES,
        critical=critical,
        longest=critical.longest(_LONGEST),
        anchors=rows.anchors,
        waits=waited[:_WAITS],
        all_waits=waited,
        rows=shown,
        open_rows=len(steps) <= _OPEN_ROWS,
        failures=[_failure(root, trouble, rows.anchors) for trouble in troubles(steps)],
        figures=measured,
        unreadable=unreadable,
        compared=_compared(compare_with, steps, kpis, rows.anchors),
        survey=found,
        root=root,
    )


def _compared(
    root: Path | None, steps: Sequence[Step], kpis: Sequence[Kpi], anchors: Mapping[str, str]
) -> Compared | None:
    return compared(root, steps, kpis, anchors) if root else None


def _verdict_word(code: ExitCode, running: Sequence[Step], *, goes_on: bool) -> str:
    if code != ExitCode.PASSED:
        return str(Status.FAILED)
    if running:
        return str(Status.RUNNING) if goes_on else "killed"
    return str(Status.PASSED)


def _counts(judged: Verdict, *, goes_on: bool) -> list[tuple[str, str, int]]:
    """Return by which looks, by which words and how often each outcome is told; what has no end runs, or was cut off."""
    open_ = len(judged.running) if goes_on else 0
    told: list[tuple[str, str, int]] = []
    for status in Status:
        count = judged.counts.get(status, 0)
        if status == Status.RUNNING:
            told += [(str(status), str(status), open_), (CUT_OFF, "cut off", count - open_)]
        else:
            told.append((str(status), in_words(status), count))
    return [each for each in told if each[2]]


def _lane_height(lanes: int) -> int:
    """Return how many pixels high a lane is: with a label while there are few, a line when there are hundreds."""
    return 22 if lanes <= LABELLED_LANES else max(3, min(12, 900 // lanes))


def _failure(root: Path, trouble: Trouble, anchors: Mapping[str, str]) -> Failure:
    origin = trouble.origin
    names = [("", "directory"), (ANSIBLE_LOG, "log"), (FAILURE, "FAILURE"), (_PYTHON_COMMAND, "run it again")]
    links = [link_to(root, f"{origin.directory}/{name}".rstrip("/"), text) for name, text in names]
    place = path_of(origin)
    bundle = bundle_of(root / origin.directory)
    if bundle and bundle.path.is_relative_to(root.resolve()):
        links.append(link_to(root, bundle.path.relative_to(root.resolve()).as_posix(), "what the cluster said"))
    return Failure(
        trouble=trouble,
        place=place,
        anchor=anchors.get(origin.id, ""),
        links=[link for link in links if link],
        telling=str(bundle.telling) if bundle and bundle.telling else "",
        lines=origin_lines(root, origin, _LINES),
        also=list(dict.fromkeys(path_of(step) for step in trouble.failed if path_of(step) != place)),
        cancelled=list(dict.fromkeys(path_of(step) for step in trouble.cancelled)),
    )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_redacted,
    )
    environment.filters |= {"duration": duration, "tick": tick}
    return environment.get_template("report.html.j2")


def _redacted(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
