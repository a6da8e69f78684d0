from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.library.options import GRACE_S, RunOptions, run_options
from projects.core.toolbox.conversion import Words
from projects.core.values.errors import UsageError
from tests.core.record.runs import passed_run


def test_nothing_given_is_a_plain_run() -> None:
    assert run_options() == RunOptions(grace=GRACE_S)
    assert not run_options().planning


def test_a_plan_and_a_check_are_without_effect(tmp_path: Path) -> None:
    assert run_options(plan=True).planning
    assert run_options(check=True, json=True, set_=Words(["a=1"])).settings == ("a=1",)


def test_what_lacks_another_option_is_told_at_once() -> None:
    with pytest.raises(UsageError) as error:
        run_options(json=True, explain=True, from_="x", timeout=0, grace=-1)
    assert str(error.value).splitlines() == [
        "--json is for --plan and --check",
        "--explain is for --resume",
        "--from is for --resume",
        "--timeout: expected a number of seconds above 0, found 0",
        "--grace: expected a number of seconds above 0, found -1",
    ]


def test_there_must_be_a_run_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"found no _steps.jsonl in"):
        run_options(resume=tmp_path)
    (tmp_path / "_steps.jsonl").touch()
    assert run_options(resume=tmp_path, explain=True).resume == tmp_path


def test_the_step_to_begin_from_has_to_be_one_of_that_run(tmp_path: Path) -> None:
    passed_run(tmp_path)
    assert run_options(resume=tmp_path, from_="test_ci").from_step == "test_ci"
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(UsageError, match="no step of the run is named 'tset_ci'"):
        run_options(resume=tmp_path, from_="tset_ci")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_trace_needs_a_file_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for wrong in (tmp_path, tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="--trace: expected a file that can be written"):
            run_options(trace=wrong)
    assert run_options(trace=tmp_path / "new" / "trace.json").trace == tmp_path / "new" / "trace.json"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
