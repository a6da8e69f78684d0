"""The steps as the time line and the table show them. Used by the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from projects.core.record.artifacts import ANSIBLE_LOG, path_of
from projects.core.record.attempts import StepPath, paths, superseded
from projects.core.record.flakes import Flake
from projects.core.record.steps import Step
from projects.core.record.verdict import ancestors
from projects.core.report.survey import Link, link_to
from projects.core.report.timeline import Bar, Timeline
from projects.core.values.wording import in_words

LABELLED_LANES = 40
_LABELLED = 0.04  # of the width; a label in less is cut to a letter


CUT_OFF = "cut_off"
"""How a step looks that has no end and does not run any more."""


@dataclass(frozen=True, slots=True)
class Row:
    """A step as the time line and the table show it.

    Attributes:
      notes: What is to be said beside the outcome: which attempt it is, whether it is a flake.
      before: The row of the step whose work it reuses, as a link; empty when it did its own, or when that row is not there.
      critical: Whether the run's duration depended on it.
    """

    anchor: str
    number: str
    name: str
    kind: str
    status: str
    word: str
    notes: Sequence[str]
    before: str
    path: str
    bar: Bar
    link: Link | None
    log: Link | None
    left: str
    width: str
    label: str
    cause: str
    critical: bool
    replaced: bool

    @property
    def classes(self) -> str:
        """What decides the looks of its bar."""
        chosen = {"around": bool(self.bar.inner), "on": self.critical, "replaced": self.replaced}
        return " ".join([self.status, *(name for name, is_so in chosen.items() if is_so)])


class Rows:
    """Makes the rows of a run.

    Args:
      root: The run's root.
      line: Its time line.
      flakes: What failed in it and then passed.
      critical: The ids of the steps on the critical path.
      goes_on: Whether the run still does; what has no end was cut off otherwise.
    """

    def __init__(
        self, root: Path, line: Timeline, *, flakes: Sequence[Flake], critical: Collection[str], goes_on: bool = False
    ) -> None:
        steps = [bar.step for bar in line.bars]
        self.anchors = {step.id: f"s{index}" for index, step in enumerate(steps)}
        self._root = root
        self._line = line
        self._flakes = {flake.step.id for flake in flakes}
        self._critical = critical
        self._paths = paths(steps)
        self._last_attempt: dict[StepPath, int] = {}
        for step in steps:
            path = self._paths[step.id]
            self._last_attempt[path] = max(step.attempt, self._last_attempt.get(path, 0))
        self._directories = {step.id: step.directory for step in steps}
        self._replaced = superseded(steps)
        self._cut = {step.id for step in steps if not step.end and (step.id in self._replaced or not goes_on)}

    def all(self) -> list[Row]:
        """Return the rows in the order of the tree."""
        return [self._row(bar) for bar in self._line.bars]

    def _row(self, bar: Bar) -> Row:
        step = bar.step
        number = step.directory.rpartition("/")[2].partition("__")[0]
        around = self._directories.get(step.parent or "", ".")
        shared = step.directory == around or not number.isdigit()
        seen = self._line.lanes <= LABELLED_LANES and bar.end - bar.start >= _LABELLED * self._line.seconds
        return Row(
            anchor=self.anchors[step.id],
            number="" if shared else number,
            name=step.name,
            kind=step.kind,
            status=CUT_OFF if step.id in self._cut else str(step.status),
            word="cut off" if step.id in self._cut else _word(step),
            notes=self._notes(step),
            before=self.anchors.get(step.reuses, ""),
            path=path_of(step),
            bar=bar,
            link=None if step.directory == around else link_to(self._root, step.directory),
            log=link_to(self._root, f"{step.directory}/{ANSIBLE_LOG}", "log") if step.kind == "command" else None,
            left=self._line.percent(bar.start),
            width=self._line.percent(bar.end - bar.start),
            label=step.name if seen else "",
            cause=f"{step.cause.type}: {step.cause.message}" if step.cause and step.cause.step == step.id else "",
            critical=step.id in self._critical,
            replaced=step.id in self._replaced,
        )

    def _notes(self, step: Step) -> list[str]:
        last = self._last_attempt[self._paths[step.id]]
        notes = [f"attempt {step.attempt} of {last}"] if last > 1 and not step.reuses else []
        return notes + ["flake"] * (step.id in self._flakes)


def innermost(found: Sequence[Flake], steps: Sequence[Step]) -> list[Flake]:
    """Return the flakes without those that are flakes only because of a step inside."""
    by_id = {step.id: step for step in steps}
    around = {each.id for flake in found for each in ancestors(flake.step, by_id)}
    return [flake for flake in found if flake.step.id not in around]


def _word(step: Step) -> str:
    if step.reuses:
        return "done before"
    return in_words(step.status) + (" (tolerated)" if step.tolerated else "")
