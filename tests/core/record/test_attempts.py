from __future__ import annotations

from projects.core.record.attempts import Attempts, paths, superseded
from projects.core.record.steps import Step
from projects.core.record.verdict import verdict


def step(name: str, parent: str | None = None, *, of: str = "", **values: object) -> Step:
    return Step(name, parent, "directory", of or name, ".", status="passed", **values)  # type: ignore[arg-type]


def test_attempts_of_a_step_have_one_path_whatever_their_ids() -> None:
    steps = [step("a"), step("b", "a", of="x"), step("a2", of="a", attempt=2), step("b2", "a2", of="x", attempt=2)]
    known = paths(steps)
    assert known["b"] == known["b2"] == (("directory", "a", 0), ("directory", "x", 0))
    assert [each.id for each in Attempts(steps).of(known["b"])] == ["b", "b2"]


def test_what_is_inside_an_earlier_attempt_is_superseded_with_it() -> None:
    steps = [step("a"), step("gone", "a"), step("a2", of="a", attempt=2), step("new", "a2")]
    assert superseded(steps) == {"a", "gone"}


def test_occurrences_are_different_steps() -> None:
    steps = [step("a", of="x"), step("b", of="x", occurrence=1, attempt=2)]
    assert superseded(steps) == set()


def test_a_failure_that_a_later_attempt_took_the_place_of_does_not_count() -> None:
    failed = step("a")
    failed.status = "failed"
    assert not verdict([failed]).passed
    assert verdict([failed, step("a2", of="a", attempt=2)]).passed


def test_what_only_reuses_is_no_attempt() -> None:
    steps = [step("a"), step("b", of="a", reuses="a")]
    assert [each.id for each in Attempts(steps).of(paths(steps)["a"])] == ["a"]
