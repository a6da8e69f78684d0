"""The line that goes on with a run that did not pass. Shown by the summary on the console, by `runs` and by the report."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from projects.core.record.finish import entrypoints
from projects.core.record.steps import Step
from projects.core.record.verdict import Verdict, within


def resume_line(root: Path, steps: Sequence[Step], found: Verdict) -> str:
    """Return the shell line that goes on with a run, empty when there is nothing to go on with.

    That is after a pass, for toolbox commands on their own, and when a run has ended before anything in it began, as one
    with a wrong configuration does.

    Args:
      root: The run's root.
      steps: Its steps, or those of one of its processes.
      found: The verdict on them.
    """
    last = next(reversed(entrypoints(steps)), None)
    if last is None or not last.line or (found.passed and not found.running):
        return ""
    if all(step.kind == "entrypoint" for step in within(steps, {last.id})):
        return ""
    return f"{last.line} --resume {shlex.quote(str(root))}"
