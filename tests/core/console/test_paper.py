from __future__ import annotations

import sys

import pytest

from projects.core.console.paper import Paper
from projects.core.values.redaction import Redactor


def stand_on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def test_elsewhere_lines_are_whole_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    Paper().line(("failed", "red"), " " + "x" * 200, indent=2)
    assert capsys.readouterr().out == "  failed " + "x" * 200 + "\n"


def test_on_a_terminal_they_are_coloured_and_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_on_terminal(monkeypatch)
    Paper().line(("failed", "red"), " " + "x" * 200, indent=2)
    assert capsys.readouterr().out == "  \x1b[1;31mfailed\x1b[0m " + "x" * 40 + "\x1b[2m…\x1b[0m\n"
    Paper().line("x" * 50)
    assert capsys.readouterr().out == "x" * 50 + "\n"


def test_a_terminal_that_wants_no_colour_gets_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_on_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    Paper().line(("failed", "red"))
    assert capsys.readouterr().out == "failed\n"


def test_texts_are_wrapped_and_paths_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/tmp/" + "long-name/" * 12
    Paper().text(f"{'word ' * 20}\n  inner {path}", indent=2)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines if path not in line)
    assert lines[-1] == f"    {path}"


def test_columns_stand_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    Paper().columns([("ok       ", "green"), ("disk   ", "bold")], "word " * 30)
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("ok       disk   word")
    assert all(line.startswith(" " * 16 + "word") for line in others)


def test_no_secret_and_no_escape_gets_out(redactor: Redactor, capsys: pytest.CaptureFixture[str]) -> None:
    redactor.register("hunter2-on-paper")
    paper = Paper()
    paper.line("a hunter2-on-paper\x1b[2J\nb")
    paper.text("hunter2-on-paper\x1b[2J")
    paper.verbatim("hunter2-on-paper\x1b[2J")
    paper.columns([("hunter2-on-paper ", "")], "hunter2-on-paper\x1b[2J")
    out = capsys.readouterr().out
    assert "hunter2" not in out
    assert "\x1b" not in out
    assert out.splitlines()[0] == "a ******** b"
