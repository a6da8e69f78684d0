"""What runs and how it ended, as it happens: a line a change in CI, a live board on a terminal. Entered by `main` and by `runs`."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from projects.core.console import waiting
from projects.core.console.beside import beside
from projects.core.console.streams import installed, say
from projects.core.console.terminal import is_plain
from projects.core.record.artifacts import path_of
from projects.core.record.durations import duration
from projects.core.record.steps import Step, parse_time
from projects.core.values.outcomes import Status
from projects.core.values.wording import in_words

HEARTBEAT = 60.0
_NAMED = 5  # how many running steps a heartbeat names
Clock = Callable[[], datetime]


class Source(Protocol):
    """What tells of steps that start and end: the record of this process's run, or a reader of another one's."""

    def listen(self, listener: Callable[[Step], None], /) -> Callable[[], None]:
        """Call `listener` with each step that starts or ends; return what takes it off again."""


def present() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class Progress:
    """What a run is doing. Told by the record, asked by whatever shows it; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Step] = {}
        self.counts: Counter[str] = Counter()
        self.last: deque[Step] = deque(maxlen=5)

    def note(self, step: Step) -> None:
        """Take a step that started or ended."""
        with self._lock:
            if step.status == Status.RUNNING:
                self._running[step.id] = step
            else:
                self._running.pop(step.id, None)
                waiting.waiting_for(step.id, None)
                self.counts[str(step.status)] += 1
                self.last.append(step)

    @property
    def running(self) -> Sequence[Step]:
        """The running steps, the outer ones before the inner ones."""
        with self._lock:
            return list(self._running.values())

    @property
    def innermost(self) -> Sequence[Step]:
        """The running steps that have no running step inside."""
        running = self.running
        around = {step.parent for step in running}
        return [step for step in running if step.id not in around]


@contextlib.contextmanager
def show_progress(record: Source, *, heartbeat: float = HEARTBEAT, clock: Clock = present) -> Iterator[None]:
    """Show what the steps of a record do while the block runs.

    Args:
      record: The record of the run, or what reads it.
      heartbeat: After how many seconds of silence a line says what is running. On a terminal the board shows it anyway.
      clock: What time it is in the run, which a replay plays.
    """
    progress = Progress()
    streams = installed()
    with contextlib.ExitStack() as stack:
        if streams is not None and not is_plain(sys.stderr):
            from projects.core.console.live import live_board, say_failure  # noqa: PLC0415 - imports this module

            stack.enter_context(live_board(progress, streams.outlet, clock))
            stack.callback(record.listen(progress.note))
            stack.callback(record.listen(say_failure))
        else:
            stack.callback(record.listen(progress.note))
            stack.callback(record.listen(say_change))
            stack.enter_context(beside(functools.partial(_beat, progress, heartbeat, clock), "foresail-heartbeat"))
        yield


def say_change(step: Step) -> None:
    """Write the line of a step that started or ended."""
    say(line_of(step))


def line_of(step: Step) -> str:
    """Return the line of a change: time, step, how it stands, how long it took, and why it did not pass."""
    clock = _local(step.end or step.start)
    if step.status == Status.RUNNING:
        return f"{clock} {path_of(step)} started"
    line = f"{clock} {path_of(step)} {in_words(step.status)} {duration(step.duration or 0)}"
    if step.cause is None:
        return line
    if step.cause.step != step.id:
        return f"{line} ({step.cause.type} further in)"
    return f"{line} {step.cause.type}: {first_line(step.cause.message)}"


def first_line(text: str) -> str:
    """Return the first line of a message that has one."""
    return next(iter(text.strip().splitlines()), "")


def heartbeat_line(progress: Progress, now: datetime) -> str:
    """Return the line that says what is running, and for how long."""
    steps = progress.innermost
    named = [f"{path_of(step)} for {_since(step, now)}{_awaited(step)}" for step in steps[:_NAMED]]
    more = [f"and {len(steps) - _NAMED} more"] if len(steps) > _NAMED else []
    return f"{now.astimezone():%H:%M:%S} still running: {', '.join(named + more) or 'nothing that is recorded'}"


def _since(step: Step, now: datetime) -> str:
    return duration((now - parse_time(step.start)).total_seconds())


def _awaited(step: Step) -> str:
    awaited = waiting.awaited_by(step.id)
    return f" (waiting for {awaited})" if awaited else ""


def _local(time_text: str) -> str:
    return f"{parse_time(time_text).astimezone():%H:%M:%S}"


def _beat(progress: Progress, interval: float, clock: Clock, ended: threading.Event) -> None:
    """Say what is running whenever nothing was written for `interval` seconds."""
    last = time.monotonic()
    remaining = interval
    while not ended.wait(remaining):
        streams = installed()
        silent = min(time.monotonic() - last, streams.outlet.silent_for if streams else interval)
        remaining = interval - silent
        if remaining <= 0:
            say(heartbeat_line(progress, clock()))
            last, remaining = time.monotonic(), interval
