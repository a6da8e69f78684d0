"""The options that every entrypoint takes beside its own arguments. Read by `entrypoint.main`, carried out by `session`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from projects.core.record.naming import find_step
from projects.core.record.steps import FILE_NAME, read_steps
from projects.core.toolbox.conversion import Words
from projects.core.values.errors import UsageError

GRACE_S = 15.0
"""Seconds between the TERM and the KILL of a CI job: Prow's default."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is to go; see `run_options` for each."""

    settings: tuple[str, ...] = ()
    plan: bool = False
    check: bool = False
    as_json: bool = False
    resume: Path | None = None
    explain: bool = False
    from_step: str | None = None
    timeout: float | None = None
    grace: float = GRACE_S
    trace: Path | None = None

    @property
    def planning(self) -> bool:
        """Whether nothing may have an effect."""
        return self.plan or self.check


_NONE = Words()


def run_options(  # noqa: PLR0913 - the flags of a command line
    *,
    set_: Words = _NONE,
    plan: bool = False,
    check: bool = False,
    json: bool = False,
    resume: Path | None = None,
    explain: bool = False,
    from_: str | None = None,
    timeout: float | None = None,
    grace: float = GRACE_S,
    trace: Path | None = None,
) -> RunOptions:
    """Return the options of a run, when they go together.

    Args:
      set_: A key of the configuration and its value, KEY=VALUE, above presets and below the overrides of a pull request.
      plan: Show what would run, and run nothing.
      check: Show what would run, and ask the cluster whether what it needs is there.
      json: Print the plan as JSON.
      resume: Artifact directory of a run to go on with: what has been done there already is skipped.
      explain: Say for each step why it is skipped or run.
      from_: The step from which on everything runs again: its name or its directory.
      timeout: Seconds that the run is given.
      grace: Seconds between a signal, or the time-out, and the end: clean-up and reports have to be done within them.
      trace: File for the run's trace (OTLP, a JSON document a line).

    Raises:
      UsageError: one lacks another, there is no run to go on with, or no such step in it.
    """
    lacking = ["--json is for --plan and --check"] * (json and not (plan or check))
    lacking += [
        f"--{name} is for --resume" for name, given in (("explain", explain), ("from", from_)) if given and not resume
    ]
    lacking += [
        f"--{name}: expected a number of seconds above 0, found {value:g}"
        for name, value in (("timeout", timeout), ("grace", grace))
        if value is not None and value <= 0
    ]
    if resume and not (resume / FILE_NAME).is_file():
        lacking.append(f"--resume: expected the artifact directory of a run, found no {FILE_NAME} in {resume}")
    if trace and not _can_be_written(trace.absolute()):
        lacking.append(f"--trace: expected a file that can be written, found {trace}")
    if lacking:
        raise UsageError("\n".join(lacking))
    if resume and from_:
        # Before anything is written there: a slip must not change what the run came to.
        find_step(read_steps(resume), from_)
    return RunOptions(
        settings=tuple(set_),
        plan=plan,
        check=check,
        as_json=json,
        resume=resume.absolute() if resume else None,
        explain=explain,
        from_step=from_,
        timeout=timeout,
        grace=grace,
        trace=trace,
    )


def _can_be_written(path: Path) -> bool:
    """Return whether a file can be made or written; the directories around it are made when it is."""
    if path.exists():
        return path.is_file() and os.access(path, os.W_OK)
    around = next(each for each in path.parents if each.exists())
    return around.is_dir() and os.access(around, os.W_OK)
