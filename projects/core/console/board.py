"""The live board at the bottom of a terminal: what runs, as a tree, and how the last steps ended. Imported only there: rich is slow.

What is printed meanwhile stands above it. When the run ends the board goes, and the summary takes its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from projects.core.console.progress import Clock, present
from projects.core.console.waiting import awaited_by
from projects.core.record.artifacts import path_of
from projects.core.record.durations import duration
from projects.core.record.naming import own_name
from projects.core.record.steps import Step, parse_time
from projects.core.values.outcomes import Status
from projects.core.values.redaction import REDACTOR
from projects.core.values.wording import in_words

if TYPE_CHECKING:
    from projects.core.console.outlet import Outlet
    from projects.core.console.progress import Progress

STYLES: Mapping[str, str] = {
    Status.RUNNING: "cyan",
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.TIMED_OUT: "bold red",
    Status.INTERRUPTED: "bold red",
    Status.CANCELLED: "yellow",
    Status.SKIPPED: "dim",
}


class Board:
    """The board, shown while it is entered.

    Args:
      progress: What is shown.
      outlet: The real streams; while the board is shown they write above it.
      clock: What time it is in the run.
    """

    def __init__(self, progress: Progress, outlet: Outlet, clock: Clock = present) -> None:
        self.progress = progress
        self.clock = clock
        self.outlet = outlet
        self.console = Console(file=outlet.targets["stderr"].stream)
        self._above: deque[str] = deque()
        self._live = Live(
            get_renderable=self.draw,
            console=self.console,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        """Show the board."""
        with self.outlet.lock:
            self.outlet.attach(self)
            self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what has to stay, and take the board off the terminal."""
        with self.outlet.lock:
            try:
                self.tick()
                self._live.stop()
            finally:
                self.outlet.screen = None

    def write_above(self, text: str) -> None:
        """Take whole lines; they are written with the next tick, since each writing draws the board anew."""
        self._above.append(text)

    def tick(self) -> None:
        """Write what came above the board, and draw it as it stands now."""
        text = "".join(self._above.popleft() for _ in range(len(self._above)))
        if text:
            self.console.print(Text.from_ansi(text.removesuffix("\n")), soft_wrap=True)
        self._live.refresh()

    def draw(self) -> RenderableType:
        """Return the board as it stands now."""
        now = self.clock()
        running = self.progress.running
        rows = self.console.height - len(self.progress.last) - 4
        return Group(*self._forest(running, now, max(rows, 3)), *self._last(), self._counts(len(running)))

    def _forest(self, running: Sequence[Step], now: datetime, rows: int) -> list[RenderableType]:
        """Return the running steps as trees, at most so many rows."""
        nodes: dict[str, Tree] = {}
        roots: list[RenderableType] = []
        by_id = {step.id: step for step in running}
        for step in running[:rows]:
            label = self._label(step, by_id.get(step.parent or ""), now)
            if step.parent in nodes:
                nodes[step.id] = nodes[step.parent].add(label)
            else:
                nodes[step.id] = Tree(label, guide_style="dim")
                roots.append(nodes[step.id])
        if len(running) > rows:
            roots.append(Text(f"and {len(running) - rows} more", style="dim"))
        return roots

    def _label(self, step: Step, around: Step | None, now: datetime) -> RenderableType:
        text = Text(REDACTOR.redact(own_name(step, around)), style=STYLES[Status.RUNNING])
        text.append(f"  {duration((now - parse_time(step.start)).total_seconds())}", style="dim")
        if awaited := awaited_by(step.id):
            text.append(f"  waiting for {REDACTOR.redact(awaited)}", style="italic")
        return text

    def _last(self) -> list[RenderableType]:
        lines = []
        for step in list(self.progress.last):
            line = Text(f"  {in_words(step.status):<11} ", style=STYLES.get(step.status, ""))
            line.append(REDACTOR.redact(path_of(step)), style="default")
            line.append(f"  {duration(step.duration or 0)}", style="dim")
            lines.append(line)
        return [*lines]

    def _counts(self, running: int) -> RenderableType:
        counted = [(status, self.progress.counts[status]) for status in Status if self.progress.counts[status]]
        parts = [Text(f"{running} running", style=STYLES[Status.RUNNING])]
        parts += [Text(f"{count} {in_words(status)}", style=STYLES[status]) for status, count in counted]
        return Text("  ").join(parts)
