from __future__ import annotations

import contextvars
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.library import env
from projects.core.record import context
from projects.core.record.steps import read_steps
from projects.core.values.checkout import ROOT
from projects.core.values.errors import NotInitialised, UsageError

PYTHON = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PATH": os.environ["PATH"]}


def numbers(directory: Path) -> list[int]:
    return sorted(int(path.name.partition("__")[0]) for path in directory.iterdir() if path.is_dir())


def test_there_is_no_directory_before_a_run(nowhere: None) -> None:
    assert not hasattr(env, "ARTIFACT_DIR")
    with pytest.raises(NotInitialised, match="there is no artifact directory yet") as caught:
        env.ARTIFACT_DIR  # noqa: B018
    assert "env.init()" in str(caught.value.hint)
    with pytest.raises(NotInitialised), env.NextArtifactDir("x"):
        pass


def test_hasattr_and_getattr_behave(run_root: Path) -> None:
    assert run_root == env.ARTIFACT_DIR
    assert not hasattr(env, "NO_SUCH_VARIABLE")
    assert getattr(env, "NO_SUCH_VARIABLE", "default") == "default"
    with pytest.raises(AttributeError, match="has no attribute 'NO_SUCH_VARIABLE'"):
        env.NO_SUCH_VARIABLE  # noqa: B018


def test_the_directory_is_the_given_one(nowhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "a" / "b"))
    assert env.init() == tmp_path / "a" / "b"
    assert env.init() == env.ARTIFACT_DIR
    assert env.owns_run()


def test_a_new_directory_is_made_below_the_base(nowhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESAIL_BASE_DIR", str(tmp_path / "base"))
    first = env.init()
    assert first.parent == tmp_path / "base"
    assert re.fullmatch(r"foresail_\d{8}-\d{6}", first.name)
    made = {first}
    for _ in range(5):
        made.add(contextvars.Context().run(_init_anew))
    assert len(made) == 6


def _init_anew() -> Path:
    context._root.clear()
    return env.init()


def test_a_directory_given_relatively_does_not_move(
    nowhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTIFACT_DIR", "relative")
    env.init()
    monkeypatch.chdir("/")
    assert tmp_path / "relative" == env.ARTIFACT_DIR


def test_contexts_yield_their_directory_and_restore_the_one_before(run_root: Path) -> None:
    with env.NextArtifactDir("outer") as outer:
        assert outer == env.ARTIFACT_DIR == run_root / "000__outer"
        with env.TempArtifactDir(outer / "x" / "inside") as inside:
            assert inside == env.ARTIFACT_DIR == outer / "x" / "inside"
            with env.NextArtifactDir("leaf") as leaf:
                assert leaf == inside / "000__leaf"
        assert outer == env.ARTIFACT_DIR
    assert run_root == env.ARTIFACT_DIR
    with env.NextArtifactDir("second") as second:
        assert second == run_root / "001__second"


def test_a_directory_is_restored_when_its_block_fails(run_root: Path) -> None:
    with pytest.raises(ValueError, match="on purpose"), env.NextArtifactDir("fails"):
        raise ValueError("on purpose")
    assert run_root == env.ARTIFACT_DIR


def test_each_directory_is_a_step_below_the_one_around(run_root: Path) -> None:
    with env.NextArtifactDir("outer"), env.TempArtifactDir("/tmp/../tmp"):
        pass
    outer, temporary = read_steps(run_root)
    assert (outer.kind, outer.name, outer.directory, outer.parent) == ("directory", "outer", "000__outer", None)
    assert (temporary.kind, temporary.parent, temporary.status) == ("directory", outer.id, "passed")
    assert temporary.directory.startswith("/")


def test_a_name_cannot_leave_the_directory(run_root: Path) -> None:
    assert env.claim_directory("a/../../b") == run_root / "000__a_.._.._b"


def test_numbers_go_on_after_999(run_root: Path) -> None:
    (run_root / "999__last").mkdir()
    assert env.next_artifact_index() == 1000
    assert env.claim_directory("x").name == "1000__x"
    assert env.claim_directory("x").name == "1001__x"


@given(st.lists(st.one_of(st.integers(0, 12000), st.sampled_from(["x", "12__a", "_ansible.log", "a__001", "__"]))))
def test_the_next_number_is_one_more_than_the_highest(
    tmp_path_factory: pytest.TempPathFactory, names: list[int | str]
) -> None:
    directory = tmp_path_factory.mktemp("numbered")
    for name in set(names):
        (directory / (f"{name:03d}__x" if isinstance(name, int) else name)).mkdir()
    taken = [name for name in names if isinstance(name, int)]
    claimed = env.claim_directory("new", directory)
    assert claimed.name == f"{max(taken, default=-1) + 1:03d}__new"


def test_64_threads_share_no_number_and_leave_no_gap(run_root: Path) -> None:
    def work() -> None:
        for _ in range(16):
            with env.NextArtifactDir(f"of_{threading.get_ident()}") as directory:
                (directory / "mine").touch(exist_ok=False)

    with ThreadPoolExecutor(64) as pool:
        for future in [pool.submit(contextvars.copy_context().run, work) for _ in range(64)]:
            future.result()
    assert numbers(run_root) == list(range(1024))
    assert len(read_steps(run_root)) == 1024


def test_8_processes_share_no_number_and_leave_no_gap(tmp_path: Path) -> None:
    code = (
        "import os\nfrom projects.core.library import env\nenv.init()\n"
        "for _ in range(125):\n    with env.NextArtifactDir(str(os.getpid())):\n        pass\n"
    )
    environment = {**PYTHON, "ARTIFACT_DIR": str(tmp_path)}
    children = [subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT) for _ in range(8)]
    assert [child.wait(90) for child in children] == [0] * 8
    assert numbers(tmp_path) == list(range(1000))
    assert len({step.id for step in read_steps(tmp_path)}) == 1000


def test_a_thread_without_a_context_stands_at_the_root(run_root: Path) -> None:
    seen: list[Path] = []
    with env.NextArtifactDir("outer"):
        thread = threading.Thread(target=lambda: seen.append(env.ARTIFACT_DIR))
        thread.start()
        thread.join()
    assert seen == [run_root]


def test_the_environment_of_this_process_is_never_written(run_root: Path) -> None:
    before = dict(os.environ)
    with env.NextArtifactDir("a"):
        env.child_environment()
        with env.TempArtifactDir(run_root / "b"):
            pass
    assert dict(os.environ) == before


CHILD = """
import json, os
from projects.core.library import env
env.init()
with env.NextArtifactDir("of_the_child") as directory:
    print(json.dumps([str(directory), env.owns_run()]))
"""


def test_a_child_process_joins_the_record(run_root: Path) -> None:
    with env.NextArtifactDir("outer") as outer:
        done = subprocess.run(
            [sys.executable, "-c", CHILD],
            env={**PYTHON, **env.child_environment()},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.strip() == f'["{outer}/000__of_the_child", false]'
    around, child = read_steps(run_root)
    assert (child.name, child.parent, child.directory) == (
        "of_the_child",
        around.id,
        "000__outer/000__of_the_child",
    )
    assert not (outer / "_steps.jsonl").exists()


def test_a_child_that_writes_elsewhere_is_a_run_of_its_own(run_root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with env.NextArtifactDir("outer"):
        environment = {**PYTHON, **env.child_environment(), "ARTIFACT_DIR": str(other)}
        done = subprocess.run(
            [sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, check=True
        )
    assert done.stdout.strip().endswith("true]")
    assert [step.parent for step in read_steps(other)] == [None]


@pytest.mark.parametrize("variable", ["ARTIFACT_DIR", "FORESAIL_BASE_DIR"])
def test_a_directory_that_cannot_be_made_is_a_wrong_use(
    nowhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(variable, str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"cannot be made.*File exists") as caught:
        env.init()
    assert caught.value.hint == f"${variable} says where it is"
