"""A run beside an earlier one, as the page shows it: which steps differ, and which figures. Used by the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from projects.core.record.artifacts import path_of
from projects.core.record.comparison import Change, Comparison, Pair, compare
from projects.core.record.durations import duration
from projects.core.record.finish import elapsed
from projects.core.record.steps import Step, parse_time, read_steps
from projects.core.report import plots
from projects.core.report.kpis import Kpi, read_kpi_file
from projects.core.report.survey import survey
from projects.core.values.errors import UsageError
from projects.core.values.wording import in_words

_SHOWN = 40
_NOTABLE = 0.05
"""A figure that differs by less is the same: two runs never measure the same value twice."""
_WORDS = {Change.ONLY_A: "no longer run", Change.ONLY_B: "new"}

_Key = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that differs: what, how, and how it was in each run; `tone` says whether that is good or bad, when one knows."""

    name: str
    anchor: str
    word: str
    before: str
    after: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """The run beside the earlier one.

    Attributes:
      root: The earlier run's directory.
      when: When it began.
      before: How long it took.
      same_outcome: Whether all steps ended in the same way.
      steps: The steps that differ, without those that differ only by what is inside them.
      more: How many of them are not shown.
      figures: The KPIs that both have.
    """

    root: Path
    when: str
    before: float
    same_outcome: bool
    steps: Sequence[Difference]
    more: int
    figures: Sequence[Difference]


def compared(root: Path, steps: Sequence[Step], kpis: Iterable[Kpi], anchors: Mapping[str, str]) -> Compared:
    """Compare a run with an earlier one.

    Args:
      root: The earlier run's root.
      steps: The steps of the later one.
      kpis: What the later one measured.
      anchors: Where its steps stand on the page, by their ids.

    Raises:
      UsageError: there is no record of the earlier one.
    """
    earlier = read_steps(root)
    if not earlier:
        raise UsageError("expected the artifact directory of an earlier run, found no steps in it", place=root)
    comparison = compare(earlier, steps)
    differing = [_step(pair, anchors) for pair in _told(comparison)]
    return Compared(
        root,
        f"{parse_time(earlier[0].start):%Y-%m-%d %H:%M:%S} UTC",
        elapsed(earlier),
        comparison.same_outcome,
        differing[:_SHOWN],
        max(0, len(differing) - _SHOWN),
        _figures(_kpis_of(root), kpis),
    )


def _told(comparison: Comparison) -> list[Pair]:
    """Return the differences without those below a step that only one run has: that says it already."""
    one_sided: set[tuple[tuple[str, str, int], ...]] = set()
    found = []
    for pair in comparison.differences:
        alone = pair.change in _WORDS
        if alone:
            one_sided.add(pair.path)
            if pair.path[:-1] in one_sided:
                continue
        found.append(pair)
    return found


def _step(pair: Pair, anchors: Mapping[str, str]) -> Difference:
    change = pair.change
    word = _WORDS.get(change, str(change))
    if pair.ratio is not None and change in (Change.SLOWER, Change.FASTER):
        word = f"{max(pair.ratio, 1 / pair.ratio):.1f} times {word.replace('slower', 'as long').replace('faster', 'as fast')}"
    tone = {Change.SLOWER: "worse", Change.FASTER: "better"}.get(change, "")
    return Difference(path_of(pair.step), anchors.get(pair.step.id, ""), word, _told_of(pair.a), _told_of(pair.b), tone)


def _told_of(step: Step | None) -> str:
    return f"{in_words(step.status)} {duration(step.duration)}".strip() if step else "–"  # noqa: RUF001


def _kpis_of(root: Path) -> list[Kpi]:
    found: list[Kpi] = []
    for path in survey(root).kpi_files:
        try:
            found += read_kpi_file(path)
        except UsageError:
            continue  # the earlier run's own report says so
    return found


def _figures(before: Iterable[Kpi], after: Iterable[Kpi]) -> list[Difference]:
    known = _unambiguous(before)
    return [_figure(known[key], kpi) for key, kpi in _unambiguous(after).items() if key in known]


def _unambiguous(kpis: Iterable[Kpi]) -> dict[_Key, Kpi]:
    """Return the KPIs by what names them, without those that several share."""
    found: dict[_Key, list[Kpi]] = {}
    for kpi in kpis:
        found.setdefault((kpi.name, kpi.unit, tuple(sorted(kpi.labels.items()))), []).append(kpi)
    return {key: each[0] for key, each in found.items() if len(each) == 1}


def _figure(before: Kpi, after: Kpi) -> Difference:
    labels = plots.labels_of(after)
    share = (after.value - before.value) / abs(before.value) if before.value else 0.0
    tone = ""
    if after.better != "none" and abs(share) >= _NOTABLE:
        tone = "better" if (share > 0) == (after.better == "higher") else "worse"
    word = f"{share:+.0%}" if abs(share) >= _NOTABLE else "same" if before.value == after.value else "about the same"
    told = [f"{plots.number(kpi.value)} {kpi.unit}".strip() for kpi in (before, after)]
    return Difference(f"{after.name} {labels}".strip(), "", word, told[0], told[1], tone)
