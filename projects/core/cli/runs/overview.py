"""`runs list`: which runs there are below a directory."""

from __future__ import annotations

from pathlib import Path

from projects.core.cli.runs.headings import moment, standing, state_part
from projects.core.console.paper import Paper
from projects.core.library.directories import base_directory
from projects.core.record.durations import duration
from projects.core.record.listing import list_runs
from projects.core.record.steps import timestamp
from projects.core.values.errors import UsageError


def list_(base: Path | None = None) -> None:
    """List the runs below a directory, the newest first: when it began, how it stands, how long it took, what it is, where.

    Args:
      base: The directory; $FORESAIL_BASE_DIR when it is not given, /tmp when that is unset.
    """
    base = (base or base_directory()).expanduser().absolute()
    if not base.is_dir():
        raise UsageError("expected a directory that holds runs", place=base, hint="--base says where to look")
    runs = list_runs(base)
    paper, now = Paper(), timestamp()
    if not runs:
        paper.line(f"no runs below {base}")
    width = max((len(standing(run)) for run in runs), default=0)
    for run in runs:
        took = duration(run.seconds(now)).rjust(6)
        paper.line(f"{moment(run.start)}  ", state_part(run, width), f"  {took}  ", (run.name, "bold"))
        print(f"  {run.root}")  # whole, to be copied
