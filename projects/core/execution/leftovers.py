"""What a run has left running, found by the environment that its processes were given, and ended.

A process that puts itself into a session of its own, and whose parent has gone, belongs to nobody by its place in the tree;
but it still has the environment that it was started with. Called by the session after an interruption, by the warm host
when its owner was killed, and by who goes on with, or cleans up after, a run that was killed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from projects.core.execution import process_tree
from projects.core.execution.pump import TERM_GRACE_S
from projects.core.execution.reaper import TICK_S, Ending, still_there, terminate

OWNER = "FORESAIL_OWNER"
"""Names an orchestration's process to all that it starts: its number, and since that is used again, when it started."""


def owner() -> str:
    """Return what this process is called in `OWNER`."""
    found = process_tree.identity(os.getpid())
    return f"{os.getpid()}-{found.started if found else 0}"


def end_all(variable: str, value: str, *, spare: tuple[int, ...] = ()) -> int:
    """End every process whose environment holds a variable with a value, and all that they have started.

    Args:
      variable: The variable.
      value: Its value.
      spare: Processes that are left alone, beside this one and those around it.

    Returns:
      How many there were; when this returns, none of them lives any more.
    """
    spared = {*spare, *process_tree.around(os.getpid())}
    found = [pid for pid in _having(f"{variable}={value}".encode()) if pid not in spared]
    ending = [Ending(pid, TERM_GRACE_S) for pid in found]
    terminate(ending)
    pause = threading.Event()
    while ending := still_there(ending):
        pause.wait(TICK_S)
    return len(found)


def _having(entry: bytes) -> Iterator[int]:
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and entry in _environment(path).split(b"\0"):
            yield int(path.name)


def _environment(path: Path) -> bytes:
    try:
        return (path / "environ").read_bytes()
    except OSError:  # it has ended, or is somebody else's
        return b""
