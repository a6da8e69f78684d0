"""`runs compare`: two runs beside each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from projects.core.cli.runs.headings import moment, state_part, word_of
from projects.core.console.paper import STYLES, Paper
from projects.core.record.artifacts import path_of
from projects.core.record.attempts import StepPath
from projects.core.record.comparison import Change, Comparison, Pair
from projects.core.record.comparison import compare as compare_steps
from projects.core.record.durations import duration
from projects.core.record.standing import Run, read_run
from projects.core.record.steps import timestamp

_STYLES = {Change.ONLY_A: "yellow", Change.ONLY_B: "yellow", Change.SLOWER: "red", Change.FASTER: "green"}


def compare(a: Path, b: Path) -> int:
    """Compare two runs step by step: what only one of them has, what ended otherwise, what took longer or less.

    Exits with 0 when the outcome is the same, and with 1 when it differs; durations do not count in that.

    Args:
      a: Artifact directory of the first run.
      b: Artifact directory of the second one.
    """
    runs = read_run(a.absolute()), read_run(b.absolute())
    paper = Paper()
    for letter, run in zip("AB", runs, strict=True):
        _say_run(paper, letter, run)
    found = compare_steps(runs[0].steps, runs[1].steps)
    rows = list(_rows(found, runs))
    if rows:
        print()
    width = max((len(word) for word, _, _ in rows), default=0)
    for word, style, what in rows:
        paper.line((word.ljust(width), style), f"  {what}")
    print()
    same = found.same_outcome and runs[0].exit_code == runs[1].exit_code
    paper.line(_conclusion(found, same=same))
    return 0 if same else 1


def _say_run(paper: Paper, letter: str, run: Run) -> None:
    took = duration(run.seconds(timestamp()))
    paper.line((f"{letter}  ", "bold"), state_part(run), f"  {took}  {run.name}  {moment(run.start)}")
    paper.line(str(run.root), indent=3)


def _rows(found: Comparison, runs: Sequence[Run]) -> Iterator[tuple[str, str, str]]:
    """Yield a word, its style and what it is about for each difference; what stands inside another one is indented."""
    alone = {pair.path for pair in found.pairs if pair.change in (Change.ONLY_A, Change.ONLY_B)}
    for pair in found.differences:
        if pair.path in alone:
            yield str(pair.change), _STYLES[pair.change], _indented(pair, alone)
        elif pair.change is Change.STATUS:
            yield _status_change(pair, runs), STYLES.get(pair.step.status, ""), path_of(pair.step)
        elif pair.a and pair.b:
            factor = f"{pair.ratio:.1f} times as long, " if pair.ratio else ""
            took = f"  ({factor}{duration(pair.a.duration)} → {duration(pair.b.duration)})"
            yield str(pair.change), _STYLES[pair.change], path_of(pair.step) + took


def _indented(pair: Pair, alone: Collection[StepPath]) -> str:
    """Return what a step that only one run has is called, inside those around it that only that run has, too."""
    depth = sum(1 for length in range(1, len(pair.path)) if pair.path[:length] in alone)
    return "  " * depth + (path_of(pair.step) if not depth else pair.step.name)


def _status_change(pair: Pair, runs: Sequence[Run]) -> str:
    before, after = (
        word_of(step.status, alive=run.alive) if step else "" for step, run in zip((pair.a, pair.b), runs, strict=True)
    )
    return f"{before} → {after}"


def _conclusion(found: Comparison, *, same: bool) -> str:
    if same:
        return f"the outcome is the same in {len(found.pairs)} steps"
    return f"the outcome differs; {len(found.pairs) - len(found.differences)} of {len(found.pairs)} steps are alike"
