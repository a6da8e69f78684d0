"""One process's share of a run, from its console to its exit code. Used by `entrypoint.main`, by the CLI and by rehearsals.

Whatever happens to the work, what belongs to the end of a run is written from the record: FAILURES, JUnit, the
report, FINISHED; by the process that began the run, not by those that its steps have started.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from projects.core import console, tracing
from projects.core.console.summary import print_summary
from projects.core.execution import leftovers
from projects.core.execution.cancellation import CancelToken, scope
from projects.core.library import env
from projects.core.library.commands import HOST
from projects.core.library.interruption import Interruption, leave
from projects.core.library.options import RunOptions
from projects.core.library.scope import is_recorded
from projects.core.record import context
from projects.core.record.finish import mark_finished, write_results
from projects.core.record.scan import scan
from projects.core.record.steps import Cause, Conclusion, Step, new_id, read_steps, timestamp
from projects.core.record.verdict import verdict
from projects.core.values.errors import ForesailError, Stop, exit_code_of, explain
from projects.core.values.outcomes import ExitCode, Status, worst

logger = logging.getLogger(__name__)
_DEFAULTS = RunOptions()
_HURRIED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.TIMED_OUT)
_SCAN_S, _SCAN_HURRIED_S = 120.0, 2.0
"""Seconds that the search for secrets may take at the end of a run, and within the grace of one that was interrupted."""


def run_session(
    work: Callable[[], object],
    *,
    project: str,
    report: bool = True,
    whole: bool = False,
    options: RunOptions = _DEFAULTS,
) -> ExitCode:
    """Do some work as a run of its own, or as a part of the run that started this process.

    Args:
      work: What to do. What it raises is shown and decides the exit code; so does an int that it returns.
      project: The project's name, for the JUnit file.
      report: Whether a run of its own ends with a report.
      whole: Whether everything in the record is judged, also what other processes have begun.
      options: The time that it is given, what it goes on with, and where its trace goes.

    Returns:
      What the process should exit with: the worst of what was recorded here, raised and returned.

    Raises:
      UsageError: there can be no run in the artifact directory.
    """
    env.init(options.resume)
    end = _End(project, report=report, whole=whole)
    with console.install(), contextlib.ExitStack() as stack:
        console.configure_logging()
        stack.callback(context.here().record.listen(end.note))
        if tracing.is_on(options.trace):
            end.end_trace = tracing.start(context.here().record, file=options.trace)
        token = stack.enter_context(scope(CancelToken(), of_the_process=True))
        bounds = Interruption(token, grace=options.grace, timeout=options.timeout, last_words=end.write)
        stack.enter_context(bounds)
        with console.show_progress(context.here().record):
            code = guarded(work, bounds)
        code = end.write(worst([code, bounds.exit_code]))  # whatever the clean-up has raised after it
    if bounds.late:
        leave(code)
    return code


def guarded(work: Callable[[], object], bounds: Interruption) -> ExitCode:
    """Do some work; show what it raises, and return what it says of the outcome beside what it has recorded."""
    try:
        try:
            returned = work()
        finally:
            try:
                HOST.stop()
                if bounds.error is not None:
                    leftovers.end_all(leftovers.OWNER, leftovers.owner())
            finally:
                bounds.work_is_over()
    except SystemExit as error:
        return code_of(error.code)
    except BaseException as error:  # noqa: BLE001 - the end of the line
        _show(error)
        return exit_code_of(error)
    return code_of(returned if isinstance(returned, int) else 0)


def code_of(value: object) -> ExitCode:
    """Return the exit code that a returned or exited value stands for: one of the table, else a failed test when it is true."""
    if isinstance(value, int) and not isinstance(value, bool):
        return worst([value])
    return ExitCode.TEST_FAILED if value else ExitCode.PASSED


class _End:
    """What belongs to the end of a run, written once: by the main thread, or by the one that watches over its time.

    Args:
      project: The project's name.
      report: Whether there is a report.
      whole: Whether everything in the record is judged.

    Attributes:
      end_trace: Ends the run's trace, when there is one.
    """

    def __init__(self, project: str, *, report: bool, whole: bool) -> None:
        self._place = context.here()
        self._owns = env.owns_run()
        self._project = project
        self._report = report
        self._whole = whole
        self._started: list[str] = []
        self._lock = threading.Lock()
        self._code: ExitCode | None = None
        self.end_trace: Callable[[], None] = lambda: None

    def note(self, step: Step) -> None:
        """Remember the outermost steps of this process."""
        if step.parent == self._place.step and step.id not in self._started:
            self._started.append(step.id)

    def write(self, code: ExitCode) -> ExitCode:
        """Write it all; return what the process should exit with."""
        with self._lock:
            if self._code is None:
                self._code = self._conclude(code)
            return self._code

    def _conclude(self, code: ExitCode) -> ExitCode:
        root, record = self._place.record.root, self._place.record
        since = None if self._whole else self._started
        if not self._owns:
            self.end_trace()
            record.close()
            own = [verdict(read_steps(root), since=since).exit_code] if self._started else []
            return worst([code, *own])
        try:
            code = self._results(code, since)
            if self._leaked(code):
                code = self._results(code, since)
            outermost = [step.id for step in read_steps(root) if step.parent is None] if self._whole else self._started
            record.conclude(Conclusion(int(code), tuple(outermost), timestamp()))
            mark_finished(root, code, since=since)
        except OSError:
            # A full disk must not keep the summary from telling why the run failed.
            logger.exception("what belongs to the end of the run could not be written to %s", root)
            code = worst([code, verdict(read_steps(root), since=since).exit_code, ExitCode.TEST_FAILED])
        self.end_trace()
        record.close()
        print_summary(root, exit_code=code, since=since)
        return code

    def _results(self, code: ExitCode, since: Sequence[str] | None) -> ExitCode:
        root = self._place.record.root
        code = write_results(root, properties={"project": self._project}, exit_code=code, since=since)
        if self._report:
            _write_report(root, code)
        return code

    def _leaked(self, code: ExitCode) -> bool:
        """Search everything that the run has written for secrets; record what was found as a step that failed."""
        found = scan(self._place.record.root, seconds=_SCAN_HURRIED_S if code in _HURRIED else _SCAN_S)
        for each in found.unread:
            logger.warning("not searched for secrets: %s", each)
        error = found.error()
        if error is None:
            return False
        step = Step(new_id(), self._place.step, "scan", "secrets", ".")
        self._place.record.start(step)
        step.details = {"files": [leak.file for leak in found.leaks], "quarantine": str(found.quarantine or "")}
        cause = Cause(type(error).__name__, error.message, step.id, int(error.exit_code), error.hint)
        self._place.record.end(step, Status.FAILED, cause)
        return True


def _write_report(root: Path, code: ExitCode) -> None:
    from projects.core.report import write_report  # noqa: PLC0415 - templates and plots are needed at the end only

    try:
        write_report(root, exit_code=code)
    except Exception:
        # A report that cannot be written must not hide what it would report.
        logger.exception("the report could not be written; the record is in %s", root)


def _show(error: BaseException) -> None:
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    for each in members:
        if isinstance(each, BaseExceptionGroup):
            _show(each)
        elif isinstance(each, ForesailError | Stop | KeyboardInterrupt):
            if not is_recorded(each):  # the summary tells what the record holds
                print(explain(each), file=sys.stderr)
        else:
            # Not an error of ours: where it was raised is what its author needs.
            print("".join(traceback.format_exception(each)), file=sys.stderr, end="")
