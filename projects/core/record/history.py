"""How long each step took in earlier runs of a project, as their records tell. Asked by who prints a plan.

Earlier runs are the directories with a record directly below a base directory, the newest first. What they tell is an
estimate, so it is bounded: some runs, some seconds, and whatever cannot be read is left out.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from projects.core.record import attempts
from projects.core.record.finish import project_of
from projects.core.record.steps import FILE_NAME, Step, read_steps
from projects.core.values.outcomes import Status

Key = TypeVar("Key")
Place = tuple[tuple[str, str], ...]
"""Kind and name of a step and of those around it, the outermost first: its path without the occurrences."""

RUNS = 20
_LOOKED_AT = 200
"""Records that are opened at most, when most are of other projects."""
_LARGEST = 50_000_000
_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds that steps took, the median of those that passed.

    Attributes:
      runs: How many runs this is known from.
    """

    runs: int = 0
    _by_place: Mapping[Place, float] = field(default_factory=dict, repr=False)
    _by_name: Mapping[tuple[str, str], float] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, base: Path, project: str) -> Self:
        """Read the newest runs of a project.

        Args:
          base: The directory that the runs' directories are in, such as `$FORESAIL_BASE_DIR`.
          project: The project.

        Returns:
          What is known; nothing when there are no runs, or none can be read.
        """
        runs = 0
        by_place: dict[Place, list[float]] = {}
        by_name: dict[tuple[str, str], list[float]] = {}
        for steps in _runs(base, project):
            runs += 1
            for place, seconds in _passed(steps):
                by_place.setdefault(place, []).append(seconds)
                by_name.setdefault(place[-1], []).append(seconds)
        return cls(runs, _medians(by_place), _medians(by_name))

    def seconds(self, path: Sequence[tuple[str, str, int]]) -> float | None:
        """Return how long a step is expected to take, None when no run tells.

        Args:
          path: The step's, as `attempts.paths` returns it. When no run has a step there, steps of the same kind and name
            in other places tell.
        """
        place = tuple((kind, name) for kind, name, _ in path)
        if not place:
            return None
        return self._by_place.get(place, self._by_name.get(place[-1]))


def _runs(base: Path, project: str) -> Iterator[Sequence[Step]]:
    """Yield the steps of the newest runs of a project."""
    until = time.monotonic() + _WITHIN_S
    found = 0
    for record in _records(base)[:_LOOKED_AT]:
        if found == RUNS or time.monotonic() > until:
            return
        # A record of another version, or of another user, tells nothing here.
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            steps = read_steps(record.parent)
            if project_of(steps) == project:
                found += 1
                yield steps


def _records(base: Path) -> list[Path]:
    """Return the records directly below a directory, that was written last first."""
    found: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError), os.scandir(base) as entries:
        for entry in entries:
            record = Path(entry.path, FILE_NAME)
            with contextlib.suppress(OSError):
                known = record.stat()
                if known.st_size <= _LARGEST:
                    found.append((known.st_mtime, record))
    return [record for _, record in sorted(found, reverse=True)]


def _passed(steps: Sequence[Step]) -> Iterator[tuple[Place, float]]:
    known = attempts.paths(steps)
    for step in steps:
        if step.status == Status.PASSED and step.duration is not None:
            yield tuple((kind, name) for kind, name, _ in known[step.id]), step.duration


def _medians(durations: Mapping[Key, Iterable[float]]) -> dict[Key, float]:
    return {key: statistics.median(each) for key, each in durations.items()}
