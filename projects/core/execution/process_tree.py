"""Processes with everything that they have started, and signals to them. Called by the reaper and by the warm host.

Read from /proc: a process group is not enough, since Ansible puts each of its workers into a session of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process, told apart from a later one of the same number by the time it started (clock ticks since boot).

    `session` is the session that it is in: what Ansible's workers start stays in theirs.
    """

    pid: int
    started: int
    session: int


def trees_of(
    pids: Collection[int], sessions: Mapping[int, Collection[int]] | None = None
) -> dict[int, list[ProcessId]]:
    """Return some processes, each with its living descendants, parents first, from one look at /proc.

    Args:
      pids: The processes; one that does not live has an empty tree.
      sessions: Per process, sessions whose members belong to it although their parent has gone.
    """
    processes: dict[int, ProcessId] = {}
    children: dict[int, list[ProcessId]] = {}
    members: dict[int, list[ProcessId]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - a path object for each of a thousand names costs more than the rest
        if name.isdigit() and (found := _stat(int(name))) is not None:
            process, parent = found
            processes[process.pid] = process
            children.setdefault(parent, []).append(process)
            members.setdefault(process.session, []).append(process)
    trees: dict[int, list[ProcessId]] = {}
    for pid in pids:
        tree = [processes[pid]] if pid in processes else []
        tree += [member for session in (sessions or {}).get(pid, ()) for member in members.get(session, ())]
        for process in tree:
            tree.extend(children.get(process.pid, ()))
        trees[pid] = list(dict.fromkeys(tree))
    return trees


def identity(pid: int) -> ProcessId | None:
    """Return a process as it is known, None when it does not live."""
    found = _stat(pid)
    return found[0] if found else None


def around(pid: int) -> list[int]:
    """Return a process and those that it was started by, the nearest first."""
    found: list[int] = []
    while pid > 0 and (known := _stat(pid)) is not None:
        found.append(pid)
        pid = known[1]
    return found


def alive(processes: Iterable[ProcessId]) -> list[ProcessId]:
    """Return those of the processes that still live."""
    return [each for each in processes if (found := _stat(each.pid)) is not None and found[0] == each]


def send(processes: Iterable[ProcessId], signum: int) -> None:
    """Send a signal to those of the processes that still live, and to their process groups when they lead one.

    Each gets it once: a second TERM would tear an orchestration out of what it does after the first.
    """
    told: set[int] = set()
    for process in alive(processes):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            group = os.getpgid(process.pid)
            if group == process.pid:
                os.killpg(group, signum)
                told.add(group)
            elif group not in told:
                os.kill(process.pid, signum)


def stop(pid: int) -> None:
    """Stop a process, so that it starts nothing more."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGSTOP)


def _stat(pid: int) -> tuple[ProcessId, int] | None:
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(descriptor, 4096)
    except OSError:  # it ended meanwhile
        return None
    finally:
        os.close(descriptor)
    # Fields after the command's closing bracket, by proc(5): 3 state, 4 ppid, 5 pgrp, 6 session, 22 start time.
    after = text.rpartition(b")")[2].split()
    if not after or after[0] in b"ZX":
        return None
    return ProcessId(pid, started=int(after[19]), session=int(after[3])), int(after[1])
