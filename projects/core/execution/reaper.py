"""Ending processes: TERM to all that a process has started, KILL to what is left after a grace.

A Parallel may end two hundred processes at the same moment, so they are ended in batches: one look at /proc serves
all. `Reaper` is the thread that does so for the children of this process; the warm host does it for its forks.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass, field

from projects.core.execution import process_tree
from projects.core.execution.process_tree import ProcessId

TICK_S = 0.02
"""How often what got its TERM is looked at: nothing tells when a process that is nobody's child here has gone."""


@dataclass(slots=True)
class Ending:
    """One process that is being ended, with all that it has started.

    `gone` is set when none of them lives any more.
    """

    pid: int
    grace: float
    gone: threading.Event = field(default_factory=threading.Event)
    tree: list[ProcessId] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    deadline: float = 0.0

    def take(self, found: list[ProcessId]) -> None:
        """Take what was found of it, and remember the sessions that it has made."""
        self.tree = found
        self.sessions |= {process.session for process in found} - {os.getsid(0)}


class Reaper:
    """Ends processes in a thread of its own, which lives while there is one to end.

    The branches' threads sleep on until their process has gone.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: list[Ending] = []
        self._arrived = threading.Event()
        self._thread: threading.Thread | None = None

    def end(self, pid: int, grace: float) -> Ending:
        """Begin to end a process and all that it has started, and return at once.

        Args:
          pid: The process.
          grace: Seconds between TERM and KILL.

        Returns:
          What can be waited for.
        """
        ending = Ending(pid, grace)
        with self._lock:
            self._new.append(ending)
            self._arrived.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="reaper", daemon=True)
                self._thread.start()
        return ending

    def _work(self) -> None:
        ending: list[Ending] = []
        while True:
            with self._lock:
                new, self._new = self._new, []
                self._arrived.clear()
                if not new and not ending:
                    self._thread = None
                    return
            if new:
                terminate(new)
                ending += new
            ending = still_there(ending)
            if ending:
                self._arrived.wait(TICK_S)


def terminate(new: list[Ending]) -> None:
    """Send TERM to some processes and all that they have started."""
    # Stopped, they start nothing between the look and the signal that nobody would know of.
    for each in new:
        process_tree.stop(each.pid)
    trees = process_tree.trees_of([each.pid for each in new])
    now = time.monotonic()
    for each in new:
        each.take(trees[each.pid])
        each.deadline = now + each.grace
        process_tree.send(each.tree, signal.SIGTERM)
        process_tree.send(each.tree[:1], signal.SIGCONT)


def still_there(ending: list[Ending]) -> list[Ending]:
    """Return what is not gone yet, and send KILL to what is late; to be called every `TICK_S` seconds."""
    now = time.monotonic()
    for each in ending:
        each.tree = process_tree.alive(each.tree)
    # What is gone as far as is known, or is late, is looked for once more: it may have started something since.
    doubtful = [each for each in ending if not each.tree or now >= each.deadline]
    trees = process_tree.trees_of([each.pid for each in doubtful], {each.pid: each.sessions for each in doubtful})
    for each in doubtful:
        each.take(trees[each.pid])
        process_tree.send(each.tree, signal.SIGKILL if now >= each.deadline else signal.SIGTERM)
        if not each.tree:
            each.gone.set()
    return [each for each in ending if each.tree]


REAPER = Reaper()
"""The reaper of this process."""
