from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.record.naming import find_step, own_name
from projects.core.record.steps import Step
from projects.core.values.errors import UsageError
from tests.core.record.runs import failed_run, moment, passed_run


@pytest.fixture
def steps(tmp_path: Path) -> list[Step]:
    return failed_run(tmp_path).steps


@pytest.mark.parametrize(
    "text",
    [
        "s0003",
        "001__outer/000__accrecord__bad",
        "001__outer/000__accrecord__bad/",
        "000__accrecord__bad",
        "accrecord bad",
        "bad",
    ],
)
def test_a_step_is_found_by_each_of_its_names(steps: list[Step], text: str) -> None:
    assert find_step(steps, text).id == "s0003"


def test_an_entrypoint_is_found_beside_the_root(steps: list[Step]) -> None:
    assert find_step(steps, "fails").kind == "entrypoint"
    assert find_step(steps, "fails") is find_step(steps, steps[0].name)


def test_a_branch_does_not_hide_the_step_whose_directory_it_works_in(tmp_path: Path) -> None:
    steps = passed_run(tmp_path).steps
    assert find_step(steps, "000__alpha/000__beta").kind == "parallel"
    assert find_step(steps, "000__beta").kind == "parallel"
    assert find_step(steps, "left").kind == "branch"


def test_a_wrong_name_is_told_with_the_nearest(steps: list[Step]) -> None:
    with pytest.raises(UsageError, match="no step of the run is named 'accrecord bda'") as caught:
        find_step(steps, "accrecord bda")
    assert caught.value.hint == "did you mean 'accrecord bad'?"


def test_a_name_that_is_like_none_is_told_with_what_there_is(steps: list[Step]) -> None:
    with pytest.raises(UsageError) as caught:
        find_step(steps, "xyzzy")
    assert "000__fine" in (caught.value.hint or "")


def test_an_ambiguous_name_is_told_with_all_that_it_names() -> None:
    steps = [
        Step("a", None, "command", "server deploy", "000__server__deploy", start=moment(0)),
        Step("b", None, "command", "client deploy", "001__client__deploy", start=moment(1)),
    ]
    with pytest.raises(UsageError, match="2 steps are named 'deploy'") as caught:
        find_step(steps, "deploy")
    assert "000__server__deploy" in caught.value.message
    assert "001__client__deploy" in caught.value.message


def test_the_same_step_twice_is_told_by_its_occurrences() -> None:
    steps = [
        Step("a", None, "command", "server deploy", "000__server__deploy", start=moment(0)),
        Step("b", None, "command", "server deploy", "001__server__deploy", start=moment(1), occurrence=1),
    ]
    with pytest.raises(UsageError, match="2 steps"):
        find_step(steps, "server deploy")
    assert find_step(steps, "001__server__deploy").id == "b"


def test_of_several_attempts_the_last_is_meant() -> None:
    steps = [
        Step("a", None, "command", "server deploy", "000__server__deploy", start=moment(0)),
        Step("b", None, "command", "server deploy", "001__server__deploy", start=moment(1), attempt=2),
    ]
    assert find_step(steps, "server deploy").id == "b"
    assert find_step(steps, "000__server__deploy").id == "a"


def test_what_a_step_is_called_inside_the_one_around_it() -> None:
    main = Step("a", None, "entrypoint", "test_ci", ".")
    rehearsed = Step("b", None, "entrypoint", "test_ci", "001__test_ci")
    inner = Step("c", "b", "command", "server deploy", "001__test_ci/000__server__deploy")
    wait = Step("d", "c", "wait", "the pods are ready", inner.directory)
    assert own_name(main, None) == "test_ci"
    assert own_name(rehearsed, None) == "001__test_ci"
    assert own_name(inner, rehearsed) == "000__server__deploy"
    assert own_name(wait, inner) == "the pods are ready"
    steps = [rehearsed, inner, wait]
    assert [
        find_step(steps, own_name(each, around))
        for each, around in ((rehearsed, None), (inner, rehearsed), (wait, inner))
    ] == steps
