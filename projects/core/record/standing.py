"""How a run stands: it goes on, was killed, or came to an end, and with what. Called by everything that looks at runs from outside.

A run goes on while a process that began it lives, which its lock tells. One that does not go on has come to an end when
the last process said so, after its last step; else that process was killed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from projects.core.record import lock
from projects.core.record.finish import elapsed, entrypoints, project_of, title
from projects.core.record.steps import FILE_NAME, Conclusion, Step, parse_time, read_conclusions, read_steps
from projects.core.record.verdict import verdict, within
from projects.core.values.errors import UsageError
from projects.core.values.outcomes import ExitCode, worst


class State(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    KILLED = "killed"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its record tells it at one moment.

    Attributes:
      root: Its artifact directory.
      steps: All its steps.
      conclusion: What the last process of it that came to an end said.
      alive: Whether a process that began it still lives.
    """

    root: Path
    steps: Sequence[Step]
    conclusion: Conclusion | None
    alive: bool

    @property
    def state(self) -> State:
        """How it stands."""
        if self.alive:
            return State.RUNNING
        if self.conclusion is None or self._goes_beyond(self.conclusion):
            return State.KILLED
        return State.FAILED if self.exit_code else State.PASSED

    @property
    def exit_code(self) -> ExitCode:
        """What it ended with; of one that has not come to an end, what its steps amount to so far."""
        if self.conclusion is not None:
            return worst([self.conclusion.exit_code])
        return verdict(self.steps).exit_code

    @property
    def judged(self) -> Sequence[Step]:
        """The steps that its outcome is about: those of the process that ended last, all when none has ended."""
        return within(self.steps, self.conclusion.steps) if self.conclusion else self.steps

    @property
    def name(self) -> str:
        """The project and the entrypoints, such as ``skeleton: prepare_ci, test_ci``."""
        project, names = project_of(self.steps), title(self.steps)
        return f"{project}: {names}" if project and names else names or project or "nothing was recorded"

    @property
    def project(self) -> str:
        """The project; empty when no entrypoint says it."""
        return project_of(self.steps)

    @property
    def entrypoints(self) -> Sequence[str]:
        """The names of the outermost entrypoints, in order, each once."""
        return list(dict.fromkeys(step.name for step in entrypoints(self.steps)))

    @property
    def start(self) -> str:
        """When its first step began; empty before that."""
        return self.steps[0].start if self.steps else ""

    def seconds(self, now: str) -> float:
        """Return how long it took, or has taken until `now` (as the record writes it) when it goes on."""
        if self.alive and self.steps:
            return (parse_time(now) - parse_time(self.start)).total_seconds()
        return elapsed(self.steps)

    def _goes_beyond(self, conclusion: Conclusion) -> bool:
        """Return whether a process began to work after the last one that came to an end."""
        return any(step.start > conclusion.end for step in self.steps)


def read_run(root: Path) -> Run:
    """Read how a run stands.

    Args:
      root: Its artifact directory.

    Raises:
      UsageError: there is no record in it.
    """
    if not (root / FILE_NAME).is_file():
        raise UsageError(
            f"expected the artifact directory of a run, found no {FILE_NAME} in it",
            hint="`run_toolbox.py runs list` tells which runs there are",
            place=root,
        )
    before = is_alive(root)  # what ends after this has not been killed
    conclusions = read_conclusions(root)
    steps = read_steps(root)
    return Run(root, steps, _last(conclusions, steps), before or is_alive(root))


def _last(conclusions: Sequence[Conclusion], steps: Sequence[Step]) -> Conclusion | None:
    """Return what the process that began the run said last; those that its steps have started end before it."""
    inner = {step.id for step in steps if step.parent}
    own = [each for each in conclusions if not inner.intersection(each.steps)]
    return own[-1] if own else None


def is_alive(root: Path) -> bool:
    """Return whether a run goes on; one of another user, whose lock cannot be opened, does not."""
    with contextlib.suppress(OSError):
        return lock.is_alive(root)
    return False
