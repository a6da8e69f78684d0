"""What a run measured, as the page shows it: the KPIs of each directory with their plots. Used by the page."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from projects.core.report import plots
from projects.core.report.kpis import Kpi, read_kpi_file
from projects.core.values.errors import UsageError


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
    kpis: Sequence[Kpi]
    shared: Mapping[str, str]
    figures: Sequence[Figure]


def figures(root: Path, files: Sequence[Path]) -> tuple[list[Measured], list[str]]:
    """Return the figures per directory, and what could not be read.

    Args:
      root: The run's root.
      files: The KPI files that lie below it.
    """
    found: list[Measured] = []
    unreadable: list[str] = []
    for path in files:
        try:
            kpis = read_kpi_file(path)
        except UsageError as error:
            unreadable.append(f"{path.relative_to(root)}: {error}")
        else:
            first = kpis[0].labels if len(kpis) > 1 else {}
            shared = {key: value for key, value in first.items() if all(kpi.labels.get(key) == value for kpi in kpis)}
            directory = path.parent.relative_to(root).as_posix()
            found.append(Measured(directory, kpis, shared, _figures_of(kpis, shared)))
    return found, unreadable


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
