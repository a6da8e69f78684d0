from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.data import is_secret
from projects.core.configuration.document import Document
from projects.core.configuration.errors import BrokenReference, SecretUnhandled, UnknownKey
from projects.core.configuration.layers import Configuration, Layer, base_of
from projects.core.configuration.references import Resolver


def resolver(data: Any, *, secrets: bool = True) -> Resolver:
    base = base_of((Layer.PROJECT, Document(Path("config.yaml"), data)))
    configuration = Configuration(base, data, data)
    return Resolver(configuration, (lambda key, file: f"<{key} {file}>") if secrets else None)


def value(data: Any, key: str = "x") -> Any:
    return resolver(data).resolve(data[key], (key,))


DATA = {
    "number": 7,
    "text": "here",
    "yes": True,
    "list": [1, {"two": 2}],
    "tree": {"list": "@list", "deep": {"text": "<{@number}>"}},
    "file": "name",
    "named": "@file",
    "token": "*$@named",
    "through": "@token",
    "3min": {"x y": 3},
}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("@number", 7),
        ("@list", [1, {"two": 2}]),
        ("@list[1].two", 2),
        ("@tree", {"list": [1, {"two": 2}], "deep": {"text": "<7>"}}),
        ("@tree.list[0]", 1),
        ("@tree.deep.text", "<7>"),
        ('@["3min"]["x y"]', 3),
        ("@list[?two==2].two", 2),
        ("at {@number}, {@text}{@text}!", "at 7, herehere!"),
        ("{@number}", "7"),
        ("{@yes} {@list}", "True [1, {'two': 2}]"),
        (["@number", {"a": ["{@text}"]}], [7, {"a": ["here"]}]),
        ("user@host", "user@host"),
        ("a @b", "a @b"),
        ("mail me: {x} @ {y}", "mail me: {x} @ {y}"),
        ("*$@file", "<x name>"),
        ("*$@named", "<x name>"),
        ("@token", "<token name>"),
        ("@through", "<token name>"),
        ("token={@through}", "token=<token name>"),
        ("*", "*"),
        ("plain", "plain"),
    ],
)
def test_what_a_value_means(written: Any, meant: Any) -> None:
    assert value({**DATA, "x": written}) == meant


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        (
            "@nmber",
            "x: the reference '@nmber' leads nowhere: nmber is not a key of the configuration",
            "did you mean 'number'?",
        ),
        ("@tree.lst", "x: the reference '@tree.lst' leads nowhere", "did you mean 'tree.list'?"),
        ("a {@list[7]}", "x: the reference '@list[7]' leads nowhere", "did you mean 'list'?"),
        ("@text.upper", "x: the reference '@text.upper' leads nowhere", None),
        ("@", "x: the reference '@' cannot be followed", 'a key is written a.b.c, a.list[1] or a["b"]'),
        ("{@}", "x: the reference '@' cannot be followed", 'a key is written a.b.c, a.list[1] or a["b"]'),
        (
            "@tree.*",
            "x: the reference '@tree.*' cannot be followed: tree.* names 2 values",
            "among them: tree.list, tree.deep",
        ),
        ("@x", "x: the references go round in a circle: x -> x", None),
        (["a", "{@x}"], "x[1]: the references go round in a circle: x[1] -> x[1]", None),
        ({"a": {"b": "@x.a"}}, "x.a.b: the references go round in a circle: x.a.b -> x.a.b", None),
        ("@x.y", "x: the references go round in a circle: x -> x", None),
        ("*@file", "x: '*@file' is no reference", "'@file' is the value, '*$@file' a secret"),
        ("*$@list", "x: '*$@list': expected the name of a file at list, found a list of 2", None),
        ("*$@nothing", "x: the reference '@nothing' leads nowhere", None),
    ],
)
def test_a_reference_that_cannot_be_followed(written: Any, message: str, hint: str | None) -> None:
    with pytest.raises(BrokenReference) as raised:
        value({**DATA, "x": written})
    assert raised.value.message.startswith(message)
    if hint:
        assert raised.value.hint == hint


def test_a_longer_circle_is_told_whole() -> None:
    with pytest.raises(BrokenReference, match=r"b: the references go round in a circle: b -> c\[0\] -> b"):
        value({"x": "@b", "b": "{@c}", "c": ["@b"]})


def test_a_secret_is_refused_where_nothing_reads_secrets() -> None:
    for written in ("*$@file", "@token", "a {@token}", {"deep": ["*$@file"]}):
        data = {**DATA, "x": written}
        with pytest.raises(SecretUnhandled, match=r"(x|token|x\.deep\[0\]) is a secret \(\*\$@") as raised:
            resolver(data, secrets=False).resolve(data["x"], ("x",))
        assert "handled_secretly=True" in str(raised.value.hint)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_holds_no_reference_stays_as_it_is_and_is_copied(data: Any) -> None:
    without = _without_at(data)
    found = value({"x": without})
    assert found == without
    if isinstance(without, dict | list):
        assert found is not without


def _without_at(data: Any) -> Any:
    if isinstance(data, str):
        return data.replace("@", "")
    if isinstance(data, list):
        return [_without_at(each) for each in data]
    return {key: _without_at(each) for key, each in data.items()} if isinstance(data, dict) else data


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=4, max_size=4), st.sampled_from(["@{}", "x{{@{}}}"]))
def test_following_ends_whatever_refers_to_whatever(targets: Any, form: Any) -> None:
    data = dict(zip("abcd", (form.format(target) for target in targets), strict=True), e=1)
    for key in "abcd":
        with pytest.raises(BrokenReference, match="go round in a circle"):
            value(data, key)


def test_a_key_that_names_several_values_is_an_error_and_not_the_first() -> None:
    with pytest.raises(UnknownKey, match=r"list\[\*\] names 2 values, expected one") as raised:
        resolver(DATA).locate("list[*]")
    assert raised.value.hint == "among them: list[0], list[1]"
    assert resolver(DATA).locate("list[9]") is None


def test_what_a_reference_to_a_secret_looks_like() -> None:
    assert is_secret("*$@a")
    assert not is_secret("@a")
    assert not is_secret(["*$@a"])
