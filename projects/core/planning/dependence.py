"""Which failures of planned code come, or may come, of what only a real run can know. Called while planning, and by what shows a plan.

An orchestration that was given such a value may fail by it, which is no mistake of its author: from that step on, the plan
depends on the value. A failure before any such value was handed out is one that a run would have, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from projects.core.planning.notes import watched
from projects.core.record import context
from projects.core.record.plan_notes import Note, read_notes
from projects.core.record.steps import Step, read_steps
from projects.core.values.outcomes import Status
from projects.core.values.unknown import unknowns

_FAILED = (Status.FAILED, Status.TIMED_OUT)
_ALWAYS_REAL = ("CommandFailed", "ConfigError", "TemplateError", "UnknownKey", "UsageError", "WrongKind")
"""Errors that say themselves what is not known, when that is why."""
_SLIPS = ("ImportError", "ModuleNotFoundError", "NameError", "SyntaxError")
_SLIP = "module '"
"""Errors of the code itself, and how the message of an `AttributeError` begins that is one: no value makes or mends them."""
_MOST = 3


def dependences(root: Path, steps: Iterable[Step], notes: Sequence[Note]) -> dict[str, list[str]]:
    """Return what each failed step depends on that is not known; nothing for one that would fail in a run, too.

    Args:
      root: The plan's root.
      steps: Its steps.
      notes: Its notes.

    Returns:
      What is not known, by the id of the step where the failure began.
    """
    failed = [step for step in steps if step.status in _FAILED and step.cause and step.cause.step == step.id]
    return {step.id: _reasons(root, step, notes) for step in failed}


def forgiven() -> bool:
    """Return whether something in the present plan has failed, and all that has may be otherwise in a run."""
    root = context.here().record.root
    found = dependences(root, read_steps(root), read_notes(root))
    return bool(found) and all(found.values())


def forgiving(work: Callable[[], object]) -> Callable[[], object]:
    """Return what does some work as a plan: what it fails by is no failure when it depends on what is not known."""

    def planned() -> object:
        with watched():
            try:
                return work()
            except BaseException:
                if forgiven():
                    return None
                raise

    return planned


def _reasons(root: Path, step: Step, notes: Sequence[Note]) -> list[str]:
    assert step.cause is not None
    if said := unknowns(step.cause.message):
        return said
    if step.cause.type == "UnknownValue":
        return [step.cause.message.removesuffix(" is known to a real run only")]
    if step.cause.type == "FileNotFoundError" and f"{root}/" in step.cause.message:
        path = step.cause.message.partition(f"{root}/")[2].partition("'")[0]
        return [f"the file $ARTIFACT_DIR/{path}"]
    slip = step.cause.type == "AttributeError" and step.cause.message.startswith(_SLIP)
    if slip or step.cause.type in (*_ALWAYS_REAL, *_SLIPS):
        return []
    before = [each for each in notes if each.time <= (step.end or each.time)]
    told = [each.what for each in before if each.kind == "decision"]
    given = [each.what for each in before if each.kind == "unknown"]
    return list(dict.fromkeys(reversed(told or given)))[:_MOST]
