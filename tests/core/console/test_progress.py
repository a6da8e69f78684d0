import io
import re
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from projects.core.console import progress as module
from projects.core.console import show_progress, summary, waiting_for
from projects.core.console.progress import Progress, heartbeat_line, line_of
from projects.core.console.terminal import is_plain
from projects.core.record.durations import duration
from projects.core.record.finish import finish
from projects.core.record.steps import Cause, Record, Step, new_id
from projects.core.values.outcomes import Status
from projects.core.values.redaction import REDACTOR
from tests.core.record.golden import assert_golden
from tests.core.record.runs import BEGIN, Run, cancelled_run, failed_run, moment, passed_run

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_local", lambda text: text[11:19])


def ended(status: Status, cause: Cause | None = None) -> Step:
    place = "013__cluster__capture_environment"
    return Step("s1", None, "command", "cluster capture_environment", place, {}, moment(0), moment(0.2), status, cause)


def test_lines() -> None:
    assert line_of(Step("s", None, "directory", "a", "000__a", start=moment(0))) == "12:00:00 000__a started"
    assert line_of(ended(Status.PASSED)) == "12:00:00 013__cluster__capture_environment passed 0.2s"
    assert line_of(ended(Status.TIMED_OUT)).endswith(" timed out 0.2s")
    own = Cause("NotFound", "no such thing\nsecond line", "s1")
    assert line_of(ended(Status.FAILED, own)).endswith(" failed 0.2s NotFound: no such thing")
    inner = Cause("NotFound", "no such thing", "s2")
    assert line_of(ended(Status.FAILED, inner)).endswith(" failed 0.2s (NotFound further in)")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0s"), (41.23, "41.2s"), (99.94, "99.9s"), (99.96, "1m40s"), (3600, "1h00m"), (125, "2m05s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_words_that_prow_highlights_stand_only_for_failures() -> None:
    for status in Status:
        line = line_of(ended(status))
        assert not any(word in line for word in ("ERROR:", "FAIL", "panic"))
        assert ("timed out" in line) == (status == Status.TIMED_OUT)


def record_in(root: Path) -> tuple[Record, Step]:
    return Record(root), Step(new_id(), None, "directory", "waits", "000__waits")


def test_a_line_a_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    REDACTOR.register("s3cret-progress-value")
    record, step = record_in(tmp_path)
    with show_progress(record):
        record.start(step)
        record.end(step, Status.FAILED, Cause("E", "s3cret-progress-value", step.id))
    record.start(step)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 2
    assert lines[0].endswith(" 000__waits started")
    assert lines[1].endswith(" E: ********")
    assert "\x1b" not in err
    assert "\r" not in err


def test_heartbeat_when_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    beaten = threading.Event()

    def hear(line: str) -> None:
        said.append(line)
        if "still running" in line and len(said) > 2:
            beaten.set()

    monkeypatch.setattr(module, "say", hear)
    record, step = record_in(tmp_path)
    with show_progress(record, heartbeat=0.02):
        record.start(step)
        assert beaten.wait(60)
    assert re.search(r"still running: 000__waits for \d+\.\ds", said[-1])


def test_heartbeat_names_the_innermost_and_what_they_wait_for() -> None:
    progress = Progress()
    outer = Step("h0", None, "parallel", "p", "000__p", start=moment(0))
    inner = [Step(f"h{n}", "h0", "branch", f"b{n}", "000__p", start=moment(n)) for n in range(1, 8)]
    for step in (outer, *inner):
        progress.note(step)
    waiting_for("h1", "3 pods of deployment/redis")
    line = heartbeat_line(progress, BEGIN + timedelta(seconds=61))
    assert line[8:] == (
        " still running: 000__p [b1] for 60.0s (waiting for 3 pods of deployment/redis), 000__p [b2] for 59.0s,"
        " 000__p [b3] for 58.0s, 000__p [b4] for 57.0s, 000__p [b5] for 56.0s, and 2 more"
    )
    for step in inner:
        step.status = Status.PASSED
        progress.note(step)
    assert "000__p for 61.0s" in heartbeat_line(progress, BEGIN + timedelta(seconds=61))
    assert progress.counts == {Status.PASSED: 7}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "plain"),
    [
        ({}, False),
        ({"CI": "true"}, True),
        ({"CI": "false"}, False),
        ({"CI": ""}, False),
        ({"NO_COLOR": "1"}, True),
        ({"NO_COLOR": ""}, False),
        ({"TERM": "dumb"}, True),
    ],
)
def test_what_is_plain(variables: dict[str, str], plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_plain(Terminal()) == plain
    assert is_plain(io.StringIO())


@pytest.mark.parametrize("make", [passed_run, failed_run, cancelled_run])
def test_summary(tmp_path: Path, make: object) -> None:
    make(tmp_path)  # type: ignore[operator] # one of the three
    finish(tmp_path, properties={})
    (tmp_path / "report.html").touch()
    text = summary(tmp_path)
    assert text == summary(tmp_path)
    assert len(text.splitlines()) <= 12
    assert_golden(GOLDEN / f"summary_{make.__name__}", text.replace(str(tmp_path), "/ROOT"))  # type: ignore[attr-defined]


def test_summary_of_one_of_many_entrypoints(tmp_path: Path) -> None:
    run = failed_run(tmp_path)
    main = run.start("entrypoint", "post_cleanup_ci", ".", 10)
    run.end(main, 12)
    assert summary(tmp_path, since={main.id}).startswith("post_cleanup_ci passed in 2.0s\n  steps: 1 passed\n")
    assert summary(tmp_path).startswith("fails, post_cleanup_ci failed with exit code 1 (the test failed) after 12.0s")


def test_summary_of_a_killed_run_and_of_none(tmp_path: Path) -> None:
    assert "steps: none was recorded" in summary(tmp_path, exit_code=2)
    run = Run(tmp_path)
    main = run.start("entrypoint", "x", ".", 0)
    step = run.start("directory", "d", "000__d", 1, main)
    cause = Cause("Unreachable", "no route", step.id, 3, "is KUBECONFIG right?")
    run.end(step, 2, Status.FAILED, cause)
    text = summary(tmp_path)
    assert "without an end: x" in text
    assert "    hint: is KUBECONFIG right?" in text
    assert "exit code 3 (infrastructure: what the test stands on is not there)" in text


def test_importing_the_console_is_cheap() -> None:
    script = "import sys, projects.core.console; print([m for m in ('rich', 'pydantic', 'jinja2', 'yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
