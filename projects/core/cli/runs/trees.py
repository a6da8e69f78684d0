"""`runs show`: the steps of a run as a tree."""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from projects.core.cli.runs.headings import say_heading, style_of, word_of
from projects.core.console.paper import Paper
from projects.core.console.progress import first_line
from projects.core.record.artifacts import path_of
from projects.core.record.attempts import superseded
from projects.core.record.durations import duration
from projects.core.record.naming import own_name
from projects.core.record.standing import Run, read_run
from projects.core.record.steps import Step, parse_time, redacted, timestamp
from projects.core.record.verdict import Trouble, cancelled_by, troubles
from projects.core.report.timeline import ends_of_the_open
from projects.core.values.outcomes import Status

_STATUS = 11
_DURATION = 7


def show(directory: Path, *, arguments: bool = False, json: bool = False) -> None:
    """Show the steps of a run: how each stands, how long it took, what it is called, and why it did not pass.

    A step can be named elsewhere by what is shown here, such as in `runs why DIR STEP`.

    Args:
      directory: Artifact directory of the run.
      arguments: Show what each step was given, too.
      json: Print it all as a JSON document.
    """
    run = read_run(directory.absolute())
    if json:
        print(json_text.dumps(redacted(_document(run)), ensure_ascii=False, indent=1))
        return
    paper = Paper()
    say_heading(paper, run)
    if not run.steps:
        return
    print()
    tree = _Tree(run)
    for step in tree.in_order:
        _say_step(paper, tree, step)
        if arguments:
            for name, value in step.arguments.items():
                paper.line(
                    (f"{name}: {_shown(value)}", "dim"), indent=_STATUS + _DURATION + 4 + 2 * tree.depths[step.id]
                )


@dataclass(frozen=True)
class _Tree:
    """The steps of a run with what is known of each from the others."""

    run: Run

    @cached_property
    def by_id(self) -> Mapping[str, Step]:
        return {step.id: step for step in self.run.steps}

    @cached_property
    def in_order(self) -> list[Step]:
        """Each step before those inside it, which stand in the order in which they began."""
        inner: dict[str | None, list[Step]] = {}
        for step in self.run.steps:
            inner.setdefault(step.parent if step.parent in self.by_id else None, []).append(step)
        found, waiting = [], list(reversed(inner.get(None, [])))
        while waiting:
            found.append(step := waiting.pop())
            waiting.extend(reversed(inner.get(step.id, ())))
        return found

    @cached_property
    def depths(self) -> Mapping[str, int]:
        depths: dict[str, int] = {}
        for step in self.run.steps:
            depths[step.id] = depths.get(step.parent or "", -1) + 1
        return depths

    @cached_property
    def replaced(self) -> set[str]:
        return superseded(self.run.steps)

    @cached_property
    def cancelled(self) -> Mapping[str, Trouble]:
        return cancelled_by(troubles(self.run.steps))

    @cached_property
    def ends(self) -> Mapping[str, str]:
        """Until when the steps without an end have run; of a run that goes on, until now, but for those of earlier attempts."""
        ends = ends_of_the_open(self.run.steps)
        return {each: ends[each] if each in self.replaced or not self.run.alive else timestamp() for each in ends}


def _say_step(paper: Paper, tree: _Tree, step: Step) -> None:
    alive = tree.run.alive
    seconds = (parse_time(step.end or tree.ends[step.id]) - parse_time(step.start)).total_seconds()
    style = "dim" if step.id in tree.replaced else style_of(step.status, alive=alive)
    notes = "".join(f"  ({note})" for note in _notes(tree, step))
    paper.line(
        (word_of(step.status, alive=alive).ljust(_STATUS), style),
        duration(max(seconds, 0)).rjust(_DURATION),
        "  " + "  " * tree.depths[step.id],
        own_name(step, tree.by_id.get(step.parent or "")),
        (notes, "dim"),
    )
    if because := _cause(tree, step):
        paper.line((because, style), indent=_STATUS + _DURATION + 4 + 2 * tree.depths[step.id])


def _notes(tree: _Tree, step: Step) -> list[str]:
    notes = [f"attempt {step.attempt}"] * (step.attempt > 1)
    notes += ["a later attempt took its place"] * (step.id in tree.replaced and step.parent not in tree.replaced)
    if step.reuses:
        done = tree.by_id.get(step.reuses)
        notes.append(f"done before{f' in {path_of(done)}' if done and done.directory != step.directory else ''}")
    return notes + ["may fail"] * step.tolerated


def _cause(tree: _Tree, step: Step) -> str:
    """Return why a step did not pass, in a line, where that began; the steps around it need not say it again."""
    if trouble := tree.cancelled.get(step.id):
        return "" if step.parent in tree.cancelled else f"because {path_of(trouble.origin)} failed"
    if step.cause is None or step.reuses or step.status == Status.CANCELLED:
        return ""
    if step.cause.step != step.id and step.cause.step in tree.by_id:
        return ""
    return f"{step.cause.type}: {first_line(step.cause.message)}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json_text.dumps(value, ensure_ascii=False)


def _document(run: Run) -> dict[str, Any]:
    return {
        "directory": str(run.root),
        "project": run.project,
        "entrypoints": list(run.entrypoints),
        "state": str(run.state),
        "exit_code": None if run.conclusion is None or run.alive else int(run.exit_code),
        "start": run.start,
        "seconds": round(run.seconds(timestamp()), 6),
        "steps": [{**asdict(step), "duration": step.duration} for step in run.steps],
    }
