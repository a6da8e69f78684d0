from pathlib import Path

import pytest

from projects.core.record.artifacts import read_tail, write_atomically
from projects.core.record.finish import finish
from projects.core.values.outcomes import ExitCode
from tests.core.record.runs import failed_run, passed_run


def test_passed(tmp_path: Path) -> None:
    passed_run(tmp_path)
    (tmp_path / "FAILURES").write_text("of an earlier run")
    assert finish(tmp_path, properties={}) == ExitCode.PASSED
    assert (tmp_path / "FINISHED").read_text() == (
        "Test of 'test_ci' succeeded after 00 hours 00 minutes 03 seconds.\nexit code 0: passed\n"
    )
    assert not (tmp_path / "FAILURES").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_failed(tmp_path: Path) -> None:
    failed_run(tmp_path)
    assert finish(tmp_path, properties={}) == ExitCode.TEST_FAILED
    assert (
        (tmp_path / "FINISHED").read_text().startswith("Test of 'fails' failed after 00 hours 00 minutes 02 seconds.")
    )
    assert (tmp_path / "FAILURES").exists()


def test_the_worst_of_record_and_caller_wins(tmp_path: Path) -> None:
    passed_run(tmp_path)
    assert finish(tmp_path, properties={}, exit_code=130) == ExitCode.INTERRUPTED
    assert "exit code 130: interrupted" in (tmp_path / "FAILURES").read_text()


def test_nothing_recorded_is_not_a_pass(tmp_path: Path) -> None:
    assert finish(tmp_path, properties={}) == ExitCode.TEST_FAILED
    assert finish(tmp_path, properties={}, exit_code=2) == ExitCode.USAGE


def test_since(tmp_path: Path) -> None:
    run = failed_run(tmp_path)
    main = run.start("entrypoint", "post_cleanup_ci", ".", 10)
    run.end(main, 3700)
    assert finish(tmp_path, properties={}, since={main.id}) == ExitCode.PASSED
    assert (
        (tmp_path / "FINISHED")
        .read_text()
        .startswith("Test of 'post_cleanup_ci' succeeded after 01 hours 01 minutes 30 seconds.")
    )
    assert (tmp_path / "FAILURES").exists(), "the run's first entrypoint did fail"


@pytest.mark.parametrize("dies_at", ["FAILURES", "junit_foresail.xml", "FINISHED"])
def test_killed_in_between_never_looks_passed_or_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    failed_run(tmp_path)
    (tmp_path / "FINISHED").write_text("of an earlier process")

    class Killed(BaseException):
        pass

    def dying(path: Path, text: str) -> None:
        if path.name == dies_at:
            raise Killed
        write_atomically(path, text)

    for module in ("failures", "junit", "finish"):
        monkeypatch.setattr(f"projects.core.record.{module}.write_atomically", dying)
    with pytest.raises(Killed):
        finish(tmp_path, properties={})
    assert not (tmp_path / "FINISHED").exists()
    assert dies_at == "FAILURES" or (tmp_path / "FAILURES").exists()


def test_atomic_write_leaves_the_old_text_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    write_atomically(path, "old")
    monkeypatch.setattr(
        "projects.core.record.artifacts.os.fdopen", lambda *_args, **_kw: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_read_tail(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert read_tail(path) == ""
    assert read_tail(tmp_path) == ""
    path.write_text("".join(f"{number}\n" for number in range(1000)))
    assert read_tail(path, 10) == "998\n999\n"
    path.write_text("x" * 100)
    assert read_tail(path, 10) == "x" * 10
