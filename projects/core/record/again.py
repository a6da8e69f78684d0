"""The line that goes on with a run that did not pass. Shown by the summary on the console and by the report."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from projects.core.record.steps import Step
from projects.core.record.verdict import FAILING
from projects.core.values.outcomes import Status

_FLAG = "--resume"
_OPEN = (*FAILING, Status.RUNNING, Status.CANCELLED)


def resume_line(root: Path, steps: Sequence[Step]) -> str | None:
    """Return the shell line that goes on where a run ended.

    Args:
      root: The run's artifact directory.
      steps: The steps that are meant.

    Returns:
      The line of the last outermost entrypoint that did not pass; None when all passed, or when what failed was not called by
      a line of its own.
    """
    called = [step for step in steps if step.kind == "entrypoint" and step.line]
    last = called[-1] if called else None
    if last is None or last.status not in _OPEN:
        return None
    words = shlex.split(last.line)
    if any(word.partition("=")[0] == _FLAG for word in words):
        return last.line
    return f"{last.line} {_FLAG} {shlex.quote(str(root))}"
