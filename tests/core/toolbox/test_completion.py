from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from projects.core.toolbox.completion import SHELLS, completion_script, print_completion
from projects.core.values.checkout import ROOT
from projects.core.values.errors import UsageError

SCRIPTS = [ROOT / "run_toolbox.py", ROOT / "testing" / "run", ROOT / "projects" / "skeleton" / "testing" / "test.py"]
REGISTERED = {
    "bash": r"^complete -o default -F (\w+) (\S+)$",
    "zsh": r"compdef (\w+) (\S+);",
    "fish": r"^complete -c (\S+) -f -a '\((\w+)\)'$",
}


def registered(shell: str, script: Path) -> set[str]:
    found = re.search(REGISTERED[shell], completion_script(shell, script), re.MULTILINE)
    assert found
    return set(found.groups())


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_registers_a_function_of_its_own_for_its_name(shell: str) -> None:
    found = [registered(shell, script) for script in SCRIPTS]
    functions = ["_foresail_run_toolbox_py", "_foresail_testing_run", "_foresail_test_py"]
    assert found == [{function, script.name} for function, script in zip(functions, SCRIPTS, strict=True)]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_shell_parses_it(shell: str, script: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    done = subprocess.run(
        [shell, "-n"], input=completion_script(shell, script), text=True, capture_output=True, check=False, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_is_left_to_fill_in(shell: str) -> None:
    text = completion_script(shell, SCRIPTS[0])
    assert not re.search(r"@[A-Z]+@", text)
    assert str(ROOT / "run_toolbox.py") in text


def test_a_line_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_completion(str(SCRIPTS[0]), ["bash"]) == 0
    assert capsys.readouterr().out == completion_script("bash", SCRIPTS[0])
    assert print_completion(str(SCRIPTS[0]), ["--help"]) == 0
    assert "bash|zsh|fish" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["bash", "zsh"], ["bsh"], ["powershell"]])
def test_a_wrong_line_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError, match="expected one of bash, zsh, fish"):
        print_completion("run_toolbox.py", words)
