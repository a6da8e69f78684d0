"""Keeps the board of a terminal going, in a thread of its own. Entered by `show_progress`.

The board comes only when a run lasts longer than a moment: rich takes 0.3 s to import, and a short run needs none.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator

from projects.core.console.beside import beside
from projects.core.console.outlet import Outlet
from projects.core.console.progress import Clock, Progress, line_of, present
from projects.core.console.streams import say
from projects.core.record.steps import Step
from projects.core.record.verdict import FAILING

MOMENT = 0.3
TICK = 0.125


@contextlib.contextmanager
def live_board(progress: Progress, outlet: Outlet, clock: Clock = present) -> Iterator[None]:
    """Show a progress as a board at the bottom of the terminal while the block runs."""
    with beside(functools.partial(_drive, progress, outlet, clock), "foresail-board"):
        yield


def say_failure(step: Step) -> None:
    """Write the line of a step that failed, so that it stays when the board is gone."""
    if step.status in FAILING:
        say(line_of(step))


def _drive(progress: Progress, outlet: Outlet, clock: Clock, ended: threading.Event) -> None:
    if ended.wait(MOMENT):
        return
    from projects.core.console.board import Board  # noqa: PLC0415 - imports rich

    with contextlib.suppress(OSError), Board(progress, outlet, clock) as board:  # a terminal that was closed has none
        while not ended.wait(TICK):
            board.tick()
