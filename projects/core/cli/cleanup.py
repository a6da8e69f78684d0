"""`run_toolbox.py runs cleanup DIR`: what a run that was killed could not do any more. Called by `runs`.

Its processes are ended, its post steps and the compensations of its roles are done, and FAILURES, JUnit, FINISHED and the
report are written from the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from projects.core.library import env, post
from projects.core.library.run import run_and_catch
from projects.core.library.session import run_session
from projects.core.record import compensations
from projects.core.record.compensations import Compensation
from projects.core.record.finish import finish, project_of
from projects.core.record.steps import FILE_NAME, read_conclusions, read_steps
from projects.core.report import write_report
from projects.core.values.errors import UsageError
from projects.core.values.outcomes import ExitCode


def cleanup(directory: Path) -> int:
    """Undo what a run that was killed has left behind.

    Args:
      directory: The run's artifact directory.

    Raises:
      UsageError: there is no run, or it still goes on.
    """
    root = directory.absolute()
    if not (root / FILE_NAME).is_file():
        raise UsageError(f"expected the artifact directory of a run, found no {FILE_NAME} in it", place=root)
    env.init(root, owned=False)
    was_killed = _was_killed(root)
    pending = compensations.pending(root)
    print(f"no process of the run is left; post steps that were not done: {len(pending)}")
    code = int(run_session(lambda: _do(pending), project="", report=False)) if pending else 0
    if was_killed:
        _conclude(root)
    return code


def _was_killed(root: Path) -> bool:
    """Return whether a process of the run has not come to its end; others of the same directory may have."""
    concluded = {step for conclusion in read_conclusions(root) for step in conclusion.steps}
    return any(step.parent is None and step.id not in concluded for step in read_steps(root))


def _do(pending: Sequence[Compensation]) -> None:
    error: Exception | None = None
    for each in pending:
        error = run_and_catch(error, post.do, each)
    if error:
        raise error


def _conclude(root: Path) -> None:
    """Write what the run itself did not come to."""
    code = finish(root, properties={"project": project_of(read_steps(root))}, exit_code=ExitCode.TEST_FAILED)
    write_report(root, exit_code=code)
    print(f"FAILURES, JUnit and the report are written: {root}")
