from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.record.standing import State, read_run
from projects.core.values.errors import UsageError
from projects.core.values.outcomes import ExitCode
from tests.core.record.holder import held
from tests.core.record.runs import Run, failed_run, moment, passed_run


def test_a_run_that_said_what_it_came_to_has_ended(tmp_path: Path) -> None:
    passed_run(tmp_path).conclude(0, 4)
    run = read_run(tmp_path)
    assert (run.state, run.exit_code, run.entrypoints) == (State.PASSED, ExitCode.PASSED, ["test_ci"])
    assert run.seconds(moment(1000)) == pytest.approx(3.1)


def test_it_failed_with_what_the_process_exited_with(tmp_path: Path) -> None:
    failed_run(tmp_path).conclude(3, 4)
    run = read_run(tmp_path)
    assert (run.state, run.exit_code) == (State.FAILED, ExitCode.INFRASTRUCTURE)


def test_a_run_whose_owner_is_gone_without_a_word_was_killed(tmp_path: Path) -> None:
    passed_run(tmp_path)
    assert read_run(tmp_path).state is State.KILLED


def test_a_run_goes_on_while_its_owner_lives_and_not_a_moment_longer(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.start("entrypoint", "test_ci", ".", 0)
    with held(tmp_path) as owner:
        assert read_run(tmp_path).state is State.RUNNING
        assert read_run(tmp_path).seconds(moment(70)) == 70
        owner.kill()
        owner.wait()
        assert read_run(tmp_path).state is State.KILLED


def test_a_second_process_that_was_killed_is_not_excused_by_the_first(tmp_path: Path) -> None:
    run = passed_run(tmp_path)
    run.conclude(0, 4)
    run.start("entrypoint", "test_ci", ".", 5)
    assert read_run(tmp_path).state is State.KILLED


def test_the_outcome_is_that_of_the_last_process(tmp_path: Path) -> None:
    run = failed_run(tmp_path)
    run.conclude(1, 4)
    again = run.start("entrypoint", "post_cleanup_ci", ".", 5)
    run.end(again, 6)
    run.conclude(0, 7, again)
    found = read_run(tmp_path)
    assert found.state is State.PASSED
    assert [step.name for step in found.judged] == ["post_cleanup_ci"]
    assert found.name == "fails, post_cleanup_ci"


def test_what_a_step_has_started_does_not_end_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    inner = run.start("entrypoint", "other", ".", 1, main)
    run.end(inner, 2)
    run.conclude(0, 3, inner)
    assert read_run(tmp_path).conclusion is None


def test_a_directory_without_a_record_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"found no _steps\.jsonl") as caught:
        read_run(tmp_path)
    assert "runs list" in (caught.value.hint or "")
