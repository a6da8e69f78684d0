"""Signals and the time-out of a run: one way to the same end, within the grace. Used by `session`.

The first of them cancels the run's token and raises in the main thread, so that `finally` blocks and post steps run. They
have a share of the grace; when it is used up, or a second signal comes, they are ended as well. The rest of the grace is
for what is written last. Should the main thread not come back for that, because it is stuck in what knows nothing of
tokens, the watching thread writes it and ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.cancellation import interrupt as raise_when_possible
from projects.core.values.errors import Interrupted, OutOfTime, Stop
from projects.core.values.outcomes import ExitCode

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RESERVE_S = 5.0
"""What of the grace is for FAILURES, JUnit and the report; a third of it when that is less."""
_FLUSH_S = 0.5
"""Seconds for what was printed last to be read."""


class Interruption:
    """Turns SIGINT, SIGTERM, SIGHUP and the time-out into a cancelled token and a `Stop` in the main thread.

    Args:
      token: The token of the session.
      grace: Seconds from the signal to the end of the process.
      timeout: Seconds that the work is given; None for as long as it takes.
      last_words: Writes what belongs to the end of a run; called only when the main thread does not come to it.

    Attributes:
      error: What the run was ended by, None while nothing has happened.
      late: Whether the clean-up took too long and was ended; threads of it may be left.
    """

    def __init__(
        self, token: CancelToken, *, grace: float, timeout: float | None, last_words: Callable[[ExitCode], ExitCode]
    ) -> None:
        self.error: Stop | None = None
        self.late = False
        self._token = token
        self._grace = grace
        self._reserve = min(_RESERVE_S, grace / 3)
        self._timeout = timeout
        self._last_words = last_words
        self._out_of_time = False
        self._kicked = False
        self._hurried = False
        self._wake = threading.Event()
        self._over = threading.Event()
        self._ended = threading.Event()
        self._old: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for signum in _SIGNALS:
            if signal.getsignal(signum) is not signal.SIG_IGN:  # as under nohup
                self._old[signum] = signal.signal(signum, self._handle)
        if self._timeout is not None:
            threading.Thread(target=self._expire, args=(self._timeout,), name="time-out", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.work_is_over()
        self._ended.set()
        for signum, handler in self._old.items():
            signal.signal(signum, handler)

    @property
    def exit_code(self) -> ExitCode:
        """What the process has to exit with because of a signal or the time-out."""
        return ExitCode.PASSED if self.error is None else self.error.exit_code

    def work_is_over(self) -> None:
        """Say that nothing is to be interrupted any more: from here on a signal only bounds the time to the end."""
        self._over.set()
        self._wake.set()

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        del frame
        if self._kicked and self.error is not None:
            self._kicked = False
            raise_when_possible(self.error)
        elif self.error is not None:
            self._hurried = True
            self._begin(self._wake.set)
        else:
            error = OutOfTime(self._timeout or 0) if self._out_of_time else Interrupted(signum)
            over = self._over.is_set()
            self._begin(lambda: self._watch(error))
            if not over:
                self.error = error
                raise_when_possible(error)

    @staticmethod
    def _begin(act: Callable[[], object]) -> None:
        """Do something, but not here: what the signal has interrupted may hold the very locks that it takes."""
        threading.Thread(target=act, name="interruption", daemon=True).start()

    def _expire(self, seconds: float) -> None:
        if not self._over.wait(seconds) and self.error is None:
            self._out_of_time = True
            _tell_main_thread(signal.SIGTERM)

    def _watch(self, error: Stop) -> None:
        """See to it that the process ends within the grace."""
        deadline = time.monotonic() + self._grace
        if not self._over.is_set():
            # Whoever the time-out finds waiting has timed out; whoever a signal finds is merely ended.
            late = (lambda: OutOfTime(self._timeout or 0)) if isinstance(error, OutOfTime) else None
            self._token.cancel(str(error), late)
        self._wake.wait(self._grace - self._reserve)
        if not self._over.is_set():
            self._hurry_up(error)
            deadline = min(deadline, time.monotonic() + self._reserve)
            if not self._over.wait(self._reserve / 2):
                self._begin(lambda: leave(self._last_words(error.exit_code)))
        if not self._ended.wait(max(0.0, deadline - time.monotonic())):
            leave(error.exit_code)

    def _hurry_up(self, error: Stop) -> None:
        self.late = True
        share = self._grace - self._reserve
        took = "a second signal came" if self._hurried else f"the clean-up took longer than {share:g} s"
        self._token.clean_up.cancel(f"{error}, and {took}")
        # Once more: the main thread may wait for what knows nothing of tokens.
        self._kicked = True
        _tell_main_thread(signal.SIGTERM)


def leave(code: ExitCode) -> None:
    """End the process at once: Python itself would wait for the threads that did not end, and for who reads its output."""
    flushing = threading.Thread(target=_flush, daemon=True)
    flushing.start()
    flushing.join(_FLUSH_S)
    os._exit(code)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _tell_main_thread(signum: int) -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signum)
