from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from projects.core.toolbox.specification import read_docstring, specify
from projects.core.values.errors import UsageError
from tests.core.trees import PROLOGUE, write_group

GO = '''
@command(directory_suffix="_{driver}")
def go(self, driver: str, speed: int = 1, load: Load | None = None) -> None:
    """Go there.

    Slowly, if need be.

    Args:
      driver: Who
        drives.
      speed: How fast.

    Raises:
      UsageError: `speed` is negative.
      CommandFailed: the car broke.
    """
    if speed < 0:
        raise UsageError("speed is negative")
'''
LOAD = (
    PROLOGUE
    + "from dataclasses import dataclass\nfrom projects.core.values.errors import UsageError\n\n"
    + "@dataclass\nclass Load:\n    weight: int\n"
)
TASKS = "- name: Go\n  debug:\n"


def write_car(root: Path) -> Path:
    return write_group(root, "car", GO, roles={"go": TASKS}, prologue=LOAD)


def test_a_specification_holds_what_a_run_needs(tmp_path: Path) -> None:
    module = write_car(tmp_path)
    go = specify("car", "go", tmp_path)
    assert (go.name, go.role) == ("car go", module.parent / "roles/car_go")
    assert list(go.parameters) == ["driver", "speed", "load"]
    assert go.variable("speed") == "car_go_speed"
    assert go.complete({"driver": "me"}) == {"driver": "me", "speed": 1, "load": None}


def test_arguments_become_variables_of_the_role_as_data(tmp_path: Path) -> None:
    write_car(tmp_path)
    go = specify("car", "go", tmp_path)
    load = sys.modules["foresail_toolbox.car"].Load(5)
    assert go.variables(go.complete({"driver": "{{ me }}", "load": load})) == {
        "car_go_driver": "{{ me }}",
        "car_go_speed": 1,
        "car_go_load": {"weight": 5},
    }


def test_the_body_of_a_command_validates(tmp_path: Path) -> None:
    write_car(tmp_path)
    go = specify("car", "go", tmp_path)
    go.validate(go.complete({"driver": "me"}))
    with pytest.raises(UsageError, match="speed is negative"):
        go.validate(go.complete({"driver": "me", "speed": -1}))


def test_the_directory_is_named_by_the_declaration_and_never_leaves_its_place(tmp_path: Path) -> None:
    write_car(tmp_path)
    go = specify("car", "go", tmp_path)
    assert go.directory_name(go.complete({"driver": "me"})) == "car__go_me"
    assert go.directory_name(go.complete({"driver": "../x/y"})) == "car__go_.._x_y"
    assert go.directory_name(go.complete({"driver": "{speed}"})) == "car__go_{speed}"


def test_a_docstring_is_read_in_its_parts(tmp_path: Path) -> None:
    write_car(tmp_path)
    documentation = specify("car", "go", tmp_path).documentation
    assert documentation.summary == "Go there."
    assert documentation.description == "Slowly, if need be."
    assert documentation.arguments == {"driver": "Who drives.", "speed": "How fast."}
    assert documentation.raises == {"UsageError": "`speed` is negative.", "CommandFailed": "the car broke."}


def test_a_function_without_a_docstring_documents_nothing() -> None:
    def silent() -> None: ...

    assert read_docstring(silent).summary == ""
    assert read_docstring(silent).arguments == {}


def test_a_command_without_a_role_is_refused_with_its_place(tmp_path: Path) -> None:
    module = write_group(tmp_path, "car", GO, prologue=LOAD)
    with pytest.raises(UsageError, match="the command 'car go' has no role") as caught:
        specify("car", "go", tmp_path)
    assert caught.value.place == str(module.parent / "roles/car_go")


@pytest.mark.parametrize(
    ("prologue", "message"),
    [
        (f"{LOAD}\nimport no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        (f"{LOAD}\nraise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_group_that_cannot_be_imported_is_named_and_is_not_remembered(
    tmp_path: Path, prologue: str, message: str
) -> None:
    module = write_group(tmp_path, "car", GO, roles={"go": TASKS}, prologue=prologue)
    with pytest.raises(UsageError, match="the toolbox group 'car' cannot be imported") as caught:
        specify("car", "go", tmp_path)
    assert caught.value.message.endswith(message)
    assert caught.value.place == str(module)
    write_car(tmp_path)
    assert specify("car", "go", tmp_path).name == "car go"


def test_a_group_of_the_same_name_in_another_tree_is_another_one(tmp_path: Path) -> None:
    write_car(tmp_path / "one")
    write_group(tmp_path / "two", "car", "@command\ndef go(self, wheels: int = 4) -> None: ...\n", roles={"go": TASKS})
    assert list(specify("car", "go", tmp_path / "one").parameters) == ["driver", "speed", "load"]
    assert list(specify("car", "go", tmp_path / "two").parameters) == ["wheels"]


def test_branches_that_ask_for_the_same_group_at_once_all_get_it_whole(tmp_path: Path) -> None:
    # The module takes its time to import; a second thread must not see half of it.
    slow = LOAD + "import threading\nthreading.Event().wait(0.3)\n"
    write_group(tmp_path, "car", GO, roles={"go": TASKS}, prologue=slow)
    barrier = threading.Barrier(8)

    def ask(_: int) -> str:
        barrier.wait(60)
        return specify("car", "go", tmp_path).name

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == ["car go"] * 8
