"""One process's share of a run, from its console to its exit code. Used by `entrypoint.main`, by the CLI and by rehearsals.

Whatever happens to the work, what belongs to the end of a run is written from the record: FAILURES, JUnit, the
report, FINISHED; by the process that began the run, not by those that its steps have started.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from projects.core import console
from projects.core.console.summary import print_summary
from projects.core.execution.cancellation import CancelToken, scope
from projects.core.execution.cancellation import interrupt as raise_when_possible
from projects.core.library import env
from projects.core.library.commands import HOST
from projects.core.library.scope import is_recorded
from projects.core.record import context
from projects.core.record.finish import finish
from projects.core.record.steps import Step, read_steps
from projects.core.record.verdict import verdict
from projects.core.values.errors import ForesailError, Interrupted, Stop, exit_code_of, explain
from projects.core.values.outcomes import ExitCode, worst

logger = logging.getLogger(__name__)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
CLEAN_UP_S = 10.0
"""How long `finally` blocks may take after a signal: Prow kills after 15 s, and the reports are written last."""
_ECHO_S = 1.0
"""A Ctrl-C comes from the terminal and once more from `testing/run`: the second must not cut off the clean-up."""


def run_session(work: Callable[[], object], *, project: str, report: bool = True, whole: bool = False) -> ExitCode:
    """Do some work as a run of its own, or as a part of the run that started this process.

    Args:
      work: What to do. What it raises is shown and decides the exit code; so does an int that it returns.
      project: The project's name, for the JUnit file.
      report: Whether a run of its own ends with a report.
      whole: Whether everything in the record is judged, also what other processes have begun.

    Returns:
      What the process should exit with: the worst of what was recorded here, raised and returned.
    """
    env.init()
    place = context.here()
    started: list[str] = []

    def note(step: Step) -> None:
        if step.parent == place.step and step.id not in started:
            started.append(step.id)

    with console.install(), contextlib.ExitStack() as stack:
        console.configure_logging()
        stack.callback(place.record.listen(note))
        token = stack.enter_context(scope(CancelToken(), of_the_process=True))
        signals = stack.enter_context(_Signals(token))
        with console.show_progress(place.record):
            code = _guarded(work, signals)
        code = worst([code, signals.exit_code])  # whatever the clean-up has raised after it
        code = _conclude(None if whole else started, code, project=project, report=report)
    if signals.late:
        _leave(code)
    return code


def _guarded(work: Callable[[], object], signals: _Signals) -> ExitCode:
    """Do the work; return what it says of the outcome beside what it has recorded."""
    try:
        try:
            returned = work()
        finally:
            try:
                HOST.stop()
            finally:
                # What is written last takes well under a second; nothing may cut it off.
                signals.ignored = True
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


def _conclude(started: list[str] | None, code: ExitCode, *, project: str, report: bool) -> ExitCode:
    place = context.here()
    root = place.record.root
    place.record.close()
    if not env.owns_run():
        own = [verdict(read_steps(root), since=started).exit_code] if started else []
        return worst([code, *own])
    try:
        code = finish(root, properties={"project": project}, exit_code=code, since=started)
    except OSError:
        # A full disk must not keep the summary from telling why the run failed.
        logger.exception("what belongs to the end of the run could not be written to %s", root)
        code = worst([code, verdict(read_steps(root), since=started).exit_code, ExitCode.TEST_FAILED])
    if report:
        _report(root_exit=code)
    print_summary(root, exit_code=code, since=started)
    return code


def _report(*, root_exit: ExitCode) -> None:
    from projects.core.report import write_report  # noqa: PLC0415 - templates and plots are needed at the end only

    root = context.here().record.root
    try:
        write_report(root, exit_code=root_exit)
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


def _leave(code: ExitCode) -> None:
    """End the process at once: Python itself would wait for the threads that did not end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _Signals:
    """Turns SIGINT and SIGTERM into a cancelled token and an `Interrupted` in the main thread, until they are `ignored`.

    Args:
      token: The token of the session.

    Attributes:
      ignored: Whether signals have no effect any more.
      exit_code: What the process has to exit with because of a signal.
      late: Whether the clean-up after a signal took too long. It is interrupted then, and threads may be left.
    """

    def __init__(self, token: CancelToken) -> None:
        self.ignored = False
        self.exit_code = ExitCode.PASSED
        self.late = False
        self._ended = threading.Event()
        self._token = token
        self._last = -_ECHO_S
        self._old: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._old = {signum: signal.signal(signum, self._interrupt) for signum in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for signum, handler in self._old.items():
            signal.signal(signum, handler)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        del frame
        before, self._last = self._last, time.monotonic()
        if self.ignored or self._last - before < _ECHO_S:
            return
        error = Interrupted(signum)
        self.exit_code = worst([self.exit_code, error.exit_code])
        # Not here: what the signal has interrupted may hold the very locks that cancelling takes.
        threading.Thread(target=self._cancel, args=(signum, str(error)), name="interrupt", daemon=True).start()
        raise_when_possible(error)

    def _cancel(self, signum: int, reason: str) -> None:
        self._token.cancel(reason)
        if self._ended.wait(CLEAN_UP_S) or self.ignored:
            return
        self.late = True
        self._token.clean_up.cancel(f"{reason}, and the clean-up took longer than {CLEAN_UP_S:g} s")
        # Once more: the main thread may wait for what knows nothing of tokens.
        signal.pthread_kill(threading.main_thread().ident or 0, signum)
