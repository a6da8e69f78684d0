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


def end_all(variable: str, value: str | Path, *, spare: tuple[int, ...] = ()) -> int:
    """End every process whose environment holds a variable with a value, and all that they have started.

    Args:
      variable: The variable.
      value: Its value.
      spare: Processes that are left alone, beside this one and those around it.

    Returns:
      How many there were; when this returns, none of them lives any more.
    """
    spared = {*spare, *process_tree.around(os.getpid())}
    found = [pid for pid in _having(variable, value) if pid not in spared]
    ending = [Ending(pid, TERM_GRACE_S) for pid in found]
    terminate(ending)
    pause = threading.Event()
    while ending := still_there(ending):
        pause.wait(TICK_S)
    return len(found)


def _having(variable: str, value: str | Path) -> Iterator[int]:
    begin, wanted = f"{variable}=".encode(), _canonical(value)
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            found = [each for each in _environment(path).split(b"\0") if each.startswith(begin)]
            if any(_canonical(type(value)(os.fsdecode(each[len(begin) :]))) == wanted for each in found):
                yield int(path.name)


def _canonical(value: str | Path) -> str:
    return os.path.realpath(value) if isinstance(value, Path) and value.is_absolute() else str(value)


def _environment(path: Path) -> bytes:
    try:
        return (path / "environ").read_bytes()
    except OSError:  # it has ended, or is somebody else's
        return b""
