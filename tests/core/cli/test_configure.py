"""`run_toolbox.py configure` through its lines, in a checkout that is written for the test."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.core.cli import from_config, verbs
from projects.core.library import config
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ForesailError, explain

ROOT_CONFIG = """\
ci_presets: {name: null, names: [], to_apply: [], variable_overrides: {}}
secrets: {dir: {name: probe, env_key: PROBE_SECRET_PATH}}
exec_list: {_only_: false, prepare_ci: null, test_ci: null}
"""
CONFIG = """\
ci_presets:
  parent: {t.version: "4.11", t.colour: green}
  child: {extends: [parent], t.size: 7}
t:
  version: "4.10"
  colour: red
  size: 3
  link: "@t.version"
  flag: true
  tree: {a: 1}
  token: "*$@t.file"
  file: probe.token
"""
TEMPLATE = """\
cluster set_project_annotation:
  key: "v"
  value: "{{ t.version }}"
  project: "p"
"""
SCRIPT = """\
@entrypoint()
def test_ci() -> None:
    "Test."
"""

Line = Callable[..., tuple[int, str]]


@pytest.fixture
def testing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The testing directory of the project `one` in a checkout of this test's own."""
    directory = tmp_path / "checkout" / "projects" / "one" / "testing"
    directory.mkdir(parents=True)
    (tmp_path / "checkout" / "config.yaml").write_text(ROOT_CONFIG)
    (directory / "config.yaml").write_text(CONFIG)
    (directory / "command_args.yaml.j2").write_text(TEMPLATE)
    (directory / "test.py").write_text(SCRIPT)
    monkeypatch.setattr(config, "ROOT", tmp_path / "checkout")
    monkeypatch.setattr(config, "_process", [])
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "entered"))
    for name in ("FORESAIL_FROM_CONFIG_FILE", "TOPSAIL_FROM_CONFIG_FILE", "FORESAIL_CONFIG_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    return directory


@pytest.fixture
def line(testing: Path, capsys: pytest.CaptureFixture[str]) -> Line:
    """Run the words behind `configure`; return the exit code and what was said, paths below the checkout without it."""

    def run(*words: str) -> tuple[int, str]:
        try:
            code = verbs.run("run_toolbox.py", ["configure", *words])
            said = ""
        except ForesailError as error:
            code, said = int(error.exit_code), explain(error)
        return code, (capsys.readouterr().out + said).replace(f"{testing.parents[2]}/", "")

    return run


FILE = "projects/one/testing/config.yaml"


def test_explain(line: Line) -> None:
    assert line("explain", "one", "t.version", "--preset", "child") == (
        0,
        f"""\
t.version: "4.11"
  type     str
  set by
    project config         {FILE}:5  "4.10"
  > preset child > parent  {FILE}:2  "4.11"
""",
    )
    assert line("explain", "one", "t.link", "--set", "t.version=4.20") == (
        0,
        f"""\
t.link: "4.20"
  type     str
  set by
  > project config  {FILE}:8  "@t.version"
  references
    @t.version -> t.version: "4.20"  (--set)
""",
    )


def test_explain_reads_no_secret(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "probe.token").write_text("hush-5a1f9c\n")
    monkeypatch.setenv("PROBE_SECRET_PATH", str(tmp_path))
    code, said = line("explain", "one", "t.token")
    assert code == 0
    assert said.startswith("t.token: a secret, which is not shown\n  type     secret\n")
    assert "*$@t.file -> the file 'probe.token' in the directory of $PROBE_SECRET_PATH, not read" in said
    assert "hush" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("t.verison",), "t.verison is not a key of the configuration\n  hint: did you mean 't.version'?"),
        (("t.size", "--preset", "chidl"), "there is no preset 'chidl'; did you mean 'child'?"),
        (
            ("t.size", "--set", "t.size=x"),
            "--set: t.size: expected a number where the number 3 stands, found the text 'x'",
        ),
    ],
)
def test_what_cannot_be_explained(line: Line, words: tuple[str, ...], said: str) -> None:
    code, told = line("explain", "one", *words)
    assert code == 2
    assert said in told


def test_an_unknown_project(line: Line) -> None:
    for verb in (("explain", "noe", "a"), ("lint", "noe"), ("schema", "noe"), ("enter", "noe"), ("diff", "one", "noe")):
        code, said = line(*verb)
        assert (code, "did you mean 'one'?" in said) == (2, True), verb


def test_explain_says_what_is_declared(line: Line, testing: Path) -> None:
    (testing / "config.schema.yaml").write_text(
        "properties: {t: {properties: {colour: {enum: [red, green], description: What it looks like.}}}}\n"
    )
    said = line("explain", "one", "t.colour")[1]
    assert "  about    What it looks like.\n  allowed  one of red, green\n" in said


def test_a_reference_that_leads_nowhere_is_explained(line: Line, testing: Path) -> None:
    (testing / "config.yaml").write_text('t: {link: "@t.vresion", version: 1}\n')
    code, said = line("explain", "one", "t.link")
    assert code == 2
    assert "@t.vresion -> it leads nowhere; did you mean 't.version'?" in said


def test_lint_of_what_is_right(line: Line) -> None:
    assert line("lint", "one") == (0, "one is right: 2 presets, 1 section\n")


def test_lint_tells_everything(line: Line, testing: Path) -> None:
    (testing / "config.yaml").write_text("""\
ci_presets:
  misspelt: {t.sise: 4}
  loop_a: {extends: [loop_b]}
  loop_b: {extends: [loop_a]}
  orphan: {extends: [nowhere]}
t: {size: 3}
exec_list:
  tset_ci: false
  prepare_ci: true
""")
    (testing / "config.schema.yaml").write_text("properties: {t: {properties: {size: {maximum: 2}}}}\n")
    (testing / "command_args.yaml.j2").write_text("""\
cluster set_project_annotation:
  keey: "v"
  _scratch: 1
  value: {{ t.sizes }}

cluster set_project_annotation/right:
  keey: "v"

cluster set_anotation: {}

no command here: {}
""")
    code, said = line("lint", "one")
    assert code == 2
    lines = said.splitlines()
    template = "projects/one/testing/command_args.yaml.j2"
    assert lines == [
        f"{template}:4: the section 'cluster set_project_annotation' cannot be rendered: 't.sizes' is undefined; did you mean 't.size'?",
        f"{template}:7: the section 'cluster set_project_annotation/right': cluster set_project_annotation has no argument 'keey'; did you mean 'key'?",
        f"{template}:9: the section 'cluster set_anotation': unknown command 'cluster set_anotation'; did you mean 'set_project_annotation'?",
        f"{template}:11: the section 'no command here': expected [PREFIX/]GROUP COMMAND[/SUFFIX]",
        f"{FILE}:2: preset 'misspelt': t.sise is not a key of the configuration; did you mean 't.size'?",
        f"{FILE}:3: preset 'loop_a' extends itself: loop_a -> loop_b -> loop_a",
        f"{FILE}:5: preset 'orphan': extends: there is no preset 'nowhere'; there are: loop_a, loop_b, misspelt, orphan",
        f"{FILE}:6: t.size: expected at most 2, found the number 3 (projects/one/testing/config.schema.yaml:1)",
        f"{FILE}:8: exec_list.tset_ci: test.py has no entrypoint 'tset_ci'; did you mean 'test_ci'?",
        f"{FILE}:9: exec_list.prepare_ci: test.py has no entrypoint 'prepare_ci'; there are: test_ci",
        "",
        "10 errors in one",
    ]


def test_lint_of_a_script_that_cannot_be_parsed(line: Line, testing: Path) -> None:
    (testing / "config.yaml").write_text(f"{CONFIG}exec_list: {{test_ci: null}}\n")
    (testing / "test.py").write_text("def broken(:\n")
    code, said = line("lint", "one")
    assert code == 2
    assert "projects/one/testing/test.py:1: cannot be parsed" in said


def test_diff_of_presets(line: Line) -> None:
    assert line("diff", "one", "one") == (0, "no key differs between one (-) and one (+)\n")
    assert line("diff", "one:parent", "one:child") == (
        1,
        f"""\
ci_presets.names
  - ["parent"]   (preset)
  + ["child", "parent"]   (preset)
t.size
  - 3   (project config {FILE}:7)
  + 7   (preset child {FILE}:3)

2 keys differ between one:parent (-) and one:child (+)
""",
    )


def test_diff_of_runs(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, words in {"a": [], "b": ["--set", "t.size=91"]}.items():
        monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / name))
        assert line("enter", "one", *words, "--shell=False")[0] == 0
    code, said = line("diff", str(tmp_path / "a"), str(tmp_path / "b"))
    assert code == 1
    assert f"t.size\n  - 3   (project config {FILE}:7)\n  + 91   (--set)\n" in said
    assert "t.colour" not in said
    code, said = line("diff", str(tmp_path), "one")
    assert code == 2
    assert "expected the artifact directory of a run" in said


def test_diff_shows_no_secret(line: Line, testing: Path) -> None:
    (testing / "config.schema.yaml").write_text("properties: {t: {properties: {pin: {secret: true}}}}\n")
    (testing / "config.yaml").write_text("ci_presets: {other: {t.pin: hush-b2}}\nt: {pin: hush-a1}\n")
    code, said = line("diff", "one", "one:other")
    assert code == 1
    assert "t.pin\n  - (a secret)" in said
    assert "hush" not in said


def test_schema(line: Line) -> None:
    code, said = line("schema", "one")
    assert code == 0
    assert json.loads(said)["properties"]["t"]["properties"]["size"] == {"type": "integer", "default": 3}


def exported(said: str) -> dict[str, str]:
    lines = [each.removeprefix("export ") for each in said.splitlines() if each.startswith("export ")]
    return {each.partition("=")[0]: shlex.split(each.partition("=")[2])[0] for each in lines}


def test_what_was_entered_can_be_read_and_changed(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = line("enter", "one", "parent", "--set", "t.size=5", "--shell=False")
    assert code == 0
    for name, value in exported(said).items():
        monkeypatch.setenv(name, value)
    assert line("name") == (0, "one\n")
    assert line("get", "t.version") == (0, "4.11\n")
    assert line("get", "t.flag") == (0, "true\n")
    assert line("get", "t.tree") == (0, "a: 1\n")
    run = tmp_path / "entered"
    before = (run / "config.provenance.yaml").read_text()
    assert line("apply", "--preset", "child") == (0, "applied: child\n")
    assert line("get", "t.size") == (0, "7\n")
    after = (run / "config.provenance.yaml").read_text()
    assert '"t.size": {layer: "--set"}' in before
    assert '"t.size": {layer: "preset", place:' in after
    assert '"t.flag": {layer: "project config"' in after, "what set the others is still known"
    assert (run / "presets_applied").read_text().splitlines()[:2] == [
        "preset[parent] t.version --> 4.11",
        "preset[parent] t.colour --> green",
    ]
    code, said = line("apply", "chidl")
    assert (code, "did you mean 'child'?" in said) == (2, True)
    assert line("apply")[0] == 2
    code, said = line("get", "t.token")
    assert code == 2
    assert "t.token is a secret" in said


def test_nothing_was_entered(line: Line) -> None:
    for words in (("get", "t.size"), ("name",), ("apply", "child")):
        code, said = line(*words)
        assert code == 2
        assert "./run_toolbox.py configure enter PROJECT" in said


def test_a_directory_with_a_config_of_somebody_elses_is_not_entered(line: Line, tmp_path: Path) -> None:
    (tmp_path / "entered").mkdir()
    own = tmp_path / "entered" / "config.yaml"
    own.write_text("mine: 1\n")
    code, said = line("enter", "one", "--shell=False")
    assert code == 2
    assert "no run has written" in said
    assert own.read_text() == "mine: 1\n"


def test_the_directory_of_a_run_is_not_entered(line: Line, tmp_path: Path) -> None:
    (tmp_path / "entered").mkdir()
    (tmp_path / "entered" / "_steps.jsonl").touch()
    code, said = line("enter", "one", "--shell=False")
    assert code == 2
    assert "the artifact directory holds a run, whose configuration would be overwritten" in said
    assert [file.name for file in (tmp_path / "entered").iterdir()] == ["_steps.jsonl"]


@pytest.mark.parametrize("show", [True, False])
def test_a_shell_is_started_with_the_configuration(tmp_path: Path, show: bool) -> None:
    shell = tmp_path / "shell"
    shell.write_text(f"#!/bin/sh\n{ROOT}/run_toolbox.py configure get tests.pods.count\nexit 5\n")
    shell.chmod(0o755)
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "run_toolbox.py"),
            "configure",
            "enter",
            "skeleton",
            "light",
            *["--show_export"] * show,
        ],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "FORESAIL_BASE_DIR": str(tmp_path / "base"),
            "SHELL": str(shell),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (5, "3"), done.stderr
    assert ("export ARTIFACT_DIR=" in done.stdout) is show
    (run,) = (tmp_path / "base").iterdir()
    assert done.stderr == f"skeleton: {run}/config.yaml; exit leaves it\n"


def test_a_shell_that_is_not_there(line: Line) -> None:
    code, said = line("enter", "one", "--shell=/no/such/shell")
    assert code == 2
    assert "the shell '/no/such/shell' cannot be started: No such file or directory" in said


def test_from_config_takes_settings(testing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cluster", "set_project_annotation", "--project", "one", "--show_args", "value"]
    assert from_config.run("run_toolbox.py", [*words, "--set", "t.version=4.30", "--set=t.size=4"], check=False) == 0
    assert capsys.readouterr().out == "4.30\n"
    with pytest.raises(ForesailError, match=r"--set: t\.size: expected a number"):
        from_config.run("run_toolbox.py", [*words, "--set", "t.size=many"], check=False)


def test_no_ansible_and_no_kubernetes_is_imported(tmp_path: Path) -> None:
    for words in (["explain", "skeleton", "tests"], ["lint", "skeleton"], ["diff", "skeleton", "skeleton:light"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", str(ROOT / "run_toolbox.py"), "configure", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        imported = {each.rpartition("|")[2].strip().split(".")[0] for each in done.stderr.splitlines()}
        assert "json" in imported
        assert not imported & {"ansible", "ansible_runner", "kubernetes", "jsonschema"}, words
