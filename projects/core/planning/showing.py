"""Printing a plan. Called by the session of ``--plan`` and ``--check``, through `planning.show`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from projects.core.planning.text import write
from projects.core.planning.tree import ARTIFACT_DIR, Plan, read_plan
from projects.core.record.finish import project_of
from projects.core.record.history import Durations
from projects.core.record.steps import read_steps
from projects.core.values.redaction import REDACTOR


def show(root: Path, *, as_json: bool, earlier_runs: Path) -> None:
    """Print a plan on standard output.

    Args:
      root: The plan's root, which is shown as ``$ARTIFACT_DIR``.
      as_json: Whether it is printed as JSON, alone.
      earlier_runs: The directory that earlier runs are in, which tell how long steps take.
    """
    project = project_of(read_steps(root))
    plan = read_plan(root, Durations.of(earlier_runs, project) if project else None)
    text = json.dumps(document(plan), indent=2, ensure_ascii=False, default=str) + "\n" if as_json else write(plan)
    sys.stdout.write(REDACTOR.redact(text.replace(str(root), ARTIFACT_DIR)))
    sys.stdout.flush()


def document(plan: Plan) -> dict[str, object]:
    """Return a plan as JSON says it."""
    return {
        "project": plan.project,
        "estimate_s": None if plan.estimate is None else round(plan.estimate, 3),
        "earlier_runs": plan.runs,
        "steps": [each.document() for each in plan.steps],
    }
