from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator

import pytest

from projects.core.cli.built_in import BUILT_IN, is_built_in
from projects.core.cli.ci_run import orchestrations
from projects.core.cli.declared import declared_entrypoints
from projects.core.toolbox.discovery import find_command
from projects.core.values.checkout import ROOT
from tests.docs.pages import Page, all_pages, page

PAGES = list(all_pages())
TARGETS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SHELL = {
    "cat",
    "chmod",
    "do",
    "done",
    "export",
    "for",
    "grep",
    "jq",
    "kubectl",
    "mkdir",
    "source",
    "towncrier",
    "while",
}
MADE_BY_READER = "projects/scaleout/", "delete_redis_server"


def lines_to_run(each: Page) -> Iterator[str]:
    """Give the command lines of a page: those of `sh` blocks, and those after a prompt in `console` blocks."""
    for block in each.blocks:
        for line in block.text.splitlines():
            if block.language == "console" and line.startswith("$ "):
                yield line.removeprefix("$ ")
            elif block.language == "sh" and line.strip() and not line.lstrip().startswith("#"):
                yield line.strip()


def words_of(line: str) -> list[str]:
    words = shlex.split(line, comments=True)
    while words and re.match(r"^[A-Z_]+=", words[0]):
        words.pop(0)
    return words


def problem_of(line: str) -> str | None:
    words = words_of(line)
    program = words[0]
    if any(made in line for made in MADE_BY_READER) or program in SHELL or program.startswith("../shared/"):
        return None
    if program == "make":
        return None if set(words[1:]) <= TARGETS else f"make has no {words[1:]}"
    path = ROOT / program
    if program.startswith(".venv/"):
        return None
    if not path.is_file() or not os.access(path, os.X_OK):
        return f"{program} is not an executable file of the checkout"
    return None


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
def test_what_a_page_tells_to_run_exists(each: Page) -> None:
    assert [found for line in lines_to_run(each) if (found := problem_of(line))] == []


def test_a_wrong_line_is_found() -> None:
    assert problem_of("make demoo") == "make has no ['demoo']"
    assert problem_of("testing/rehears skeleton") is not None
    assert problem_of("ARTIFACT_DIR=/tmp/x ./run_toolbox.py cluster") is None


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
def test_toolbox_commands_and_entrypoints_on_a_page_exist(each: Page) -> None:
    projects = orchestrations()
    for line in lines_to_run(each):
        if any(made in line for made in MADE_BY_READER):
            continue
        words = words_of(line)
        if "./run_toolbox.py" in words:
            named = [word for word in words[words.index("./run_toolbox.py") + 1 :] if not word.startswith("--")]
            if is_built_in(named[0]):
                verbs = BUILT_IN[named[0]].verbs
                assert not verbs or named[1] in verbs
                continue
            group, command = [word for word in named if word != "from_config"][:2]
            assert command in find_command(group, command).commands
        if words[0] == "testing/run":
            (script,) = [path for path in projects[words[1]] if path.stem == words[2]]
            assert words[3] in declared_entrypoints(script)
        if words[0] == "testing/rehearse" and not words[1].startswith("scaleout"):
            assert words[1] in projects


def test_the_readme_shows_exactly_two_commands_to_try() -> None:
    first = next(block for block in page("README.md").blocks if block.language == "sh")
    assert first.text.split("\n") == ["make demo", "make test", ""]
