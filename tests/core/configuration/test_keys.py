from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.errors import UnknownKey
from projects.core.configuration.jsonpath import matches
from projects.core.configuration.keys import MISSING, KeyPath, find, format_key, leaves, parse_key, replaced, siblings

PATHS = st.lists(st.text() | st.integers(0, 10**6), max_size=6).map(tuple)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a", ("a",)),
        ("a.b.c", ("a", "b", "c")),
        ("$", ()),
        ("$.a.b", ("a", "b")),
        ('$["a"]', ("a",)),
        ("a.list[1]", ("a", "list", 1)),
        ("a.list[-1]", ("a", "list", -1)),
        ("a.list[1][2].x", ("a", "list", 1, 2, "x")),
        ('ci_presets["3min"]', ("ci_presets", "3min")),
        ("ci_presets['3min'].x", ("ci_presets", "3min", "x")),
        ('a."b.c".d', ("a", "b.c", "d")),
        ('a["say \\"hi\\""]', ("a", 'say "hi"')),
        ("clusters.sutest-1.x/y:z", ("clusters", "sutest-1", "x/y:z")),
        ("exec_list._only_", ("exec_list", "_only_")),
        ("a.3min.007", ("a", "3min", "007")),
    ],
)
def test_a_key_is_read_as_a_path(key: str, path: KeyPath) -> None:
    assert parse_key(key) == path


@pytest.mark.parametrize(
    "key",
    ["", ".", "a.", ".a", "a..b", "$a", "$.", "a[", "a[x]", "a[1", "a.[1]", "a*", "a.*", "a[*]", "a b", "a[1:2]", "a]"],
)
def test_what_is_no_plain_key(key: str) -> None:
    assert parse_key(key) is None


@given(PATHS)
def test_a_path_is_written_as_the_key_that_leads_there(path: KeyPath) -> None:
    assert parse_key(format_key(path)) == path


@given(TREES)
def test_each_leaf_is_found_at_its_path(tree: Any) -> None:
    for path, value in leaves(tree):
        assert find(tree, path) is value or find(tree, path) == value
        assert find(tree, parse_key(format_key(path)) or ()) == value


@given(TREES, st.data(), st.integers())
def test_replacing_changes_one_place_and_leaves_the_tree_as_it_was(tree: Any, data: Any, value: Any) -> None:
    paths = [path for path, _ in leaves(tree)]
    path: KeyPath = data.draw(st.sampled_from(paths))
    before = repr(tree)
    after = replaced(tree, path, value)
    assert find(after, path) == value
    assert repr(tree) == before
    assert all(find(after, other) == find(tree, other) for other in paths if other != path)


def test_a_key_that_is_no_text_in_yaml_is_found_as_it_is_written() -> None:
    tree = {8: {"x": 1}, True: 2, None: 3, 1.5: 4}
    assert [find(tree, path) for path in [("8", "x"), ("true",), ("null",), ("1.5",)]] == [1, 2, 3, 4]
    assert replaced(tree, ("8", "x"), 5)[8] == {"x": 5}


def test_text_has_no_members() -> None:
    assert find({"a": "text"}, ("a", 0)) is MISSING
    assert find({"a": "text"}, ("a", "upper")) is MISSING
    assert find({"a": [1]}, ("a", "0")) is MISSING
    assert find({"a": {"0": 1}}, ("a", 0)) is MISSING


def test_the_siblings_of_a_path_that_leads_nowhere() -> None:
    assert siblings({"a": {"b": 1, "c": 2}}, ("a", "x", "y")) == ["a.b", "a.c"]
    assert siblings([], ("a",)) == []


TREE = {"list": [{"n": "a", "v": 1}, {"n": "b", "v": 2}], "x": {"v": 3}}


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("list[*].v", [("list", 0, "v"), ("list", 1, "v")]),
        ("list[?n=='b'].v", [("list", 1, "v")]),
        ("x.*", [("x", "v")]),
        ("$..n", [("list", 0, "n"), ("list", 1, "n")]),
        ("list[5:].v", []),
    ],
)
def test_a_jsonpath_names_paths(key: str, found: Any) -> None:
    assert matches(TREE, key) == found
    assert all(find(TREE, path) is not MISSING for path in found)


@pytest.mark.parametrize("key", ["", "a[", "a..", "]", "a[?(", "a b"])
def test_what_is_no_jsonpath_either(key: str) -> None:
    with pytest.raises(UnknownKey, match=r"is not a key of a configuration") as raised:
        matches(TREE, key)
    assert raised.value.hint == 'a key is written a.b.c, a.list[1] or a["b"]'
