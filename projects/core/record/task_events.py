"""What the tasks of a command did, an object a line: `_ansible.events.jsonl` in its directory.

Written by the log callback and the actions of `foresail.core`, in the process that runs the play; read by whoever tells why
a command failed, what it waited for, and what was tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from projects.core.record.journal import objects_in

FILE_NAME = "_ansible.events.jsonl"
RETRY = "retry"
"""The outcome of an event that says that an attempt of a task is followed by another one."""
PASSED = ("ok", "changed")
"""How the outcomes of tasks that passed begin; behind it may stand the item of a loop."""
_FAILED = ("failed", "unreachable")


def read_events(directory: Path, *, naming: str = "", largest: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the events of a command, as far as its process came.

    Args:
      directory: Its artifact directory; nothing is yielded when it holds none.
      naming: A text that one of them has to hold, in quotes, for any to be yielded: most commands hold none.
      largest: Bytes of the largest file that is read; None for any.
    """
    path = directory / FILE_NAME
    try:
        data = path.read_bytes() if largest is None or path.stat().st_size <= largest else b""
    except OSError:
        return
    if not naming or f'"{naming}"'.encode() in data:
        yield from (each for each in objects_in(data) if "outcome" in each)


def failed_event(events: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the event that tells why a command failed, None when no task did.

    A task whose block has a rescue section leaves it to that section to say what happened, when that fails too.
    """
    failed = [each for each in events if each.get("outcome") in _FAILED]
    return next((each for each in failed if not each.get("rescued")), failed[-1] if failed else None)
