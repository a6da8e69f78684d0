"""`run_toolbox.py runs` through its lines: on records as runs leave them, in this process and on a terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest

from projects.core.cli import toolbox
from projects.core.console import summary
from projects.core.record.steps import FILE_NAME, Cause
from projects.core.report import FILE_NAME as REPORT
from projects.core.values.checkout import ROOT
from projects.core.values.outcomes import Status
from tests.core.cli.terminals import terminal
from tests.core.record.holder import held
from tests.core.record.runs import Run, cancelled_run, failed_run, long_run, passed_run

SCRIPT = str(ROOT / "run_toolbox.py")


def runs(*words: object) -> int:
    return toolbox.main([SCRIPT, "runs", *map(str, words)])


@pytest.fixture
def failed(tmp_path: Path) -> Path:
    root = tmp_path / "foresail_failed"
    root.mkdir()
    failed_run(root).conclude(1, 2)
    return root


@pytest.fixture
def passed(tmp_path: Path) -> Path:
    root = tmp_path / "foresail_passed"
    root.mkdir()
    passed_run(root).conclude(0, 4)
    return root


def killed_run(root: Path) -> Run:
    run = Run(root)
    main = run.start("entrypoint", "test_ci", ".", 0)
    prepare = run.start("directory", "prepare", "000__prepare", 1, main)
    run.start("command", "server deploy", "000__prepare/000__server__deploy", 2, prepare)
    return run


def test_list(failed: Path, passed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = tmp_path / "later"
    later.mkdir()
    Run(later).start("entrypoint", "prepare_ci", ".", 60)
    assert runs("list", "--base", tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1::2] == [f"  {later}", f"  {failed}", f"  {passed}"]
    for line, words in zip(
        lines[::2], ["killed .* prepare_ci", r"failed \(1\) +1.8s  fails", "passed +3.1s  test_ci"], strict=True
    ):
        assert re.search(words, line)
        assert len(line) <= 80


def test_list_looks_where_runs_are_made(
    failed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESAIL_BASE_DIR", str(failed.parent))
    assert runs("list") == 0
    assert str(failed) in capsys.readouterr().out.split()


def test_list_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs("list", tmp_path) == 0
    assert capsys.readouterr().out == f"no runs below {tmp_path}\n"
    assert runs("list", tmp_path / "none") == 2
    assert "expected a directory" in capsys.readouterr().err


def test_show(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs("show", failed) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["fails failed with exit code 1", "  the test failed", f"  {failed}"]
    assert lines[5:] == [
        "failed        1.8s  fails",
        "passed        0.1s    000__fine",
        "failed        1.2s    001__outer",
        "failed        1.0s      000__accrecord__bad",
        "                          CommandFailed: accrecord bad failed in the task 'Fail on purpose': broken because of reason-4711",
        "failed        0.1s    002__later",
        "                        RuntimeError: a later failure",
    ]


def test_show_says_once_why_many_were_cancelled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cancelled_run(tmp_path)
    assert runs("show", tmp_path) == 0
    assert capsys.readouterr().out.count("because 000__together/002__failing failed") == 2  # for each branch


def test_show_tells_arguments_attempts_and_what_was_reused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {
            "id": "a",
            "parent": None,
            "kind": "entrypoint",
            "name": "test_ci",
            "directory": ".",
            "start": "2026-11-05T12:00:00Z",
        },
        {
            "id": "b",
            "parent": "a",
            "kind": "command",
            "name": "g done",
            "directory": "000__g__done",
            "start": "2026-11-05T12:00:01Z",
            "arguments": {"name": "x", "count": 3},
        },
        {"id": "b", "end": "2026-11-05T12:00:02Z", "status": "passed"},
        {
            "id": "c",
            "parent": None,
            "kind": "entrypoint",
            "name": "test_ci",
            "directory": ".",
            "start": "2026-11-05T12:00:03Z",
            "attempt": 2,
        },
        {
            "id": "d",
            "parent": "c",
            "kind": "command",
            "name": "g done",
            "directory": "001__g__done",
            "start": "2026-11-05T12:00:03Z",
            "attempt": 2,
            "reuses": "b",
        },
        {"id": "d", "end": "2026-11-05T12:00:03Z", "status": "skipped"},
    ]
    (tmp_path / FILE_NAME).write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    assert runs("show", tmp_path, "--arguments") == 0
    out = capsys.readouterr().out
    assert "name: x" in out
    assert "count: 3" in out
    assert re.search(r"cut off .*test_ci  \(a later attempt took its place\)", out)
    assert re.search(r"cut off .*test_ci  \(attempt 2\)", out)
    assert out.count("a later attempt took its place") == 1, "not for each step inside"
    assert re.search(r"skipped .*001__g__done  \(attempt 2\)  \(done before in 000__g__done\)", out)


def test_what_was_cut_off_ran_until_its_own_process_died(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = killed_run(tmp_path)
    again = run.start("entrypoint", "test_ci", ".", 3600, attempt=2)
    run.end(again, 3604)
    run.conclude(0, 3605, again)
    assert runs("show", tmp_path) == 0
    out = capsys.readouterr().out
    assert re.search(r"cut off +2\.0s  test_ci  \(a later attempt took its place\)", out)
    assert re.search(r"cut off +0\.0s +000__server__deploy", out)


def test_show_of_a_run_that_goes_on_and_was_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed_run(tmp_path)
    with held(tmp_path):
        assert runs("show", tmp_path) == 0
    assert re.search(r"^test_ci running\n(.*\n)*running .*000__server__deploy$", capsys.readouterr().out, re.MULTILINE)
    assert runs("show", tmp_path) == 0
    assert re.search(r"^test_ci killed\n(.*\n)*cut off .*000__server__deploy$", capsys.readouterr().out, re.MULTILINE)


def test_show_as_json(failed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs("show", failed, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["state"], document["exit_code"], document["entrypoints"]) == ("failed", 1, ["fails"])
    assert [step["name"] for step in document["steps"]] == ["fails", "fine", "outer", "accrecord bad", "later"]
    assert document["steps"][3]["duration"] == pytest.approx(1.0)
    killed = tmp_path / "killed"
    killed.mkdir()
    killed_run(killed)
    assert runs("show", killed, "--json") == 0
    assert json.loads(capsys.readouterr().out)["exit_code"] is None


@pytest.mark.parametrize("verb", ["show", "why", "watch", "replay", "open", "report"])
def test_what_is_no_run_is_refused(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs(verb, tmp_path) == 2
    assert "found no _steps.jsonl" in capsys.readouterr().err


def test_why(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs("why", failed) == 0
    out = capsys.readouterr().out
    chain = [line.split()[1] for line in out.splitlines() if re.match(r"failed  ", line)]
    assert chain == ["fails", "001__outer", "000__accrecord__bad"]
    for said in (
        "CommandFailed: accrecord bad",
        "a line before the end",
        "1 more cause:",
        "002__later: RuntimeError: a later failure",
    ):
        assert said in out
    assert "\x1b" not in out, "the log's colours"


def test_why_names_the_bundle_and_the_line_that_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = failed_run(tmp_path)
    text = (tmp_path / FILE_NAME).read_text().replace('"line": ""', '"line": "./test.py fails"', 1)
    (tmp_path / FILE_NAME).write_text(text)
    run.conclude(1, 2)
    bundle = tmp_path / "_failures" / "abc123"
    bundle.mkdir(parents=True)
    (bundle / "bundle.json").write_text("{}")
    (tmp_path / "001__outer/000__accrecord__bad/_bundle").write_text("../../_failures/abc123\n")
    assert runs("why", tmp_path) == 0
    out = capsys.readouterr().out
    assert "bundle:" in out
    assert "_failures/abc123" in out
    assert f"  ./test.py fails --resume {tmp_path}\n" in out


def test_why_of_a_step(failed: Path, passed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step, said in (
        ("later", "RuntimeError: a later failure"),
        ("outer", "CommandFailed"),
        ("fine", "it passed"),
        ("s0003", "reason-4711"),
    ):
        assert runs("why", failed, step) == 0
        assert said in capsys.readouterr().out
    assert runs("why", passed) == 0
    assert "it passed" in capsys.readouterr().out
    assert runs("why", failed, "latre") == 2
    assert "did you mean 'later'?" in capsys.readouterr().err


def test_why_of_what_was_cancelled_or_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cancelled_run(tmp_path)
    assert runs("why", tmp_path, "000__sibling1") == 0
    out = capsys.readouterr().out
    assert "it was cancelled because 000__together/002__failing failed:" in out
    assert "the branch that failed first" in out
    skipped = Run(tmp_path)
    step = skipped.start("entrypoint", "skipped_ci", ".", 10)
    step.id = "skip"
    skipped._append(
        {
            "id": "skip",
            "parent": None,
            "kind": "entrypoint",
            "name": "skipped_ci",
            "directory": ".",
            "start": step.start,
        }
    )
    skipped._append({"id": "skip", "end": step.start, "status": "skipped"})
    assert runs("why", tmp_path, "skip") == 0
    assert "SKIPPED" in capsys.readouterr().out


def test_why_of_a_step_names_its_attempts_that_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    run.end(run.start("attempt", "fetch", "000__fetch", 1, main), 2, Status.FAILED, Cause("ValueError", "no", "s0001"))
    run.end(run.start("attempt", "fetch", "001__fetch__attempt_2", 3, main, attempt=2), 4)
    run.end(main, 5)
    run.conclude(0, 6)
    assert runs("why", tmp_path, "fetch") == 0
    assert "it passed\n  but its attempt 1 had not: 000__fetch\n" in capsys.readouterr().out


def test_why_of_a_killed_run_says_what_it_was_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed_run(tmp_path)
    assert runs("why", tmp_path) == 0
    assert "killed while it was in:\n  000__prepare/000__server__deploy  (command" in capsys.readouterr().out


def test_why_of_a_failure_that_its_caller_expects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    step = run.start("command", "g may_fail", "000__g__may_fail", 1, main)
    run.end(step, 2, Status.FAILED, Cause("CommandFailed", "as expected", step.id), tolerated=True)
    run.end(main, 3)
    run.conclude(0, 4)
    assert runs("why", tmp_path, "may_fail") == 0
    assert "CommandFailed: as expected" in capsys.readouterr().out


def test_compare_with_itself_and_with_another(failed: Path, passed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs("compare", failed, failed) == 0
    assert "the outcome is the same in 5 steps" in capsys.readouterr().out
    assert runs("compare", failed, passed) == 1
    out = capsys.readouterr().out
    assert re.search(r"^only in A +accrecord bad$", out, re.MULTILINE)
    assert re.search(r"^only in B +cluster capture_environment$", out, re.MULTILINE)
    assert "the outcome differs" in out


def test_compare_tells_what_ended_otherwise_and_what_took_longer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, status, end in (("a", Status.PASSED, 10), ("b", Status.FAILED, 10), ("c", Status.PASSED, 25)):
        (tmp_path / name).mkdir()
        run = Run(tmp_path / name)
        main = run.start("entrypoint", "test_ci", ".", 0)
        step = run.start("command", "g works", "000__g__works", 0, main)
        run.end(step, end, status, Cause("E", "m", step.id) if status == Status.FAILED else None)
        run.end(main, 30)
        run.conclude(0, 31)
    assert runs("compare", tmp_path / "a", tmp_path / "b") == 1
    assert re.search(r"^passed → failed  000__g__works$", capsys.readouterr().out, re.MULTILINE)
    assert runs("compare", tmp_path / "a", tmp_path / "c") == 0
    assert "slower  000__g__works  (2.5 times as long, 10.0s → 25.0s)" in capsys.readouterr().out


def test_replay_prints_the_summary_of_the_run_byte_for_byte(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for _ in range(2):
        assert runs("replay", failed) == 0
        said.append(capsys.readouterr())
    assert said[0] == said[1]
    assert said[0].err == ""
    assert said[0].out == summary(failed, exit_code=1, since=["s0000"])


def test_replay_is_about_what_the_last_process_did_and_exited_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = failed_run(tmp_path)
    run.conclude(1, 4)
    again = run.start("entrypoint", "post_cleanup_ci", ".", 5)
    run.end(again, 6)
    run.conclude(143, 7, again)
    assert runs("replay", tmp_path) == 0
    assert capsys.readouterr().out == summary(tmp_path, exit_code=143, since=[again.id])


def test_replay_of_a_killed_run_is_made_from_its_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed_run(tmp_path)
    assert runs("replay", tmp_path) == 0
    assert "without an end" in capsys.readouterr().out
    assert runs("replay", tmp_path, "--speed=0") == 2


def test_open_says_where_the_report_is_and_that_nothing_can_open_it(
    failed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert runs("open", failed) == 2
    assert "runs report" in capsys.readouterr().err
    assert runs("report", failed) == 0
    assert runs("open", failed) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(failed / REPORT)] * 2
    assert "there is no browser here" in said.err


def test_open_opens_the_report_in_the_browser(
    failed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def take(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", take)
    (failed / REPORT).write_text("<html>")
    assert runs("open", failed) == 0
    assert opened == [(failed / REPORT).as_uri()]
    assert capsys.readouterr().err == ""


def test_report_is_written_from_the_record_alone(
    failed: Path, passed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runs("report", failed) == 0
    first = (failed / REPORT).read_text()
    assert "reason-4711" in first
    assert runs("report", failed, "--compare", passed) == 0
    assert (failed / REPORT).read_text() != first


def test_nothing_that_a_record_holds_gets_at_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "\x1b[2Jtest_ci", ".", 0)
    run.end(main, 1, Status.FAILED, Cause("E", "\x1b]0;title\x07evil\r\nsecond", main.id))
    for verb in ("show", "why", "list"):
        assert runs(verb, tmp_path) == 0
        assert "\x1b" not in capsys.readouterr().out


def test_a_thousand_steps_are_shown_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long_run(tmp_path).conclude(0, 4000)
    done = subprocess.run(
        [sys.executable, SCRIPT, "runs", "show", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert len(done.stdout.splitlines()) > 900


def test_a_reader_that_has_read_enough_is_no_error(tmp_path: Path) -> None:
    long_run(tmp_path)
    argv = [sys.executable, SCRIPT, "runs", "show", str(tmp_path)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.readline()
        shown.stdout.close()
        assert (shown.stderr.read(), shown.wait()) == (b"", 141)


def test_on_a_terminal_lines_are_cut_and_coloured(failed: Path) -> None:
    with terminal([sys.executable, SCRIPT, "runs", "show", str(failed)], columns=60, PYTHONPATH=str(ROOT)) as shown:
        assert shown.finish() == 0
    assert all(len(line) <= 60 for line in shown.text.splitlines() if "/" not in line)
    assert "…" in shown.text
    assert "\x1b[1;31mfailed" in shown.raw


def test_replay_on_a_terminal_plays_the_run_and_ends_with_its_summary(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    step = run.start("command", "server deploy", "000__server__deploy", 1, main)
    run.end(step, 20)
    run.end(main, 21)
    run.conclude(0, 22)
    later = run.start("entrypoint", "later_ci", ".", 90000)  # a day later: what lies between is passed over
    run.end(later, 90001)
    run.conclude(0, 90002, later)
    argv = [
        sys.executable,
        SCRIPT,
        "runs",
        "replay",
        str(tmp_path),
        "--speed=5",
    ]  # the board is on the terminal once a busy machine has imported it
    with terminal(argv, PYTHONPATH=str(ROOT)) as played:
        assert played.finish() == 0
    assert "000__server__deploy" in played.text
    assert "1 running" in played.text or "2 running" in played.text
    assert played.text.endswith(summary(tmp_path, exit_code=0, since=[later.id]))


def test_watch_follows_until_the_run_ends(tmp_path: Path) -> None:
    run = killed_run(tmp_path)
    argv = [sys.executable, SCRIPT, "runs", "watch", str(tmp_path)]
    with (
        held(tmp_path) as owner,
        subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "true"},
        ) as watching,
    ):
        assert watching.stderr is not None
        assert watching.stdout is not None
        lines = [watching.stderr.readline() for _ in range(3)]
        assert lines[2].endswith("000__prepare/000__server__deploy started\n")
        for step in reversed(run.steps):
            run.end(step, 5)
        assert watching.stderr.readline().endswith("000__prepare/000__server__deploy passed 3.0s\n")
        run.conclude(0, 6)
        owner.kill()
        owner.wait()
        assert watching.stdout.read() == summary(tmp_path, exit_code=0, since=["s0000"])
        assert watching.wait() == 0


def test_watch_ends_when_the_run_is_killed(tmp_path: Path) -> None:
    killed_run(tmp_path)
    argv = [sys.executable, SCRIPT, "runs", "watch", str(tmp_path)]
    with held(tmp_path) as owner, terminal(argv, PYTHONPATH=str(ROOT)) as shown:
        shown.read_until("3 running")
        owner.kill()
        owner.wait()
        assert shown.finish() == 0
    assert "without an end" in shown.text


def test_ctrl_c_leaves_the_run_alone(tmp_path: Path) -> None:
    killed_run(tmp_path)
    argv = [sys.executable, SCRIPT, "runs", "watch", str(tmp_path)]
    with held(tmp_path) as owner, terminal(argv, PYTHONPATH=str(ROOT)) as shown:
        shown.read_until("3 running")
        shown.process.send_signal(signal.SIGINT)
        assert shown.finish() == 130
        assert owner.poll() is None
    assert "Traceback" not in shown.text
