"""Waiting for one process: its output, its end, its time-out and its cancellation, in one loop and without a thread.

Used by `processes` (a child of this process) and by `warm` (a fork of the Ansible host).
"""

from __future__ import annotations

import fcntl
import math
import os
import selectors
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from projects.core.execution.cancellation import SIGNAL_LOOK_S, CancelToken
from projects.core.values.errors import TimedOut

TERM_GRACE_S = 0.7
"""Seconds between TERM and KILL: siblings of a failed branch have to end within a second."""

_CHUNK = 65536


class Running(Protocol):
    """A process that can be waited for: `exit_descriptor` gets readable when `poll` may return its status."""

    exit_descriptor: int

    def poll(self) -> int | None:
        """Return the exit status (negative: the signal), or None while it runs."""
        ...

    def end(self, grace: float) -> None:
        """Begin to end it and all that it has started: TERM, then KILL after `grace` seconds. Called from any thread."""
        ...

    def wait_until_gone(self) -> None:
        """Wait, after `end`, until nothing of it lives."""
        ...


class Pump:
    """One wait for a process.

    Args:
      process: What is waited for.
      outputs: What to do with the bytes of each descriptor that it writes to.
      token: The token that ends it early.
      timeout: Seconds it is given, None for as long as it takes.
      what: Its name in messages.
      grace: Seconds between TERM and KILL.
    """

    def __init__(
        self,
        process: Running,
        outputs: Mapping[int, Callable[[bytes], None]],
        token: CancelToken,
        timeout: float | None,
        what: str,
        grace: float = TERM_GRACE_S,
    ) -> None:
        self._process = process
        self._outputs = outputs
        self._token = token
        self._timeout = timeout
        self._what = what
        self._grace = grace
        self._lock = threading.Lock()
        self._reason = ""

    def run(self) -> int:
        """Wait, and return the exit status (negative: the signal that ended it).

        Raises:
          Cancelled: the token was cancelled; the process and all that it started are gone.
          TimedOut: the time-out has passed; likewise.
        """
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        forget = self._token.on_cancel(lambda: self._end("cancelled"))
        try:
            status = self._loop(deadline)
        except BaseException:
            # Such as a signal's handler that raises in the main thread.
            self._end("left")
            raise
        finally:
            forget()
            with self._lock:  # the thread that cancels may be just about to
                ending = bool(self._reason)
            if ending:
                self._process.wait_until_gone()
        if self._reason == "cancelled":
            self._token.stop()
        if self._reason == "timed out":
            raise TimedOut(f"{self._what} did not end within {self._timeout:g} s and was ended")
        return status

    def _loop(self, deadline: float | None) -> int:
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.exit_descriptor, selectors.EVENT_READ)
            for descriptor in self._outputs:
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            status = None
            while status is None:
                remaining = math.inf if deadline is None else max(0.0, deadline - time.monotonic())
                ready = {key.fd for key, _ in selector.select(min(remaining, SIGNAL_LOOK_S))}
                self._read(selector, ready)
                if self._process.exit_descriptor in ready:
                    status = self._process.poll()
                elif remaining == 0:
                    self._end("timed out")
                    deadline = None
            # What is left in the pipes is read; a daemon that keeps them open, or goes on writing, is not waited for.
            for descriptor in set(self._outputs) & set(selector.get_map() or ()):
                rest = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
                while rest > 0 and (chunk := _read_now(descriptor)):
                    self._outputs[descriptor](chunk)
                    rest -= len(chunk)
        return status

    def _read(self, selector: selectors.BaseSelector, ready: set[int]) -> None:
        # One piece a round: what writes faster than it can be read must not keep the time-out from being seen.
        for descriptor in ready & set(self._outputs):
            chunk = _read_now(descriptor)
            if chunk:
                self._outputs[descriptor](chunk)
            elif chunk is not None:
                selector.unregister(descriptor)

    def _end(self, reason: str) -> None:
        """Have the process ended; called from the thread that waits, and from the one that cancels."""
        with self._lock:
            if self._reason:
                return
            self._reason = reason
            self._process.end(self._grace)


def _read_now(descriptor: int) -> bytes | None:
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return None
