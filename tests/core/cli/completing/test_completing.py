"""What is offered at the end of a line, asked as the shells ask."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.cli import verbs
from projects.core.cli.built_in import BUILT_IN
from projects.core.cli.completing import __main__ as completing
from projects.core.cli.completing.lines import candidates
from projects.core.library.options import run_options
from projects.core.toolbox.binding import parameters_of
from projects.core.toolbox.completion import SHELLS
from projects.core.toolbox.discovery import all_groups
from projects.core.toolbox.specification import specify
from projects.core.values.checkout import ROOT
from tests.core.cli.terminals import terminal
from tests.core.record.runs import failed_run

TOOLBOX = ROOT / "run_toolbox.py"
RUN = ROOT / "testing" / "run"
TEST = ROOT / "projects" / "skeleton" / "testing" / "test.py"


def offered(script: Path, *words: str) -> list[str]:
    return [each.word for each in candidates(script, words)]


def test_groups_verbs_and_commands() -> None:
    first = offered(TOOLBOX, "")
    assert {"cluster", "server", "from_config", *BUILT_IN, "--check", "--help"} <= set(first)
    assert offered(TOOLBOX, "clu") == ["cluster"]
    assert "set_scale" in offered(TOOLBOX, "cluster", "")
    assert offered(TOOLBOX, "--check", "cluster", "set_s") == ["set_scale"]
    assert offered(TOOLBOX, "from_config", "server", "deploy_r") == ["deploy_redis_server"]


def test_each_command_is_offered_with_the_flags_of_its_signature() -> None:
    for group in all_groups():
        for command in group.commands:
            flags = {each.flag for each in specify(group.name, command).parameters.values()}
            found = {
                word.removeprefix("--").removeprefix("no").rstrip("=")
                for word in offered(TOOLBOX, group.name, command, "--")
            }
            assert {flag.removeprefix("no") for flag in flags} == found - {"help"}, f"{group.name} {command}"


def functions_of_verbs() -> list[tuple[list[str], Callable[..., Any]]]:
    found = []
    for name, verb in BUILT_IN.items():
        for each in verb.verbs or [verb.module]:
            try:
                found.append(([name, each] if verb.verbs else [name], verbs._function(verb.module, each)))
            except (ImportError, AttributeError):  # the table may name what another branch adds
                continue
    return found


def test_each_verb_is_offered_with_the_flags_of_its_signature() -> None:
    checked = 0
    for words, function in functions_of_verbs():
        flags = {each.flag for each in parameters_of(function).values()}
        found = {word.removeprefix("--").rstrip("=") for word in offered(TOOLBOX, *words, "--")}
        assert flags == found - {"help"}, words
        checked += 1
    assert checked >= 11


def test_arguments_of_verbs_have_values(tmp_path: Path) -> None:
    failed_run(tmp_path)
    assert "001__outer/000__accrecord__bad" in offered(TOOLBOX, "runs", "why", str(tmp_path), "")
    assert offered(TOOLBOX, "runs", "show", "") == [], "the shell offers files"
    assert offered(TOOLBOX, "explain-exit", "14") == ["143"]
    assert offered(TOOLBOX, "completion", "") == list(SHELLS)
    assert offered(TOOLBOX, "doctor", "sk") == ["skeleton"]
    assert offered(TOOLBOX, "runs", "replay", "d", "--speed", "") == []
    assert "--speed=" not in offered(TOOLBOX, "runs", "replay", "d", "--speed=2", "--")


def test_from_config_knows_the_projects() -> None:
    assert offered(TOOLBOX, "from_config", "cluster", "set_scale", "--project=") == ["--project=skeleton"]
    assert offered(TOOLBOX, "from_config", "cluster", "set_scale", "--project", "") == ["skeleton"]
    assert offered(TOOLBOX, "from_config", "cluster", "set_scale", "--proj") == ["--project="]


def test_an_orchestration_offers_entrypoints_and_run_options() -> None:
    assert {"prepare_ci", "test_ci", "completion", "--help"} <= set(offered(TEST, ""))
    options = {f"--{each.flag}" for each in parameters_of(run_options).values()}
    assert options == {word.rstrip("=") for word in offered(TEST, "test_ci", "--")} - {"--help"}
    assert offered(TEST, "test-ci", "--res") == ["--resume="]
    assert offered(TEST, "completion", "f") == ["fish"]
    assert offered(TEST, "no_such_entrypoint", "") == []


def test_the_values_of_run_options(tmp_path: Path) -> None:
    failed_run(tmp_path)
    assert offered(TEST, "test_ci", "--set", "skeleton.n") == ["skeleton.namespace="]
    assert offered(TEST, "test_ci", "--set=skeleton.n") == ["--set=skeleton.namespace="]
    assert "--set=" in offered(TEST, "test_ci", "--set=a=b", "--s"), "it may be given several times"
    assert "000__fine" in offered(TEST, "test_ci", "--resume", str(tmp_path), "--from", "")


def test_testing_run_offers_projects_files_and_entrypoints() -> None:
    assert {"skeleton", "completion"} <= set(offered(RUN, ""))
    assert offered(RUN, "skeleton", "") == ["test"]
    assert {"prepare_ci", "test_ci"} <= set(offered(RUN, "skeleton", "test", ""))
    assert "completion" not in offered(RUN, "skeleton", "test", "")
    assert "--timeout=" in offered(RUN, "skeleton", "test.py", "test_ci", "--")
    assert offered(RUN, "nonsense", "") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x", ["x"]),
        ("x ", ["x", ""]),
        ("x  a b", ["x", "a", "b"]),
        ("x 'a b' \"c d", ["x", "a b", "c d"]),
        ("x a\\ b", ["x", "a b"]),
        ("x ''", ["x", ""]),
        ("x '' ", ["x", "", ""]),
        ("x --set=a:b=", ["x", "--set=a:b="]),
    ],
)
def test_lines_are_split_as_shells_do(line: str, words: list[str]) -> None:
    assert completing.split(line) == words


@given(st.text(max_size=60))
def test_no_line_is_too_strange(line: str) -> None:
    assert completing.main(["", "bash", str(TOOLBOX), f"./run_toolbox.py {line}"]) == 0


@pytest.mark.parametrize(
    ("shell", "rest", "said"),
    [
        ("bash", ["x test_ci --set=skeleton.n"], "skeleton.namespace=\n"),
        ("zsh", ["test_ci", "--set=skeleton.n"], "--set=skeleton.namespace=\n"),
        ("fish", ["test_ci", "--set=skeleton.n"], "--set=skeleton.namespace=\t\n"),
        (
            "zsh",
            ["generate_plots_f"],
            "generate_plots_from_pr_args:Turn the results in the artifact directory into KPIs once more.\n",
        ),
    ],
)
def test_each_shell_gets_what_it_takes(
    shell: str, rest: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completing.main(["", shell, str(TEST), *rest]) == 0
    assert capsys.readouterr().out == said


def ask(shell: str, script: Path, *rest: str, python: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, *python, "-m", "projects.core.cli.completing", shell, str(script), *rest]
    return subprocess.run(
        argv,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        text=True,
        capture_output=True,
        check=True,
        timeout=100,
    )


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (TOOLBOX, "x clu"),
        (TOOLBOX, "x cluster set_scale --"),
        (TEST, "x test_ci --set=skel"),
        (RUN, "x skeleton test pre"),
        (TOOLBOX, "x runs "),
    ],
)
def test_nothing_slow_is_imported(script: Path, line: str) -> None:
    done = ask("bash", script, line, python=("-X", "importtime"))
    assert done.stdout
    imported = {found[1].split(".")[0] for found in re.finditer(r"\|\s+\d+ \|\s+([\w.]+)$", done.stderr, re.MULTILINE)}
    assert "ast" in imported
    assert not imported & {"ansible", "ansible_runner", "kubernetes", "jinja2", "rich", "pydantic", "fire"}


BASH = """
source <({script} completion bash)
cd {directory}
COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=({line}); COMP_CWORD=1
_foresail_run_toolbox_py {called} clu {called}
echo "${{COMPREPLY[*]}}"
"""


@pytest.mark.parametrize(
    ("directory", "called"),
    [(ROOT, "./run_toolbox.py"), (Path("/"), str(TOOLBOX)), (ROOT / "docs", "../run_toolbox.py")],
)
def test_bash_completes_however_the_script_is_called(directory: Path, called: str) -> None:
    body = BASH.format(script=TOOLBOX, directory=directory, line=f"{called} clu", called=called)
    done = subprocess.run(["bash", "-c", body], text=True, capture_output=True, check=True, timeout=60)
    assert done.stdout == "cluster\n"


def test_a_script_of_the_same_name_elsewhere_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "run_toolbox.py"
    other.write_text("#!/bin/sh\necho called >> called\n")
    other.chmod(0o755)
    body = BASH.format(script=TOOLBOX, directory=tmp_path, line="./run_toolbox.py clu", called="./run_toolbox.py")
    done = subprocess.run(["bash", "-c", body], text=True, capture_output=True, check=True, timeout=60)
    assert done.stdout == "\n"
    assert not (tmp_path / "called").exists()


def test_the_tab_key_of_a_real_shell(tmp_path: Path) -> None:
    with terminal(["bash", "--norc", "--noprofile", "-i"], columns=120, PS1="ready> ", INPUTRC="/dev/null") as shell:
        shell.read_until("ready> ")
        os.write(shell.descriptor, f"cd {ROOT}; source <(./run_toolbox.py completion bash); echo load''ed\n".encode())
        shell.read_until("loaded\nready> ")
        os.write(shell.descriptor, b"./run_toolbox.py clus\t")
        shell.read_until("run_toolbox.py cluster ")
        os.write(shell.descriptor, b"set_s\t")
        shell.read_until("cluster set_scale ")
        os.write(shell.descriptor, b"--instance_t\t")
        shell.read_until("--instance_type=")
        os.write(shell.descriptor, b"x\nexit\n")
        shell.finish()
    assert "--instance_type=x" in shell.text, "no space behind the equals sign"
