"""Ending a process with everything that it started. Called when a process is cancelled or timed out.

Read from /proc: a process group is not enough, since Ansible puts each of its workers into a session of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process, told apart from a later one of the same number by the time it started (clock ticks since boot)."""

    pid: int
    started: int


def tree_of(pid: int) -> list[ProcessId]:
    """Return a process and its living descendants, parents first."""
    children: dict[int, list[ProcessId]] = {}
    own: list[ProcessId] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or (found := _stat(int(entry.name))) is None:
            continue
        process, parent = found
        children.setdefault(parent, []).append(process)
        if process.pid == pid:
            own.append(process)
    tree = own
    for process in tree:
        tree.extend(children.get(process.pid, ()))
    return tree


def send(processes: list[ProcessId], signum: int) -> None:
    """Send a signal to those of the processes that still live, and to their process groups when they lead one."""
    for process in processes:
        found = _stat(process.pid)
        if found is None or found[0] != process:
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signum)
            os.kill(process.pid, signum)


def kill(processes: list[ProcessId]) -> None:
    """Send KILL to those of the processes, and of what they started meanwhile, that still live."""
    again = [descendant for process in processes for descendant in tree_of(process.pid)]
    send([*processes, *again], signal.SIGKILL)


def _stat(pid: int) -> tuple[ProcessId, int] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # Fields after the command's closing bracket: state, ppid, …; the start time is field 22 of proc(5).
    after = text.rpartition(")")[2].split()
    return (ProcessId(pid, int(after[19])), int(after[1])) if after[0] not in "ZX" else None
