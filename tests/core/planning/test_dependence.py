"""What is held to depend on what only a run knows, and what is a mistake whatever a run would answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.library import run, secrets
from projects.core.library.scope import StepScope
from projects.core.planning.dependence import forgiven
from projects.core.planning.notes import secret
from projects.core.record.plan_notes import read_notes
from projects.core.record.steps import read_steps
from projects.core.values.secret import Secret


@run.step
def _reserved() -> str:
    return str(run.run("reserve", capture_stdout=True).stdout)


def _fail(error: Exception) -> None:
    with pytest.raises(type(error)), StepScope("directory", "after it"):
        raise error


def test_what_a_step_returns_is_recorded_without_being_decided_by(plan_root: Path) -> None:
    _reserved()
    assert [note.kind for note in read_notes(plan_root)] == ["unknown"]


def test_an_error_after_what_is_not_known_may_come_of_it(plan_root: Path) -> None:
    _reserved()
    _fail(ValueError("expected three words"))
    assert forgiven()


@pytest.mark.parametrize(
    "slip",
    [
        NameError("name 'cuont' is not defined"),
        AttributeError("module 'json' has no attribute 'laod'"),
        ModuleNotFoundError("No module named 'nowhere'"),
    ],
    ids=lambda slip: type(slip).__name__,
)
def test_a_slip_of_the_code_is_one_whatever_a_run_would_answer(plan_root: Path, slip: Exception) -> None:
    _reserved()
    _fail(slip)
    assert not forgiven()


def test_a_plan_goes_on_after_a_secret_was_handed_to_a_program(plan_root: Path) -> None:
    token = Secret(secret("vault.token", "token", "VAULT"), "vault.token")
    with secrets.file(token) as path:
        run.run(f"wc -c {path}")
    assert [step.name for step in read_steps(plan_root)] == ["`wc -c <unknown: a private copy of vault.token>`"]
