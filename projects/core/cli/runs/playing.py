"""`runs watch` and `runs replay`: the record of a run on the terminal, while it is written and once more."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from projects.core import console
from projects.core.console.terminal import is_plain
from projects.core.record.following import Follower
from projects.core.record.standing import Run, State, is_alive, read_run
from projects.core.record.steps import Feed, Step, parse_time
from projects.core.values.errors import UsageError
from projects.core.values.outcomes import ExitCode, Status

LOOK = 0.2
"""Seconds between two looks at the record of another process: there is no event to wait for that every file system has."""
_ALIVE_EVERY = 5  # looks


def watch(directory: Path) -> int:
    """Follow a run until it ends, then print its summary. Ctrl-C leaves it, and the run goes on.

    Args:
      directory: Artifact directory of the run.
    """
    run = read_run(directory.absolute())
    try:
        with console.install():
            _follow(run.root)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    _print_summary(read_run(run.root))
    return 0


def replay(directory: Path, *, speed: float = 1.0) -> None:
    """Play a run again on the terminal, in the time that it took, then print its summary. Elsewhere print only that.

    What lies between two processes of the run, when nothing ran, is passed over.

    Args:
      directory: Artifact directory of the run.
      speed: How many times as fast.
    """
    if speed <= 0:
        raise UsageError(f"speed: expected a number above 0, found {speed:g}")
    run = read_run(directory.absolute())
    if sys.stdout.isatty() and not is_plain(sys.stderr):
        with console.install():
            _play(list(Follower(run.root).changes()), speed)
    _print_summary(run)


def _print_summary(run: Run) -> None:
    """Print what the run itself printed last, or would have printed, had it not been killed."""
    conclusion = run.conclusion
    since = conclusion.steps if conclusion and run.state is not State.KILLED else None
    exit_code = conclusion.exit_code if conclusion and run.state is not State.KILLED else None
    console.print_summary(run.root, exit_code=exit_code, since=since)


def _follow(root: Path) -> None:
    feed, follower, never = Feed(), Follower(root), threading.Event()
    with console.show_progress(feed):
        goes_on = True
        while goes_on:
            goes_on = is_alive(root)  # before the last look, which then sees all that it wrote
            for _ in range(_ALIVE_EVERY if goes_on else 1):
                for step in follower.changes():
                    feed.tell(step)
                if goes_on:
                    never.wait(LOOK)


def _play(changes: Sequence[Step], speed: float) -> None:
    feed = Feed()
    clock = _Clock(speed, _time_of(changes[0]) if changes else datetime.now(UTC))
    running: set[str] = set()
    with console.show_progress(feed, clock=clock):
        for step in changes:
            clock.wait_for(_time_of(step), at_once=not running)
            feed.tell(step)
            if step.status == Status.RUNNING:
                running.add(step.id)
            else:
                running.discard(step.id)


def _time_of(step: Step) -> datetime:
    return parse_time(step.end or step.start)


class _Clock:
    """The time in a run that is played.

    Args:
      speed: How many times as fast it goes as the real one.
      start: What time it is at first.
    """

    def __init__(self, speed: float, start: datetime) -> None:
        self._speed = speed
        self._time = start
        self._since = time.monotonic()
        self._never = threading.Event()

    def __call__(self) -> datetime:
        return self._time + timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    def wait_for(self, moment: datetime, *, at_once: bool) -> None:
        """Wait until it is that time, or make it so at once."""
        left = (moment - self()).total_seconds() / self._speed
        if left > 0 and not at_once:
            self._never.wait(left)
        if at_once and left > 0:
            self._time, self._since = moment, time.monotonic()
