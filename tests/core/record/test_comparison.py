from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.record.comparison import Change, Comparison, compare, effective
from projects.core.record.steps import Cause, Step, read_steps
from projects.core.values.outcomes import Status
from tests.core.record.runs import Run, moment, passed_run


def step(name: str, *, seconds: float = 1.0, **fields: Any) -> Step:
    given = {"kind": "directory", "directory": name, "start": moment(0), "end": moment(seconds), "status": "passed"}
    return Step(id=f"{name}-{seconds}-{len(fields)}", parent=None, name=name, **{**given, **fields})


def changes(found: Comparison) -> list[tuple[str, Change]]:
    return [(pair.step.name, pair.change) for pair in found.differences]


def test_a_run_is_like_itself(tmp_path: Path) -> None:
    steps = passed_run(tmp_path).steps
    found = compare(steps, steps)
    assert found.same_outcome
    assert len(found.pairs) == len(steps)
    assert changes(found) == []


def test_what_only_one_of_them_has_stands_where_it_ran() -> None:
    a, b = [step("one"), step("two"), step("three")], [step("one"), step("three"), step("four")]
    found = compare(a, b)
    assert [pair.step.name for pair in found.pairs] == ["one", "two", "three", "four"]
    assert changes(found) == [("two", Change.ONLY_A), ("four", Change.ONLY_B)]
    assert not found.same_outcome


def test_another_end_is_another_outcome() -> None:
    found = compare([step("one")], [step("one", status=Status.FAILED, cause=Cause("E", "m", "x"))])
    assert changes(found) == [("one", Change.STATUS)]
    assert not found.same_outcome


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (10.0, 12.0, Change.SAME),
        (10.0, 13.0, Change.SLOWER),
        (13.0, 10.0, Change.FASTER),
        (0.1, 0.9, Change.SAME),
        (0.0, 5.0, Change.SLOWER),
    ],
)
def test_a_duration_counts_beyond_the_noise_and_never_as_an_outcome(
    before: float, after: float, change: Change
) -> None:
    found = compare([step("one", seconds=before)], [step("one", seconds=after)])
    assert found.pairs[0].change is change
    assert found.same_outcome


def test_a_step_without_an_end_has_no_ratio() -> None:
    (pair,) = compare([step("one", end=None)], [step("one")]).pairs
    assert pair.ratio is None
    assert pair.change is Change.SAME


def test_the_same_name_twice_is_two_steps() -> None:
    found = compare([step("one"), step("one", occurrence=1)], [step("one")])
    assert changes(found) == [("one", Change.ONLY_A)]


def resumed(root: Path) -> list[Step]:
    """A run whose second command failed, resumed: the first command, with a step inside, is reused, the second done again."""
    run = Run(root)
    main = run.start("entrypoint", "test_ci", ".", 0)
    first = run.start("step", "first", ".", 1, main)
    inner = run.start("directory", "inner", "000__inner", 1, first)
    run.end(inner, 2)
    run.end(first, 3)
    second = run.start("command", "group second", "001__second", 3, main)
    run.end(second, 4, Status.FAILED, cause := Cause("E", "m", second.id))
    run.end(main, 5, Status.FAILED, cause)
    again = run.start("entrypoint", "test_ci", ".", 10)
    skipped = run.start("step", "first", ".", 11, again)
    run.end(skipped, 11, Status.SKIPPED)
    second_again = run.start("command", "group second", "002__second", 12, again)
    run.end(second_again, 13)
    run.end(again, 14)
    steps = read_steps(root)
    by_id = {each.id: each for each in steps}
    for each in (again, skipped, second_again):
        by_id[each.id].attempt = 2
    by_id[skipped.id].reuses = first.id
    return steps


def test_a_resumed_run_is_compared_by_the_attempts_that_count(tmp_path: Path) -> None:
    steps = resumed(tmp_path)
    found = effective(steps)
    assert [(each.name, each.status, each.attempt) for each in found.values()] == [
        ("test_ci", Status.PASSED, 2),
        ("first", Status.PASSED, 1),
        ("inner", Status.PASSED, 1),
        ("group second", Status.PASSED, 2),
    ]


MIRRORED = {
    Change.ONLY_A: Change.ONLY_B,
    Change.ONLY_B: Change.ONLY_A,
    Change.SLOWER: Change.FASTER,
    Change.FASTER: Change.SLOWER,
}
STEPS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["passed", "failed"]), st.sampled_from([1.0, 9.0])),
    unique_by=lambda each: each[0],
)


@given(STEPS, STEPS)
def test_the_other_way_round_is_the_mirror_image(
    left: list[tuple[str, str, float]], right: list[tuple[str, str, float]]
) -> None:
    a, b = ([step(name, seconds=seconds, status=status) for name, status, seconds in each] for each in (left, right))
    there = {pair.path: pair.change for pair in compare(a, b).pairs}
    back = {pair.path: pair.change for pair in compare(b, a).pairs}
    assert there.keys() == back.keys()
    assert {path: MIRRORED.get(change, change) for path, change in there.items()} == back
    assert compare(a, b).same_outcome == compare(b, a).same_outcome
    assert compare(a, a).same_outcome


def test_a_pair_is_found_by_the_step_of_either_run() -> None:
    a, b = step("one", seconds=1), step("one", seconds=2)
    by_step = compare([a], [b]).by_step()
    assert by_step[a.id] is by_step[b.id]
    assert by_step[a.id].ratio == 2
