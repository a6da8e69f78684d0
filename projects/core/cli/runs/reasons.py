"""`runs why`: the chain from the failure of a run, or of a step, to its first cause, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from projects.core.cli.runs.headings import say_heading, style_of, word_of
from projects.core.console.paper import Paper
from projects.core.console.progress import first_line
from projects.core.console.summary import PYTHON_COMMAND
from projects.core.record.again import resume_line
from projects.core.record.artifacts import ANSIBLE_LOG, path_of
from projects.core.record.attempts import Attempts
from projects.core.record.bundles import bundle_of
from projects.core.record.durations import duration
from projects.core.record.failures import FAILURES, origin_lines
from projects.core.record.naming import find_step, own_name
from projects.core.record.standing import Run, State, read_run
from projects.core.record.steps import Step
from projects.core.record.verdict import FAILING, Trouble, ancestors, cancelled_by, cause_of, troubles, verdict, within
from projects.core.values.outcomes import Status

_LAST_LINES = 12
_LISTED = 8


def why(directory: Path, step: str | None = None) -> None:
    """Tell why a run failed: the steps from the failure to where it began, what happened there, and what that cancelled.

    Args:
      directory: Artifact directory of the run.
      step: A step of it, by its name or directory as `runs show` prints them: why that one failed, was cancelled, or was skipped.
    """
    run = read_run(directory.absolute())
    paper = Paper()
    if step is None:
        _say_why_of_run(paper, run)
    else:
        _say_why_of_step(paper, run, find_step(run.steps, step))


def _say_why_of_run(paper: Paper, run: Run) -> None:
    say_heading(paper, run)
    print()
    found = troubles(run.judged)
    if found:
        _say_trouble(paper, run, found[0])
        _say_others(paper, run, found[1:])
    elif run.state in (State.KILLED, State.RUNNING):
        _say_unfinished(paper, run)
    elif run.state is State.FAILED:
        paper.line("no step of the record failed; its last words are in run.log, when `testing/run` ran it")
    else:
        paper.line("it passed: there is nothing to explain")
    if not run.alive and (line := resume_line(run.root, run.judged, verdict(run.judged))):
        print()
        paper.line("to go on from here:")
        paper.verbatim(line, indent=2)


def _say_why_of_step(paper: Paper, run: Run, step: Step) -> None:
    word = word_of(step.status, alive=run.alive)
    paper.line(
        (path_of(step), "bold"), f"  ({step.kind} '{step.name}')  ", (word, style_of(step.status, alive=run.alive))
    )
    if step.status in FAILING:
        print()
        _say_trouble(paper, run, _trouble_of(run, step))
    elif step.status == Status.CANCELLED:
        reason = cancelled_by(troubles(run.steps)).get(step.id)
        paper.line(
            f"it was cancelled because {path_of(reason.origin)} failed:"
            if reason
            else "it was cancelled; the record does not say why",
            indent=2,
        )
        if reason:
            print()
            _say_trouble(paper, run, reason)
    elif step.status == Status.SKIPPED:
        paper.line(_skipped(run, step), indent=2)
    elif inner := troubles(within(run.steps, {step.id})):
        paper.line(f"in it, {path_of(inner[0].origin)} failed:", indent=2)
        print()
        _say_trouble(paper, run, inner[0])
    else:
        earlier = _failed_before(run, step)
        told = "" if earlier else ": there is nothing to explain"
        paper.line(f"it {_without_failure(run, step)}{told}", indent=2)
        for each in earlier:
            paper.line(f"but its attempt {each.attempt} had not: {path_of(each)}", indent=2)


def _failed_before(run: Run, step: Step) -> Sequence[Step]:
    attempts = Attempts(run.steps)
    return [
        each for each in attempts.of(attempts.path(step.id)) if each.status in FAILING and each.attempt < step.attempt
    ]


def _trouble_of(run: Run, step: Step) -> Trouble:
    """Return the trouble that a failed step carries, also when its failure does not count in the run's outcome."""
    cause = cause_of(step)
    known = next((each for each in troubles(run.steps) if each.cause == cause), None)
    origin = next((each for each in run.steps if each.id == cause.step), step)
    return known or Trouble(cause, origin, [step] if step is not origin else [])


def _say_trouble(paper: Paper, run: Run, trouble: Trouble) -> None:
    by_id = {step.id: step for step in run.steps}
    for depth, step in enumerate([*reversed(list(ancestors(trouble.origin, by_id))), trouble.origin]):
        word, style = word_of(step.status, alive=run.alive), style_of(step.status, alive=run.alive)
        name = own_name(step, by_id.get(step.parent or ""))
        paper.line((word.ljust(12), style), "  " * depth, name, (f"  {duration(step.duration)}", "dim"))
    cause = trouble.cause
    print()
    paper.text(f"{cause.type}: {cause.message}", indent=2, style="bold")
    if cause.hint:
        paper.text(f"hint: {cause.hint}", indent=2)
    if said := origin_lines(run.root, trouble.origin, _LAST_LINES):
        paper.line("its last lines:", indent=2)
        paper.verbatim(said, indent=4)
    _say_cancelled(paper, trouble.cancelled)
    _say_places(paper, run, trouble.origin)


def _say_cancelled(paper: Paper, cancelled: Sequence[Step]) -> None:
    places = list(dict.fromkeys(path_of(step) for step in cancelled))
    if places:
        paper.line("cancelled because of it:", indent=2)
        for place in places[:_LISTED]:
            paper.line(place, indent=4)
        if len(places) > _LISTED:
            paper.line(f"and {len(places) - _LISTED} more", indent=4)


def _say_places(paper: Paper, run: Run, origin: Step) -> None:
    directory = run.root / origin.directory
    bundle = bundle_of(directory)
    if bundle and bundle.telling:
        paper.text(f"last condition: {bundle.telling}", indent=2)
    places = [("directory", directory), ("log", directory / ANSIBLE_LOG), ("run it again", directory / PYTHON_COMMAND)]
    places += [("bundle", bundle.path)] if bundle else []
    for what, path in places:
        if path.exists():
            paper.text(f"{what}: {path}", indent=2)


def _say_others(paper: Paper, run: Run, others: Sequence[Trouble]) -> None:
    if not others:
        return
    print()
    paper.line(
        "1 more cause:" if len(others) == 1 else f"{len(others)} more causes, in the order in which they happened:"
    )
    for each in others[:_LISTED]:
        paper.line(f"{path_of(each.origin)}: {each.cause.type}: {first_line(each.cause.message)}", indent=2)
    if (run.root / FAILURES).is_file():
        paper.text(f"all of them: {run.root / FAILURES}", indent=2)


def _say_unfinished(paper: Paper, run: Run) -> None:
    """Tell what a run does, or was doing when it was killed: the steps without an end that have none inside."""
    running = verdict(run.steps).running
    around = {step.parent for step in running}
    innermost = [step for step in running if step.id not in around]
    paper.line(
        "nothing has failed so far; it is in:" if run.alive else "nothing had failed; it was killed while it was in:"
    )
    for step in innermost[:_LISTED] or []:
        paper.line(f"{path_of(step)}  ({step.kind} '{step.name}')", indent=2)
    if not innermost:
        paper.line("no step: between two of them, or at its end", indent=2)


def _skipped(run: Run, step: Step) -> str:
    done = next((each for each in run.steps if each.id == step.reuses), None)
    if done:
        reason = f" ({step.cause.message})" if step.cause else ""
        return f"it was skipped: {path_of(done)} had done it{reason}"
    said = step.cause.message if step.cause else "the file SKIPPED in its directory says why"
    return f"it was skipped: {said}"


def _without_failure(run: Run, step: Step) -> str:
    if step.status != Status.RUNNING:
        return "passed"
    return "goes on" if run.alive else "was cut off by a kill"
