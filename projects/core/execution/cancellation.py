"""The cancel token: one tree of them per run. Cancelling a token cancels everything below it.

`Parallel` makes a child token for its branches; whatever waits (a process, a command) waits on the token of its
context as well. A token is cancelled once and stays so.

A context is told once: what raises there because of its token puts the run's token of the clean-up in its place, so that
what `finally` blocks start is not ended at once as well. That token is cancelled when the time for cleaning up is over.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import NoReturn

from projects.core.values.errors import Cancelled, Stop, TimedOut


class CancelToken:
    """A request to end that code can wait for.

    Args:
      parent: The token whose cancellation cancels this one, too.
      last: Whether it is the token of a clean-up, after which nothing comes.
    """

    def __init__(self, parent: CancelToken | None = None, *, last: bool = False) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self.reason = ""
        self._stop: Callable[[], Stop] = lambda: Cancelled(self.reason)
        self.begun = False
        """Of the token of a clean-up: whether the run was interrupted, so that there is nothing but cleaning up from here on."""
        # Made ahead: a signal's handler asks for it, and may take no lock.
        self.clean_up: CancelToken = parent.clean_up if parent else self if last else CancelToken(last=True)
        self._leave = parent.on_cancel(lambda: self._cancel_with(parent)) if parent else lambda: None

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._event.is_set()

    def cancel(self, reason: str, stop: Callable[[], Stop] | None = None) -> None:
        """Cancel, and call what waits. Only the first call has an effect.

        Args:
          reason: Why, for the message of those who are cancelled.
          stop: Makes what is raised where it is noticed, when that is more than `Cancelled`.
        """
        with self._lock:
            if self._event.is_set():
                return
            self.reason = reason
            self._stop = stop or self._stop
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        with contextlib.ExitStack() as stack:  # all are called, in order, whatever one of them raises
            for callback in reversed(callbacks):
                stack.callback(callback)

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the token is cancelled, at once when it is already.

        Returns:
          A function that takes the callback off.
        """
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is cancelled, for at most `timeout` seconds; return whether it is."""
        return self._event.wait(timeout)

    def check(self) -> None:
        """Raise when it was cancelled.

        Raises:
          Cancelled: it was; the message is the reason.
        """
        if self.cancelled:
            self.stop()

    def stop(self) -> NoReturn:
        """Raise what it means that it was cancelled; the context goes on with the token of the clean-up.

        Raises:
          Cancelled: always; the message is the reason.
        """
        clean_up()
        raise self._stop()

    def close(self) -> None:
        """Take it off its parent, when what it was for has ended."""
        self._leave()

    def _cancel_with(self, parent: CancelToken) -> None:
        self.cancel(parent.reason, parent._stop)

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._callbacks.remove(callback)


SIGNAL_LOOK_S = 0.5
"""How long a thread may block at a time. CPython runs a signal's handler between bytecodes of the main thread: one that
comes just before a blocking call is not noticed until that call returns, so no call may block for good."""

_NEVER = CancelToken()
_current: ContextVar[CancelToken | None] = ContextVar("foresail_cancel_token", default=None)
_of_the_process: list[CancelToken] = []


def current_token() -> CancelToken:
    """Return the token of this context: the process's in a plain thread, whose context is empty; outside a run, one that is never cancelled."""
    return _current.get() or (_of_the_process[-1] if _of_the_process else _NEVER)


def clean_up(*, interrupted: bool = False) -> None:
    """Let this context go on with the token of the clean-up, when it is told that its own was cancelled, or is about to be.

    A plain thread keeps the process's: it may be one of a pool, which would go on with what else there is to do.
    """
    token = _current.get()
    if token is not None and (token.cancelled or interrupted):
        token.clean_up.begun |= interrupted
        _current.set(token.clean_up)


class _Deferral:
    """Whether the main thread may be interrupted just now, and by what it was when it might not."""

    def __init__(self) -> None:
        self.depth = 0
        self.pending: list[BaseException] = []


_deferral = _Deferral()


@contextlib.contextmanager
def interruption_deferred() -> Iterator[None]:
    """Keep a signal's handler from raising inside the block, which has to watch its token instead.

    An exception between a fork and the wait for it would leave the process behind. What was deferred is raised at the end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _deferral.depth += 1
    try:
        yield
    finally:
        _deferral.depth -= 1
        if not _deferral.depth and _deferral.pending:
            clean_up(interrupted=True)
            raise _deferral.pending.pop()


def interrupt(error: BaseException) -> None:
    """Raise an error from a signal's handler, now or as soon as the main thread may be interrupted."""
    if not _deferral.depth:
        clean_up(interrupted=True)
        raise error
    _deferral.pending[:] = [error]


@contextlib.contextmanager
def deadline(seconds: float | None, what: str) -> Iterator[None]:
    """Give what is inside the block some seconds; then everything in it that looks at its token is ended.

    Args:
      seconds: How many; None for as long as it takes.
      what: What is given them, for the message.

    Raises:
      TimedOut: they have passed.
    """
    if seconds is None:
        yield
        return
    message = f"{what} was given {seconds:g} s, which have passed"
    passed = threading.Event()
    with scope(CancelToken(current_token())) as token:

        def expire() -> None:
            passed.set()
            token.cancel(message)

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Cancelled as error:
            if passed.is_set() and error.args == (message,):
                raise TimedOut(message) from error
            raise
        finally:
            timer.cancel()
        if passed.is_set():
            raise TimedOut(message)


@contextlib.contextmanager
def scope(token: CancelToken, *, of_the_process: bool = False) -> Iterator[CancelToken]:
    """Make `token` the context's token inside the block, and take it off its parent after it.

    Args:
      token: The token.
      of_the_process: Whether it is the token of plain threads, too, which inherit no context.
    """
    reset = _current.set(token)
    if of_the_process:
        _of_the_process.append(token)
    try:
        yield token
    finally:
        inside = _current.get()
        _current.reset(reset)
        around = _current.get()
        if inside is not token and inside is not None and around is not None and (around.cancelled or inside.begun):
            # Told to clean up, this context does so all the way out; but not when the time of the block alone has passed.
            _current.set(inside)
        if of_the_process:
            _of_the_process.remove(token)
        token.close()
