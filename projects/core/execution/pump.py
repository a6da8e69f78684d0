"""Waiting for one process: its output, its end, its time-out and its cancellation, in one loop and without a thread.

Used by `processes` (a child of this process) and by `warm` (a fork of the Ansible host).
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from projects.core.execution import process_tree
from projects.core.execution.cancellation import CancelToken
from projects.core.values.errors import Cancelled, TimedOut

TERM_GRACE_S = 0.7
"""Seconds between TERM and KILL: siblings of a failed branch have to end within a second."""

_CHUNK = 65536


class Running(Protocol):
    """A process that can be waited for: `exit_descriptor` gets readable when `poll` may return its status."""

    pid: int | None
    exit_descriptor: int

    def poll(self) -> int | None:
        """Return the exit status (negative: the signal), or None while it runs."""
        ...


@dataclass(slots=True)
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

    process: Running
    outputs: Mapping[int, Callable[[bytes], None]]
    token: CancelToken
    timeout: float | None
    what: str
    grace: float = TERM_GRACE_S
    _ending: list[process_tree.ProcessId] = field(default_factory=list)
    _deadline: float | None = None
    _reason: str = ""

    def run(self) -> int:
        """Wait, and return the exit status (negative: the signal that ended it).

        Raises:
          Cancelled: the token was cancelled; the process and all that it started are gone.
          TimedOut: the time-out has passed; likewise.
        """
        self._deadline = None if self.timeout is None else time.monotonic() + self.timeout
        wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        forget = self.token.on_cancel(lambda: _wake(wake_write))
        try:
            status = self._loop(wake_read)
        except BaseException:
            self._end_now()
            raise
        finally:
            forget()
            os.close(wake_read)
            os.close(wake_write)
        if self._reason == "cancelled":
            raise Cancelled(self.token.reason)
        if self._reason == "timed out":
            raise TimedOut(f"{self.what} did not end within {self.timeout:g} s and was ended")
        return status

    def _loop(self, wake: int) -> int:
        with selectors.DefaultSelector() as selector:
            selector.register(wake, selectors.EVENT_READ)
            selector.register(self.process.exit_descriptor, selectors.EVENT_READ)
            for descriptor in self.outputs:
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            status = None
            while status is None:
                ready = {key.fd for key, _ in selector.select(self._remaining())}
                self._read(selector, ready)
                if self.process.exit_descriptor in ready:
                    status = self.process.poll()
                else:
                    self._end_early(selector, wake, ready)
            # What is left in the pipes is read; a daemon that keeps them open is not waited for.
            self._read(selector, set(self.outputs) & set(selector.get_map() or ()))
        if self._ending:
            self._kill_all()
        return status

    def _remaining(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _read(self, selector: selectors.BaseSelector, ready: set[int]) -> None:
        for descriptor in ready & set(self.outputs):
            while (chunk := _read_now(descriptor)) is not None:
                if not chunk:
                    selector.unregister(descriptor)
                    break
                self.outputs[descriptor](chunk)

    def _end_early(self, selector: selectors.BaseSelector, wake: int, ready: set[int]) -> None:
        late = self._deadline is not None and time.monotonic() >= self._deadline
        if self._ending:
            if late:
                self._kill_all()
                self._deadline = None
            return
        if wake in ready or late:
            selector.unregister(wake)
            self._reason = "cancelled" if wake in ready else "timed out"
            self._ending = process_tree.tree_of(self.process.pid) if self.process.pid else []
            process_tree.send(self._ending, signal.SIGTERM)
            self._deadline = time.monotonic() + self.grace

    def _end_now(self) -> None:
        # A signal handler has raised in the middle of the wait: what we wait for still gets its TERM first.
        tree = process_tree.tree_of(self.process.pid) if self.process.pid else []
        process_tree.send(tree, signal.SIGTERM)
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.exit_descriptor, selectors.EVENT_READ)
            selector.select(self.grace)
        self._ending.extend(tree)
        self._kill_all()

    def _kill_all(self) -> None:
        own = process_tree.tree_of(self.process.pid) if self.process.pid else []
        process_tree.kill([*self._ending, *own])


def _read_now(descriptor: int) -> bytes | None:
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return None


def _wake(descriptor: int) -> None:
    os.write(descriptor, b"!")
