from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.toolbox.discovery import all_groups, find_command, find_group, group_modules, read_group, summaries
from projects.core.values.errors import UsageError
from tests.core.trees import write_group

TWO = '''
@command
def go(self, speed: int = 1) -> None:
    """Go there.

    And more about it.
    """

@command(directory_suffix="_{name}")
def stop(self, name: str) -> None:
    """Stop it."""

def helper(self) -> None:
    """Help the others."""
'''


def test_a_group_is_read_with_its_commands_in_order(tmp_path: Path) -> None:
    module = write_group(tmp_path, "car", TWO)
    group = find_group("car", tmp_path)
    assert (group.name, group.module, group.class_name, group.summary) == ("car", module, "Car", "The group car.")
    assert list(group.commands.items()) == [("go", "Go there."), ("stop", "Stop it.")]
    assert group.role("go") == module.parent / "roles" / "car_go"


def test_a_decorator_reached_through_its_module_declares_a_command(tmp_path: Path) -> None:
    body = '@toolbox.command\ndef go(self) -> None:\n    """Go."""\n\n@toolbox.command()\ndef stop(self) -> None: ...\n'
    write_group(tmp_path, "car", body, prologue="from projects.core import toolbox")
    assert find_group("car", tmp_path).commands == {"go": "Go.", "stop": ""}


def test_private_groups_of_projects_stand_beside_the_shared_ones_in_order_of_names(tmp_path: Path) -> None:
    write_group(tmp_path, "zebra", TWO)
    write_group(tmp_path, "ant", TWO, project="zoo")
    write_group(tmp_path, "lion", TWO, project="african_zoo")
    assert list(group_modules(tmp_path)) == ["ant", "lion", "zebra"]
    assert [group.name for group in all_groups(tmp_path)] == ["ant", "lion", "zebra"]


def test_files_that_are_no_groups_are_passed_over(tmp_path: Path) -> None:
    module = write_group(tmp_path, "car", TWO)
    (module.parent / "engine.py").write_text("raise RuntimeError")
    (module.parent / "__init__.py").write_text("")
    for private in ("_template", "__pycache__"):
        (tmp_path / "toolbox" / private).mkdir()
        (tmp_path / "toolbox" / private / f"{private}.py").write_text("raise RuntimeError")
    assert list(group_modules(tmp_path)) == ["car"]


def test_an_empty_tree_has_no_groups(tmp_path: Path) -> None:
    assert group_modules(tmp_path) == {}
    with pytest.raises(UsageError, match="unknown toolbox group 'car'"):
        find_group("car", tmp_path)


def test_modules_are_parsed_and_never_run(tmp_path: Path) -> None:
    trap = tmp_path / "imported"
    write_group(tmp_path, "car", TWO, prologue=f"import pathlib, no_such_module\npathlib.Path({str(trap)!r}).touch()\n")
    assert [group.commands for group in all_groups(tmp_path)] == [{"go": "Go there.", "stop": "Stop it."}]
    assert find_command("car", "go", tmp_path).name == "car"
    assert not trap.exists()


def test_two_groups_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    first = write_group(tmp_path, "car", TWO, project="zoo")
    second = write_group(tmp_path, "car", TWO)
    with pytest.raises(UsageError, match="'car' is declared twice") as caught:
        group_modules(tmp_path)
    assert str(first) in str(caught.value)
    assert str(second) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"class Car:\n    def broken(:\n", b"class Car:\n    x = 'caf\xe9'\n", b"x = 1\0\n"],
    ids=["syntax", "not UTF-8", "null byte"],
)
def test_a_module_that_cannot_be_parsed_is_named_with_its_place(tmp_path: Path, content: bytes) -> None:
    module = write_group(tmp_path, "car", TWO)
    module.write_bytes(content)
    with pytest.raises(UsageError, match="the toolbox group 'car' cannot be parsed") as caught:
        find_group("car", tmp_path)
    assert str(caught.value.place).startswith(str(module))


def test_the_line_of_a_syntax_error_is_named(tmp_path: Path) -> None:
    module = write_group(tmp_path, "car", TWO)
    module.write_text("\n\nclass Car:\n    def broken(:\n")
    with pytest.raises(UsageError) as caught:
        find_group("car", tmp_path)
    assert caught.value.place == f"{module}:4"


def test_a_broken_group_breaks_only_itself(tmp_path: Path) -> None:
    module = write_group(tmp_path, "car", TWO, project="zoo")
    module.write_text("class Car:\n    def broken(:\n")
    write_group(tmp_path, "train", TWO)
    assert find_group("train", tmp_path).commands
    assert list(summaries(tmp_path)) == [
        ("car", "(the toolbox group 'car' cannot be parsed: invalid syntax)"),
        ("train", "The group train."),
    ]
    with pytest.raises(UsageError, match="cannot be parsed"):  # what is generated must not leave it out in silence
        list(all_groups(tmp_path))


def test_a_group_without_a_command_says_how_to_declare_one(tmp_path: Path) -> None:
    module = write_group(tmp_path, "car", "def helper(self) -> None: ...\n")
    with pytest.raises(UsageError, match="'car' declares no command") as caught:
        read_group("car", module)
    assert caught.value.hint == "decorate a method with @command"


def test_unknown_names_get_their_nearest_match(tmp_path: Path) -> None:
    write_group(tmp_path, "cluster", TWO)
    with pytest.raises(UsageError) as group:
        find_group("clustr", tmp_path)
    with pytest.raises(UsageError, match="unknown command 'cluster stopp'") as command:
        find_command("cluster", "stopp", tmp_path)
    assert (group.value.hint, command.value.hint) == ("did you mean 'cluster'?", "did you mean 'stop'?")
