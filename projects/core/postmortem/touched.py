"""Which objects a command had to do with, by its events: those of the task that failed first, then the others. Called by `capture`."""

from __future__ import annotations

from pathlib import Path

from projects.core.cluster.involved import ACTS, Involved
from projects.core.record.task_events import failed_event, read_events

MOST = 24
"""How many targets are looked at; each may be many objects."""


def involved_in(directory: Path) -> list[Involved]:
    """Return what a command's tasks acted on or waited for.

    Args:
      directory: The command's artifact directory.

    Returns:
      What the task that failed did first, then what the others did, the latest first. A task that has not ended, because
      its process was killed, counts as the one that failed.
    """
    events = list(read_events(directory))
    failed = (failed_event(events) or (events[-1] if events else {})).get("task")
    acts = [each for each in events if each.get("outcome") == ACTS]
    ordered = [each for each in acts if each.get("task") == failed] + [
        each for each in reversed(acts) if each.get("task") != failed
    ]
    found = [Involved.of(data) for each in ordered for data in each.get("objects") or []]
    first = {each.target: each for each in reversed([each for each in found if each])}
    return list(reversed(first.values()))[:MOST]
