from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from projects.core.toolbox.binding import Parameter
from projects.core.toolbox.declaration import Declaration
from projects.core.toolbox.generation import defaults_of, generated_files
from projects.core.toolbox.specification import Specification, specify
from tests.core.trees import write_group

BODY = '''
@command
def go(self, driver: str, speed: int = 1, version: str = "4.10", tags: list[str] | None = None) -> None:
    """Go there: now.

    Args:
      driver: Who drives.
      speed: How fast.
    """

@command
def stop(self) -> None:
    """Stop it."""
'''
ROLES = {"go": "- name: Go\n  debug:\n", "stop": "- name: Stop\n  debug:\n"}
DEFAULTS = """\
---
# generated from the command's declaration by `make docs`; do not edit
# car go: Go there: now.

# Who drives.
# Type: str
# Mandatory: car_go_driver

# How fast.
# Type: int
car_go_speed: 1


# Type: str
car_go_version: '4.10'


# Type: list[str] | None
car_go_tags: null
"""


def test_defaults_hold_each_argument_with_its_text_type_and_default(tmp_path: Path) -> None:
    write_group(tmp_path, "car", BODY, roles=ROLES)
    text = defaults_of(specify("car", "go", tmp_path))
    assert text == DEFAULTS
    assert yaml.safe_load(text) == {"car_go_speed": 1, "car_go_version": "4.10", "car_go_tags": None}


def test_defaults_of_a_command_without_arguments_are_an_empty_mapping(tmp_path: Path) -> None:
    write_group(tmp_path, "car", BODY, roles=ROLES)
    assert yaml.safe_load(defaults_of(specify("car", "stop", tmp_path))) == {}


def test_everything_generated_lies_where_it_is_looked_for(tmp_path: Path) -> None:
    write_group(tmp_path, "car", BODY, roles=ROLES)
    write_group(tmp_path, "boat", BODY, roles=ROLES, project="zoo")
    files = {str(path.relative_to(tmp_path)): text for path, text in generated_files(tmp_path)}
    assert set(files) == {
        "toolbox/car/roles/car_go/defaults/main.yml",
        "toolbox/car/roles/car_stop/defaults/main.yml",
        "projects/zoo/toolbox/boat/roles/boat_go/defaults/main.yml",
        "projects/zoo/toolbox/boat/roles/boat_stop/defaults/main.yml",
        "docs/reference/toolbox/car.md",
        "docs/reference/toolbox/index.md",
    }
    page, index = files["docs/reference/toolbox/car.md"], files["docs/reference/toolbox/index.md"]
    assert "## `car go`" in page
    assert "usage: ./run_toolbox.py car go --driver=DRIVER [--speed=SPEED]" in page
    assert "- [`car go`](car.md#car-go): Go there: now." in index
    assert "boat" not in index  # a project's private group is the project's to document


def test_generating_twice_gives_the_same(tmp_path: Path) -> None:
    write_group(tmp_path, "car", BODY, roles=ROLES)
    assert list(generated_files(tmp_path)) == list(generated_files(tmp_path))


@pytest.mark.parametrize(
    "value", ["4.10", "1e3", "None", "null", "007", "true", "yes", "", " x ", "a: b # c", "{{ x }}"]
)
def test_a_default_that_is_text_is_read_back_as_that_text(value: str) -> None:
    assert yaml.safe_load(defaults_of(_with_default(value))) == {"car_go_x": value}


# PyYAML does not read back the line separators of Unicode that it writes; nobody's default holds one.
texts = st.text(st.characters(exclude_characters="\x85\u2028\u2029"))


@given(st.one_of(texts, st.integers(), st.booleans(), st.none(), st.lists(texts), st.dictionaries(texts, texts)))
def test_any_default_is_read_back_as_what_it_is(value: object) -> None:
    assert yaml.safe_load(defaults_of(_with_default(value))) == {"car_go_x": value}


def _with_default(value: object) -> Specification:
    def go() -> None:
        """Go."""

    return Specification("car", "go", Path("roles/car_go"), {"x": Parameter("x", str, value, True)}, go, Declaration())
