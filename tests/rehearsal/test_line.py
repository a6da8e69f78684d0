"""`testing/rehearse`: its lines. The rehearsals themselves are tested with the simulated cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.cli.declared import declared_entrypoints
from projects.core.values.checkout import ROOT
from projects.rehearsal import cli
from projects.rehearsal.cli import IN_ORDER, main


@pytest.fixture(autouse=True)
def nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*args: object, **kwargs: object) -> None:
        raise AssertionError("a rehearsal was started")

    monkeypatch.setattr(cli, "apart", start)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["skeletn"], "did you mean 'skeleton'?"),
        (["skeleton", "tset_ci"], "did you mean 'test_ci'?"),
        (["skeleton", "--nodes=many"], "nodes: expected int, found 'many'"),
        (["skeleton", "--nods=3"], "unknown argument --nods"),
        (["skeleton", "--platform=vanilla"], "platform: expected one of openshift, kubernetes"),
        (["skeleton", "--speed=fast"], "speed: expected float"),
        (["--nodes=3"], "expected a project"),
    ],
)
def test_a_wrong_line_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["testing/rehearse", *words]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert "usage: testing/rehearse PROJECT" in err
    assert out == ""


def test_without_a_word_it_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["testing/rehearse"]) == 2
    assert capsys.readouterr().err.startswith("usage: testing/rehearse PROJECT")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["testing/rehearse", flag]) == 0
    assert capsys.readouterr().out.startswith("usage: testing/rehearse PROJECT")


def test_entrypoints_are_read_without_importing_the_orchestration(tmp_path: Path) -> None:
    script = tmp_path / "test.py"
    script.write_text(
        "raise SystemExit('imported')\n"
        "@entrypoint()\ndef one(): ...\n"
        "@entrypoint(may_be_empty=True)\ndef two(): ...\n"
        "@library.entrypoint()\ndef three(): ...\n"
        "def four(): ...\n@other\ndef five(): ...\n"
    )
    assert declared_entrypoints(script) == ["one", "two", "three"]


def test_the_skeleton_declares_the_entrypoints_of_a_ci_job() -> None:
    assert set(IN_ORDER) <= set(declared_entrypoints(ROOT / "projects/skeleton/testing/test.py"))


def test_an_option_may_have_its_value_as_the_next_word() -> None:
    assert cli._split(["skeleton", "--nodes", "5", "test_ci", "--platform=kubernetes"]) == (
        ["skeleton", "test_ci"],
        ["--nodes=5", "--platform=kubernetes"],
    )
