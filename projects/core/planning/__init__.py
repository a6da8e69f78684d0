"""A plan: what a run would do, found out by the run itself with every side effect closed; and what it needs of the cluster.

The library asks `is_planning` wherever it would have an effect; `forgiving` runs the planned code; `show` and `check` tell
what came of it.
"""

from __future__ import annotations

from pathlib import Path

from projects.core.planning.dependence import forgiven, forgiving
from projects.core.planning.notes import secret
from projects.core.record.plan_notes import is_planning, note
from projects.core.values.outcomes import ExitCode

__all__ = ["check", "forgiven", "forgiving", "is_planning", "note", "secret", "show"]


def show(root: Path, *, as_json: bool, earlier_runs: Path) -> None:
    """Print a plan on standard output; see `showing.show`."""
    from projects.core.planning import showing  # noqa: PLC0415 - who only asks whether it is planned needs none of it

    showing.show(root, as_json=as_json, earlier_runs=earlier_runs)


def check(root: Path, *, as_json: bool = False) -> ExitCode:
    """Ask the cluster for what a plan needs, and print what is missing; see `checking.check`."""
    from projects.core.planning import checking  # noqa: PLC0415 - likewise

    return checking.check(root, as_json=as_json)
