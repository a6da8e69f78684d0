from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, Optional, Self, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.toolbox.conversion import check, describe, from_text, takes, to_data
from projects.core.values.errors import UsageError
from projects.core.values.secret import Secret


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass(frozen=True)
class Taint:
    key: str
    effect: str

    @classmethod
    def parse(cls, text: str) -> Self:
        key, colon, effect = text.partition(":")
        if not colon:
            raise ValueError("no colon in it")
        return cls(key, effect)

    def __str__(self) -> str:
        return f"{self.key}:{self.effect}"


class Strict:
    @classmethod
    def parse(cls, text: str) -> Self:
        raise UsageError(f"never {text}", hint="try something else")


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        *((text, str, text) for text in ("4.10", "1e3", "None", "007", "true", "[a,b]", "", 'it\'s "x"', "a\nb\n")),
        *((text, str, text) for text in ("{{ x }}", "ž🐴", "--x", "a: b # c", "  both  ", "$HOME `id`", "a\\nb\\")),
        ("4.10", Any, "4.10"),
        ("None", str | None, "None"),
        ("", str | None, ""),
        ("12", int, 12),
        ("-3", int, -3),
        ("007", int, 7),
        ("1e3", float, 1000.0),
        ("4", float, 4.0),
        ("4", int | None, 4),
        ("4", Optional[int], 4),  # noqa: UP045 - an author may write it so
        ("4", Union[int, str], 4),  # noqa: UP007
        ("four", int | str, "four"),
        ("four", str | int, "four"),
        ("4", str | int, 4),
        *((text, bool, True) for text in ("true", "True", "yes", "on", "1", "TRUE")),
        *((text, bool, False) for text in ("false", "False", "no", "off", "0")),
        ("2", Literal[1, 2], 2),
        ("b", Literal["a", "b"], "b"),
        ("red", Colour, Colour.RED),
        ("2", Level, Level.HIGH),
        ("red", Colour | None, Colour.RED),
        ("[4.10, 007, ~, true]", list[str], ["4.10", "007", "~", "true"]),
        ('["a, b", "c\\nd"]', list[str], ["a, b", "c\nd"]),
        ("[1, 2]", list[int], [1, 2]),
        ("[]", list[int], []),
        ("[1, a]", list[int | str], [1, "a"]),
        ("[1, 2]", tuple[int, ...], (1, 2)),
        ("[a, b, a]", set[str], {"a", "b"}),
        ("[a]", frozenset[str], frozenset({"a"})),
        ("{a: 4.10}", dict[str, str], {"a": "4.10"}),
        ("{a: 4.10}", dict[str, float], {"a": 4.1}),
        ("{1: x}", dict[int, str], {1: "x"}),
        ("[4.10, x, {a: [1]}]", list, [4.1, "x", {"a": [1]}]),
        ("{a: {b: [1, null]}}", dict[str, Any], {"a": {"b": [1, None]}}),
        ("[[1, 2], [3]]", list[list[int]], [[1, 2], [3]]),
        ("{a: [x, 007]}", dict[str, list[str]], {"a": ["x", "007"]}),
        ("[{a: 1}]", list[dict[str, int]], [{"a": 1}]),
        ("[red, green]", list[Colour], [Colour.RED, Colour.GREEN]),
        ("[k:E, l:F]", list[Taint], [Taint("k", "E"), Taint("l", "F")]),
        ("[a, b]", list[str] | None, ["a", "b"]),
        ("k:E", Taint, Taint("k", "E")),
        ("k:E", Taint | None, Taint("k", "E")),
        ("/a/b", Path, Path("/a/b")),
    ],
)
def test_text_becomes_what_the_annotation_says(text: str, annotation: Any, value: object) -> None:
    converted = from_text(text, annotation)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("text", "annotation", "message"),
    [
        ("lots", int, "expected int, found 'lots'"),
        ("4.0", int, "expected int, found '4.0'"),
        ("", int, "expected int, found ''"),
        ("x", float, "expected float, found 'x'"),
        ("maybe", bool, "expected true or false, found 'maybe'"),
        ("3", Literal[1, 2], "expected one of 1, 2, found '3'"),
        ("rde", Colour, "expected one of red, green, found 'rde'"),
        ("x", int | None, "expected int, found 'x'"),
        ("x", int | float, "expected int | float, found the str 'x'"),
        ("noeffect", Taint, "expected Taint, found 'noeffect' (no colon in it)"),
        ("x", Strict, "never x"),
        ("a,b", list[str], "expected list[str], found the str 'a,b'"),
        ("{a: b}", list[str], "expected list[str], found the dict {'a': 'b'}"),
        ("[a]", dict[str, str], "expected dict[str, str], found the list ['a']"),
        ("[a, {", list[str], "expected list[str] in YAML or JSON, found '[a, {'"),
        ("", list[str], "expected list[str], found the NoneType None"),
        ("", list, "expected list, found the NoneType None"),
        ("[1, x]", list[int], "expected int, found 'x'"),
        ("[a, [b, c]]", list[str], "expected str, found the list ['b', 'c']"),
        ("[[1]]", list[int], "expected int, found the list ['1']"),
        ("[1]", list[list[int]], "expected list[int], found the str '1'"),
        ("[{a: b}]", list[Taint], "expected Taint, found the dict {'a': 'b'}"),
        ("[2024-13-45]", list, "expected list in YAML or JSON, found '[2024-13-45]'"),
        ("[a\x07b]", list[str], "expected list[str] in YAML or JSON, found '[a\\x07b]'"),
    ],
)
def test_text_of_another_kind_is_refused_with_what_was_expected_and_found(
    text: str, annotation: Any, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        from_text(text, annotation)
    assert caught.value.message == message


def test_a_choice_is_matched_to_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        from_text("gren", Colour)
    assert caught.value.hint == "did you mean 'green'?"


@pytest.mark.parametrize(
    ("value", "annotation", "accepted"),
    [
        ("4.10", str, "4.10"),
        (None, str | None, None),
        (None, Any, None),
        (4, int, 4),
        (4, float, 4.0),
        (4.5, float, 4.5),
        (True, bool, True),
        (4, int | str, 4),
        ("4", int | str, "4"),
        (2, Literal[1, 2], 2),
        ("red", Colour, Colour.RED),
        (Colour.RED, Colour, Colour.RED),
        (2, Level, Level.HIGH),
        ("k:E", Taint, Taint("k", "E")),
        (Taint("k", "E"), Taint | None, Taint("k", "E")),
        ("/a", Path, Path("/a")),
        (["a"], list[str], ["a"]),
        (("a", "b"), list[str], ["a", "b"]),
        ([1, 2], tuple[int, ...], (1, 2)),
        ([[1]], list[list[int]], [[1]]),
        ({"a": 1}, dict[str, Any], {"a": 1}),
        ({"a": [1]}, dict, {"a": [1]}),
        (["k:E"], list[Taint], [Taint("k", "E")]),
    ],
)
def test_a_value_of_the_annotated_kind_is_accepted(value: object, annotation: Any, accepted: object) -> None:
    checked = check(value, annotation)
    assert checked == accepted
    assert type(checked) is type(accepted)


@pytest.mark.parametrize(
    ("value", "annotation", "message"),
    [
        (4.1, str, "expected str, found the float 4.1"),
        (7, str, "expected str, found the int 7"),
        (None, str, "expected str, found the NoneType None"),
        ("4", int, "expected int, found the str '4'"),
        (True, int, "expected int, found the bool True"),
        (True, float, "expected float, found the bool True"),
        (1, bool, "expected bool, found the int 1"),
        (1.5, int, "expected int, found the float 1.5"),
        ("true", bool, "expected bool, found the str 'true'"),
        ("a", list[str], "expected list[str], found the str 'a'"),
        ([1], list[str], "expected str, found the int 1"),
        ({"a": 1}, dict[str, str], "expected str, found the int 1"),
        ({1: "a"}, dict[str, str], "expected str, found the int 1"),
        ([], dict, "expected dict, found the list []"),
        (3, Literal[1, 2], "expected 1 or 2, found 3"),
        (True, Literal[1, 2], "expected 1 or 2, found True"),
        ("x", int | None, "expected int | None, found the str 'x'"),
        ("blue", Colour, "expected one of red, green, found 'blue'"),
        (3, Level, "expected 1 or 2, found 3"),
        (b"x", str, "expected str, found the bytes b'x'"),
    ],
)
def test_a_value_of_another_kind_is_refused(value: object, annotation: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(value, annotation)
    assert caught.value.message == message


@pytest.mark.parametrize("value", [4.1, 7, True])
def test_a_scalar_where_text_is_asked_for_says_to_quote_it(value: object) -> None:
    with pytest.raises(UsageError) as caught:
        check(value, str)
    assert caught.value.hint == "quote it where it is written"


def test_a_container_that_is_accepted_is_a_copy() -> None:
    given_list = ["a"]
    checked = check(given_list, list[str])
    checked.append("b")
    assert given_list == ["a"]


@pytest.mark.parametrize("annotation", [Sequence[str], complex | None])
def test_an_annotation_that_is_not_supported_is_named_and_no_traceback(annotation: Any) -> None:
    with pytest.raises(UsageError, match=r"expected (Sequence\[str\]|complex)"):
        from_text("x", annotation)
    with pytest.raises(UsageError, match=r"expected (Sequence\[str\]|complex \| None)"):
        check(object(), annotation)


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (str, "str"),
        (Any, "any value"),
        (list[str], "list[str]"),
        (dict[str, Any], "dict[str, Any]"),
        (str | None, "str | None"),
        (Optional[int], "int | None"),  # noqa: UP045
        (Literal["a", "b"], "'a' or 'b'"),
        (Literal["a", "b"] | None, "'a' or 'b' | None"),
        (Path, "Path"),
        (Path | None, "Path | None"),
        (Taint, "Taint"),
        (Taint | None, "Taint | None"),
        (list[Taint], "list[Taint]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Colour, "'red' or 'green'"),
        (Colour | None, "'red' or 'green' | None"),
    ],
)
def test_annotations_read_as_people_write_them(annotation: Any, said: str) -> None:
    assert describe(annotation) == said


def test_takes_looks_into_unions() -> None:
    assert takes(bool, bool)
    assert takes(bool | str, bool)
    assert takes(str | None, type(None))
    assert not takes(str, bool)


def test_what_a_role_is_given_is_plain_data() -> None:
    day = date(2026, 1, 2)
    value = {"t": Taint("k", "E"), "c": Colour.RED, "p": Path("/a"), 1: (1, {"x"}), "d": [day]}
    data = {"t": {"key": "k", "effect": "E"}, "c": "red", "p": "/a", "1": [1, ["x"]], "d": ["2026-01-02"]}
    assert to_data(value) == data
    assert json.loads(json.dumps(to_data(value))) == data


def test_the_order_of_a_set_is_always_the_same() -> None:
    names = {f"name{number}" for number in range(50)}
    assert to_data(names) == sorted(names)


scalars = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(plain)
def test_plain_data_reaches_a_role_unchanged(value: object) -> None:
    assert to_data(value) == value


@given(st.text())
def test_a_string_is_never_taken_for_anything_else(text: str) -> None:
    assert from_text(text, str) == check(text, str) == from_text(text, str | None) == to_data(text) == text


@given(st.lists(st.text()))
def test_strings_in_a_list_survive_being_written_as_json(texts: list[str]) -> None:
    assert from_text(json.dumps(texts), list[str]) == texts
    assert from_text(json.dumps(texts, ensure_ascii=False), list[str]) == texts


@given(st.dictionaries(st.text(), st.floats(allow_nan=False)))
def test_numbers_in_a_mapping_survive_being_written_as_json(values: dict[str, float]) -> None:
    assert from_text(json.dumps(values), dict[str, float]) == values


@given(plain)
def test_any_data_survives_being_written_as_json(value: object) -> None:
    assert from_text(json.dumps({"x": value}), dict[str, Any]) == {"x": value}


@pytest.mark.parametrize(
    ("annotation", "accepted"),
    [(str, "4711"), (str | None, "4711"), (Any, "4711"), (Path, Path("4711")), (Literal["4711", "x"], "4711")],
)
def test_a_secret_is_taken_where_its_text_would_be(annotation: Any, accepted: object) -> None:
    assert check(Secret("4711"), annotation) == accepted


def test_a_secret_in_a_container_becomes_text() -> None:
    assert check([Secret("4711")], list[str]) == ["4711"]
    assert to_data({"token": Secret("4711"), "all": [Secret("4712")]}) == {"token": "4711", "all": ["4712"]}


def test_an_error_about_a_secret_does_not_quote_it() -> None:
    for annotation in (int, Literal["x"], list[str]):
        with pytest.raises(UsageError) as caught:
            check(Secret("hush-4711", "creds.token"), annotation)
        assert "hush" not in str(caught.value) + str(caught.value.hint)
        assert caught.value.__cause__ is None
        assert "Secret(creds.token)" in caught.value.message
