from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from projects.core.record.following import Follower
from projects.core.record.steps import FILE_NAME, Feed, Step, read_steps
from projects.core.values.outcomes import Status
from tests.core.record.runs import failed_run, passed_run


def test_each_line_is_a_change(tmp_path: Path) -> None:
    run = passed_run(tmp_path)
    changes = list(Follower(tmp_path).changes())
    assert len(changes) == 2 * len(run.steps)
    assert [step.status for step in changes[:2]] == [Status.RUNNING, Status.RUNNING]


def test_what_was_told_is_not_told_again(tmp_path: Path) -> None:
    follower = Follower(tmp_path)
    assert list(follower.changes()) == []
    run = passed_run(tmp_path)
    assert list(follower.changes())
    assert list(follower.changes()) == []
    run.start("entrypoint", "later", ".", 10)
    assert [step.name for step in follower.changes()] == ["later"]


def test_the_last_change_of_each_step_is_how_it_stands(tmp_path: Path) -> None:
    failed_run(tmp_path)
    latest = {step.id: step for step in Follower(tmp_path).changes()}
    assert list(latest.values()) == read_steps(tmp_path)


def test_a_line_that_was_torn_by_a_kill_and_a_conclusion_are_no_changes(tmp_path: Path) -> None:
    run = passed_run(tmp_path)
    run.conclude(0, 4)
    with (tmp_path / FILE_NAME).open("a") as file:
        file.write('{"id": "torn", "sta\n[1]\n7\n')
    assert len(list(Follower(tmp_path).changes())) == 2 * len(run.steps)


@given(cuts=st.lists(st.integers(0, 3000), max_size=8))
def test_however_the_record_grows_the_changes_are_the_same(cuts: list[int], tmp_path_factory: object) -> None:
    root = Path(tmp_path_factory.mktemp("growing"))  # type: ignore[attr-defined]
    failed_run(root)
    whole = (root / FILE_NAME).read_bytes()
    expected = list(Follower(root).changes())
    follower = Follower(root)
    found: list[Step] = []
    for cut in [*sorted(cuts), len(whole)]:
        (root / FILE_NAME).write_bytes(whole[:cut])
        found += follower.changes()
    assert found == expected


def test_a_listener_hears_until_it_is_taken_off() -> None:
    feed, heard = Feed(), list[str]()
    take_off = feed.listen(lambda step: heard.append(step.id))
    feed.tell(Step("1", None, "wait", "w", "."))
    take_off()
    feed.tell(Step("2", None, "wait", "w", "."))
    assert heard == ["1"]
