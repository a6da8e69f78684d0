"""Which objects a command had to do with, by its events: those of the task that failed first, then the others. Called by `capture`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from projects.core.cluster.involved import ACTS, Involved

EVENTS = "_ansible.events.jsonl"
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
    events = _events(directory)
    failed = _failed_task(events)
    acts = [each for each in events if each.get("outcome") == ACTS]
    ordered = [each for each in acts if each.get("task") == failed] + [
        each for each in reversed(acts) if each.get("task") != failed
    ]
    found = [Involved.of(data) for each in ordered for data in each.get("objects") or []]
    first = {each.target: each for each in reversed([each for each in found if each])}
    return list(reversed(first.values()))[:MOST]


def _failed_task(events: Sequence[dict[str, Any]]) -> str | None:
    failed = [each for each in events if each.get("outcome") in ("failed", "unreachable")]
    told = next((each for each in failed if not each.get("rescued")), failed[-1] if failed else None)
    last = events[-1] if events else None
    return (told or last or {}).get("task")


def _events(directory: Path) -> list[dict[str, Any]]:
    try:
        lines = (directory / EVENTS).read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    events = []
    for line in lines:
        with contextlib.suppress(ValueError):  # a process that was killed may have left half a line
            event = json.loads(line)
            events += [event] if isinstance(event, dict) else []
    return events
