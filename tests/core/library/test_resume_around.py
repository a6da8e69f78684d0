"""Resume where a skip would take something along that has to be done, and the plan of a resumed run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from projects.core.library import commands, env, run, wait
from projects.core.record import context
from projects.core.record.attempts import Attempts
from projects.core.record.steps import Record, read_steps
from projects.core.values.errors import UsageError
from tests.core.library import test_resume
from tests.core.library.played_host import PlayedHost
from tests.core.library.test_resume import explained, go, go_on, went
from tests.core.trees import write_role

host = test_resume.host


@contextmanager
def planned(earlier: Path, root: Path) -> Iterator[None]:
    """Stand in the plan of a run that goes on."""
    root.mkdir()
    done = Attempts(read_steps(earlier), earlier)
    with context.standing(context.Place(Record(root, planning=True), root, earlier=done)):
        yield


@run.step
def go_inside() -> int:
    """Run a command inside of a step."""
    go("inner")
    return 1


def test_what_is_around_the_step_to_begin_from_is_not_skipped(
    host: PlayedHost, run_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    go("first")
    go_inside()
    go_on(run_root)

    def both() -> None:
        go("first")
        go_inside()

    said = explained(capsys, both, from_step="001__go_inside/000__car__go")
    assert went(host) == ["first", "inner", "inner"]
    assert said.count("asks for it") == 2


def test_a_step_runs_again_when_the_role_of_a_command_inside_has_changed(
    host: PlayedHost, run_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    go_inside()
    go_on(run_root)
    assert "go_inside: skipped" in explained(capsys, go_inside)
    write_role(tmp_path / "toolbox/car/roles/car_go", "- name: Walk\n  debug:\n")
    go_on(run_root)
    assert explained(capsys, go_inside).splitlines() == [
        "resume: go_inside: runs: the code of car go, which ran in it, has changed",
        "resume: car go: runs: its code has changed",
    ]
    shutil.rmtree(tmp_path / "toolbox/car/roles/car_go")
    go_on(run_root)
    with pytest.raises(UsageError, match="no role"):
        go_inside()


def test_the_code_of_a_command_is_read_once(host: PlayedHost) -> None:
    commands._code_of.cache_clear()
    go()
    go()
    assert commands._code_of.cache_info().misses == 1


def test_what_is_tried_again_in_a_resumed_run_is_done_again(
    host: PlayedHost, run_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = [True]

    @wait.retry(on=ValueError, attempts=2, interval=0.01, longest=0.01)
    def attempt() -> None:
        go()
        if failing.pop():
            raise ValueError("not yet")

    with pytest.raises(IndexError):
        attempt()
    go_on(run_root)
    failing[:] = [False, True]
    said = explained(capsys, attempt)
    assert went(host) == ["rome"] * 3
    assert said.splitlines() == [
        "resume: car go: skipped: passed in attempt 1, and nothing has changed since (001__attempt__attempt_2/000__car__go)",
        "resume: car go: runs: attempt is tried again",
    ]


def test_a_plan_shows_what_a_probe_may_spare(host: PlayedHost, run_root: Path, tmp_path: Path) -> None:
    (tmp_path / "toolbox/car/roles/car_go/tasks/probe.yml").write_text("---\n- name: Are we there\n  debug:\n")
    go()
    context.here().record._append({"id": read_steps(run_root)[0].id, "status": "running", "end": None})
    host.requests.clear()
    with planned(run_root, tmp_path / "plan"):
        go()
    assert [request.tasks_from for request in host.requests] == ["main"]


def test_a_plan_of_the_rest_makes_nothing_outside_of_its_directory(
    host: PlayedHost, run_root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"

    def work(to: str) -> None:
        with env.TempArtifactDir(outside), env.NextArtifactDir("inner"):
            go(to)

    work("rome")
    before = sorted(outside.rglob("*"))
    with planned(run_root, tmp_path / "plan"):
        work("pisa")
    assert went(host) == ["rome", "pisa"]
    assert sorted(outside.rglob("*")) == before
