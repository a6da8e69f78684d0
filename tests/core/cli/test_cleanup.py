"""`runs cleanup` of a directory in which several processes have worked, one of which was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.cli.cleanup import cleanup
from projects.core.record import context, lock
from projects.core.record.finish import finish
from projects.core.record.steps import Conclusion, Record, Step, timestamp
from projects.core.values.outcomes import Status


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which `prepare_ci` has passed and said so."""
    monkeypatch.setattr(context, "_root", [])
    monkeypatch.setattr(lock, "_held", {})
    root = tmp_path / "run"
    root.mkdir()
    record = Record(root)
    step = Step("s1", None, "entrypoint", "prepare_ci", ".", project="probe")
    record.start(step)
    record.end(step, Status.PASSED)
    finish(root, properties={}, since=["s1"])
    record.conclude(Conclusion(0, ("s1",), timestamp()))
    record.close()
    return root


def clean_up(root: Path) -> int:
    token = context._here.set(None)
    try:
        return cleanup(root)
    finally:
        context._here.reset(token)


def test_of_a_killed_entrypoint_after_one_that_passed_everything_is_written(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = Record(root)
    record.start(Step("s2", None, "entrypoint", "test_ci", ".", project="probe"))
    record.start(Step("s3", "s2", "directory", "measure", "000__measure"))
    record.close()
    assert clean_up(root) == 0
    assert "FAILURES, JUnit and the report are written" in capsys.readouterr().out
    assert "the process died while these ran:\n     test_ci\n     000__measure\n" in (root / "FAILURES").read_text()
    assert "failed" in (root / "FINISHED").read_text()


def test_what_has_ended_by_itself_stays_as_it_was(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (root / "FINISHED").read_text()
    assert clean_up(root) == 0
    assert "are written" not in capsys.readouterr().out
    assert (root / "FINISHED").read_text() == before
    assert not (root / "FAILURES").exists()
