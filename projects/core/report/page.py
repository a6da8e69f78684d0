"""The page: everything that the report says, gathered from the record and the survey, rendered by one template.

The template decides what it looks like; this module decides what is said. Each text passes the redactor on its
way into the page, and is escaped by Jinja.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from projects.core.record.artifacts import ANSIBLE_LOG, clean, path_of
from projects.core.record.durations import duration
from projects.core.record.failures import FAILURE, origin_lines
from projects.core.record.finish import entrypoints, project_of, title
from projects.core.record.steps import Step, parse_time, read_steps
from projects.core.record.verdict import MEANINGS, Trouble, troubles, verdict
from projects.core.report import plots
from projects.core.report.kpis import Kpi, read_kpi_file
from projects.core.report.survey import Link, Survey, link_to, survey
from projects.core.report.timeline import Bar, Timeline, tick, timeline
from projects.core.values.errors import UsageError
from projects.core.values.outcomes import ExitCode, Status, worst

_PYTHON_COMMAND = "_python.cmd"
_OPEN_ROWS = 60  # a longer table of steps starts closed
_LABELLED_LANES = 40
_LABELLED = 0.04  # of the width; a label in less is cut to a letter
_LINES = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A step as the time line and the table show it."""

    anchor: str
    number: str
    name: str
    kind: str
    status: str
    word: str
    path: str
    bar: Bar
    link: Link | None
    log: Link | None
    left: str
    width: str
    label: str
    cause: str

    @property
    def classes(self) -> str:
        """What decides the colour of its bar."""
        return f"around {self.status}" if self.bar.inner else self.status


@dataclass(frozen=True, slots=True)
class Failure:
    """A distinct cause as the page shows it."""

    trouble: Trouble
    place: str
    anchor: str
    links: Sequence[Link]
    lines: str
    also: Sequence[str]
    cancelled: Sequence[str]


@dataclass(frozen=True, slots=True)
class Figure:
    """One KPI, or several of the same name that differ by their labels, with the plot."""

    kpi: Kpi
    values: Sequence[tuple[str, str]]
    spread: Sequence[tuple[str, str]]
    plot: Markup | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What one directory's KPI file holds; `shared` are the labels that all its KPIs have."""

    directory: str
    shared: Mapping[str, str]
    figures: Sequence[Figure]


def render(root: Path, *, exit_code: int | None = None) -> str:
    """Return the report of a run as HTML.

    Args:
      root: The run's root.
      exit_code: What the process ends with, when that is not what the record says.
    """
    steps = read_steps(root)
    found = survey(root)
    judged = verdict(steps)
    code = worst([judged.exit_code, exit_code or ExitCode.PASSED])
    line = timeline(steps)
    outer = {step.id for step in entrypoints(steps)}
    anchors = {bar.step.id: f"s{index}" for index, bar in enumerate(line.bars)}
    rows = [_row(root, line, bar, anchors[bar.step.id]) for bar in line.bars]
    figures, unreadable = _figures(root, found)
    return _template().render(
        word=_verdict_word(code, judged.running),
        code=int(code),
        meaning=MEANINGS[code],
        counts=[(status, judged.counts[status]) for status in Status if judged.counts.get(status)],
        running=judged.running,
        project=project_of(steps),
        title=title(steps),
        entrypoints=[row for row in rows if row.bar.step.id in outer],
        begin=parse_time(steps[0].start) if steps else None,
        seconds=line.seconds if steps else 0.0,
        timeline=line,
        lane_height=_lane_height(line.lanes),
        labelled=line.lanes <= _LABELLED_LANES,
        rows=rows,
        open_rows=len(steps) <= _OPEN_ROWS,
        failures=[_failure(root, trouble, anchors) for trouble in troubles(steps)],
        figures=figures,
        unreadable=unreadable,
        survey=found,
        root=root,
    )


def _verdict_word(code: ExitCode, running: Sequence[Step]) -> str:
    if code == ExitCode.PASSED:
        return str(Status.RUNNING if running else Status.PASSED)
    return str(Status.FAILED)


def _lane_height(lanes: int) -> int:
    """Return how many pixels high a lane is: with a label while there are few, a line when there are hundreds."""
    return 22 if lanes <= _LABELLED_LANES else max(3, min(12, 900 // lanes))


def _row(root: Path, line: Timeline, bar: Bar, anchor: str) -> Row:
    step = bar.step
    own = step.directory.rpartition("/")[2]
    number, _, name = own.partition("__")
    shared = step.kind in ("branch", "entrypoint") or not number.isdigit()
    name = step.name if shared or step.kind == "command" else name
    link = None if step.kind == "branch" or step.directory == "." else link_to(root, step.directory)
    return Row(
        anchor=anchor,
        number="" if shared else number,
        name=name,
        kind=step.kind,
        status=str(step.status),
        word=step.status.replace("_", " ") + (" (tolerated)" if step.tolerated else ""),
        path=path_of(step),
        bar=bar,
        link=link,
        log=link_to(root, f"{step.directory}/{ANSIBLE_LOG}", "log") if step.kind == "command" else None,
        left=line.percent(bar.start),
        width=line.percent(bar.end - bar.start),
        label=name if line.lanes <= _LABELLED_LANES and bar.end - bar.start >= _LABELLED * line.seconds else "",
        cause=f"{step.cause.type}: {step.cause.message}" if step.cause and step.cause.step == step.id else "",
    )


def _failure(root: Path, trouble: Trouble, anchors: Mapping[str, str]) -> Failure:
    origin = trouble.origin
    names = [("", "directory"), (ANSIBLE_LOG, "log"), (FAILURE, "FAILURE"), (_PYTHON_COMMAND, "run it again")]
    links = [link_to(root, f"{origin.directory}/{name}".rstrip("/"), text) for name, text in names]
    place = path_of(origin)
    return Failure(
        trouble=trouble,
        place=place,
        anchor=anchors.get(origin.id, ""),
        links=[link for link in links if link],
        lines=origin_lines(root, origin, _LINES),
        also=list(dict.fromkeys(path_of(step) for step in trouble.failed if path_of(step) != place)),
        cancelled=list(dict.fromkeys(path_of(step) for step in trouble.cancelled)),
    )


def _figures(root: Path, found: Survey) -> tuple[list[Measured], list[str]]:
    """Return the figures per directory, and what could not be read."""
    figures: list[Measured] = []
    unreadable: list[str] = []
    for path in found.kpi_files:
        try:
            kpis = read_kpi_file(path)
        except UsageError as error:
            unreadable.append(f"{path.relative_to(root)}: {error}")
        else:
            first = kpis[0].labels if len(kpis) > 1 else {}
            shared = {key: value for key, value in first.items() if all(kpi.labels.get(key) == value for kpi in kpis)}
            figures.append(Measured(path.parent.relative_to(root).as_posix(), shared, _figures_of(kpis, shared)))
    return figures, unreadable


def _figures_of(kpis: Sequence[Kpi], shared: Mapping[str, str]) -> list[Figure]:
    found: list[Figure] = []
    for _, group in itertools.groupby(kpis, key=lambda kpi: (kpi.name, kpi.unit)):
        same = list(group)
        drawn = [plots.plot_of(kpi) for kpi in same]
        if len(same) > 1 and not any(drawn):
            values = [(plots.labels_of(kpi, shared=shared), plots.number(kpi.value)) for kpi in same]
            found.append(Figure(same[0], values, [], _svg(plots.comparison_of(same, shared=shared))))
        else:
            found += [_figure(kpi, plot, shared) for kpi, plot in zip(same, drawn, strict=True)]
    return found


def _figure(kpi: Kpi, plot: str | None, shared: Mapping[str, str]) -> Figure:
    spread = plots.spread_of(kpi.samples) if len(kpi.samples) > 1 else {}
    values = [(plots.labels_of(kpi, shared=shared), plots.number(kpi.value))]
    return Figure(
        kpi, values, [(name, plots.number(value)) for name, value in spread.items()], _svg(plot) if plot else None
    )


def _svg(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - pygal has escaped and the plots have redacted what is in it


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
