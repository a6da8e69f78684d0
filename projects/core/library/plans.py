"""`--plan` and `--check`: the entrypoint run with every side effect closed, and what came of it printed. Called by `entrypoint.main`."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from projects.core import console, planning
from projects.core.execution.cancellation import CancelToken, scope
from projects.core.library.directories import base_directory
from projects.core.library.interruption import Interruption
from projects.core.library.options import RunOptions
from projects.core.library.session import guarded
from projects.core.record import context
from projects.core.record.attempts import Attempts
from projects.core.record.steps import Record, read_steps
from projects.core.values.outcomes import ExitCode, worst


def plan_session(work: Callable[[], object], *, options: RunOptions) -> ExitCode:
    """Do some work as a plan, and print it.

    Args:
      work: What to plan.
      options: Whether the plan is printed as JSON, and whether the cluster is asked for what it needs.

    Returns:
      What the process should exit with; `ExitCode.INFRASTRUCTURE` when something that the plan needs is missing.
    """
    base = base_directory()
    with console.install(), standing_in_a_plan(options.resume) as root, contextlib.ExitStack() as stack:
        token = stack.enter_context(scope(CancelToken(), of_the_process=True))
        bounds = Interruption(token, grace=options.grace, timeout=options.timeout, last_words=lambda code: code)
        stack.enter_context(bounds)
        # What the orchestration prints is about a run that does not happen.
        with contextlib.redirect_stdout(io.StringIO()):
            code = guarded(planning.forgiving(work), bounds)
        sys.stdout.flush()
        planning.show(root, as_json=options.as_json, earlier_runs=base)
        if options.check:
            code = worst([code, planning.check(root, as_json=options.as_json)])
        return worst([code, bounds.exit_code])


@contextlib.contextmanager
def standing_in_a_plan(earlier: Path | None) -> Iterator[Path]:
    """Stand in the record of a plan, in a temporary directory, inside the block.

    Args:
      earlier: Artifact directory of the run that the plan is to go on with.
    """
    with tempfile.TemporaryDirectory(prefix="foresail-plan-") as name:
        root = Path(name)
        record = Record(root, planning=True)
        done = Attempts(read_steps(earlier), earlier) if earlier else Attempts()
        try:
            with context.standing(context.Place(record, root, earlier=done)):
                yield root
        finally:
            record.close()
