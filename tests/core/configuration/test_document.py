import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.document import parse_document, read_document
from projects.core.configuration.keys import find, leaves
from projects.core.configuration.resolved_files import yaml_text
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ConfigError

FILE = Path("/nowhere/config.yaml")
DATA = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=10,
    ),
    max_size=5,
)


@given(DATA)
def test_what_was_dumped_is_read_back_and_each_value_has_a_line(data: Any) -> None:
    text = yaml_text(data)
    document = parse_document(text, FILE)
    assert document.data == data
    for path, _ in leaves(data):
        assert path == () or 1 <= document.lines[path] <= text.count("\n") + 1


@given(DATA)
def test_json_is_read_back(data: Any) -> None:
    # YAML 1.1 takes 5e-324 for text, and has no DEL
    data = json.loads(json.dumps(data).replace("\x7f", "?"), parse_float=lambda text: f"float {text}")
    assert parse_document(json.dumps(data), FILE).data == data


def test_lines_are_those_of_the_keys_and_of_the_elements_of_lists() -> None:
    document = parse_document("a:\n  b: 1\n\n  c:\n  - x\n  - {d: 2}\n# end\ne: |\n  text\n", FILE)
    assert document.lines == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 4,
        ("a", "c", 0): 5,
        ("a", "c", 1): 6,
        ("a", "c", 1, "d"): 6,
        ("e",): 8,
    }
    assert str(document.place(("a", "c"))) == "/nowhere/config.yaml:4"
    assert document.place(("z",)) is None


def test_a_place_in_the_checkout_is_relative_to_it() -> None:
    document = parse_document("a: 1", ROOT / "projects" / "x" / "config.yaml")
    assert str(document.place(("a",))) == "projects/x/config.yaml:1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"4.10"', "4.10"),
        ('"1e3"', "1e3"),
        ("1e3", "1e3"),
        ('"None"', "None"),
        ('"007"', "007"),
        ("'true'", "true"),
        ("4.10", 4.1),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("0x10", 16),
        (".inf", float("inf")),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31 10:00:00", "2024-01-31 10:00:00"),
        ("!!str 4", "4"),
        ("=", "="),
        ('"\\ud83d\\udc34 \\\\ud83d\\\\udc34"', "🐴 \\ud83d\\udc34"),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    found = parse_document(f"a: {text}", FILE).data["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "{}"])
def test_a_file_without_a_value_is_an_empty_mapping(text: str) -> None:
    assert parse_document(text, FILE).data == {}


def test_aliases_are_built_anew_and_merged() -> None:
    document = parse_document(
        "base: &b {x: 1, l: [1]}\nother: &o {y: 2, x: 3}\nchild:\n  <<: *b\n  z: 0\nboth: {<<: [*b, *o], l: [2]}\nagain: *b\n",
        FILE,
    )
    assert document.data["child"] == {"x": 1, "l": [1], "z": 0}
    assert document.data["both"] == {"x": 1, "y": 2, "l": [2]}
    assert document.data["again"] == document.data["base"]
    assert document.data["again"]["l"] is not document.data["base"]["l"]
    assert document.lines["child", "x"] == 1
    assert document.lines["child", "z"] == 5


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: [1\nb: 2\n", "did not find expected ',' or ']'", 2),
        ("a: 1\n b: 2\n", "mapping values are not allowed", 2),
        ("a: 1\nb:\n\tc: 1\n", "cannot start any token", 3),
        ("- a\n", "expected a mapping at the top level, found a list", 1),
        ("\ntext\n", "expected a mapping at the top level, found 'text'", 2),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "'b.c' is written twice; first at /nowhere/config.yaml:3", 4),
        ("a: 1\nb: 2\n'a': 3\n", "'a' is written twice", 3),
        ("a:\n  b: !secret x\n", "found the YAML tag '!secret'", 2),
        ("a: !!set {x}\n", "found the YAML tag '!!set'", 1),
        ("a: !!binary aGk=\n", "found the YAML tag '!!binary'", 1),
        ("a: !!int many\n", "expected int, found 'many'", 1),
        ("a: &x\n  b: *x\n", "found an alias of what it is in", 1),
        ("a: *x\n", "found undefined alias", 1),
        ("? [1, 2]\n: x\n", "expected a name as the key of a mapping, found a list", 1),
        ("a: 1\n<<: 2\n", "expected a mapping to merge, found '2'", 2),
        ("a: 1\n---\nb: 2\n", "expected a single document", 2),
        ('a: "\\ud83d"\n', "invalid Unicode character escape code", 1),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str, line: int) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_document(text, FILE)
    assert message in raised.value.message
    assert raised.value.place == f"/nowhere/config.yaml:{line}"


def test_a_file_that_a_ci_writes_may_say_a_key_again() -> None:
    document = parse_document("a: 1\nb: {x: 1}\na: 2\nb: {y: 2}\n", FILE, last_wins=True)
    assert document.data == {"a": 2, "b": {"y": 2}}
    assert document.lines["a",] == 3


def test_a_control_character_has_no_line() -> None:
    with pytest.raises(ConfigError, match="control characters are not allowed") as raised:
        parse_document("a: \x07", FILE)
    assert raised.value.place == str(FILE)


def test_text_made_of_a_file_is_placed_by_the_lines_it_is_given() -> None:
    document = parse_document("a: 1\nb: 2\n", FILE, lines=[10, 42])
    assert document.lines == {("a",): 10, ("b",): 42}
    with pytest.raises(ConfigError) as raised:
        parse_document("a: 1\nb: [", FILE, lines=[10, 42])
    assert raised.value.place == "/nowhere/config.yaml:42"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a YAML file, found none") as raised:
        read_document(tmp_path / "config.yaml")
    assert raised.value.place == str(tmp_path / "config.yaml")
    (tmp_path / "latin.yaml").write_bytes("a: \u00e9".encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_document(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_document(tmp_path)


def test_a_value_is_found_by_what_it_is_written_as() -> None:
    document = parse_document("8: {true: x}\n", FILE)
    assert find(document.data, ("8", "true")) == "x"
    assert document.lines["8", "true"] == 1
