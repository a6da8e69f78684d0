from __future__ import annotations

from pathlib import Path

from projects.core.record.listing import DEPTH, find_runs, list_runs
from tests.core.record.runs import Run, passed_run


def begun(root: Path, at: float) -> Path:
    root.mkdir(parents=True)
    Run(root).start("entrypoint", "test_ci", ".", at)
    return root


def test_the_newest_comes_first(tmp_path: Path) -> None:
    roots = [begun(tmp_path / name, at) for name, at in (("b", 2), ("c", 1), ("a", 3))]
    assert [run.root for run in list_runs(tmp_path)] == [roots[2], roots[0], roots[1]]


def test_runs_are_found_below_and_what_is_inside_one_belongs_to_it(tmp_path: Path) -> None:
    outer = begun(tmp_path / "job" / "build", 0)
    begun(outer / "000__prepare_ci", 1)
    assert list(find_runs(tmp_path)) == [outer]
    assert list(find_runs(outer)) == [outer]


def test_they_are_looked_for_so_far_and_no_further(tmp_path: Path) -> None:
    near = begun(tmp_path.joinpath(*"x" * DEPTH), 0)
    begun(tmp_path.joinpath(*"y" * (DEPTH + 1)), 0)
    assert list(find_runs(tmp_path)) == [near]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    base, elsewhere = tmp_path / "base", begun(tmp_path / "elsewhere", 0)
    base.mkdir()
    (base / "loop").symlink_to(base)
    (base / "run").symlink_to(elsewhere)
    assert list(find_runs(base)) == []


def test_what_is_no_record_of_ours_hides_nothing(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.mkdir()
    passed_run(good)
    other = tmp_path / "other"
    other.mkdir()
    (other / "_steps.jsonl").write_text('{"id": "1", "start": 5}\n[]\nnonsense\n')
    assert [run.root for run in list_runs(tmp_path)] == [good]
