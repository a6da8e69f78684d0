"""JSON patch, merge patch and strategic merge patch: their standards' examples and their laws."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.patches import PatchFailedError, json_patch, merge_patch
from projects.sim_cluster.api.strategic import strategic_merge
from projects.sim_cluster.jumping import JumpingClock

SCALARS = st.one_of(st.integers(), st.text(max_size=3), st.booleans())
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)),
)
OBJECTS = st.dictionaries(st.text(max_size=2), JSON, max_size=4)


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the merge patch that leads from one object to another."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        if key not in before or before[key] != value or isinstance(before[key], bool) != isinstance(value, bool):
            both = isinstance(before.get(key), dict) and isinstance(value, dict)
            patch[key] = difference(before[key], value) if both else value
    return patch


@given(OBJECTS, OBJECTS)
def test_merge_patch_leads_where_it_was_made_to(before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = copy.deepcopy(before)
    assert merge_patch(before, difference(before, after)) == after
    assert before == kept, "the target was changed in place"


@given(OBJECTS, OBJECTS)
def test_merge_patch_twice_is_once(target: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@pytest.mark.parametrize(("target", "patch", "expected"), [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
])  # fmt: skip
def test_examples_of_rfc_7386(target: Any, patch: Any, expected: Any) -> None:
    assert merge_patch(target, patch) == expected


@pytest.mark.parametrize(("operations", "expected"), [
    ([{"op": "add", "path": "/baz", "value": "qux"}], {"foo": ["bar", "baz"], "baz": "qux"}),
    ([{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ([{"op": "add", "path": "/foo/-", "value": "qux"}], {"foo": ["bar", "baz", "qux"]}),
    ([{"op": "remove", "path": "/foo/0"}], {"foo": ["baz"]}),
    ([{"op": "replace", "path": "/foo", "value": 1}], {"foo": 1}),
    ([{"op": "move", "from": "/foo", "path": "/new"}], {"new": ["bar", "baz"]}),
    ([{"op": "copy", "from": "/foo/0", "path": "/a~1b~0c"}], {"foo": ["bar", "baz"], "a/b~c": "bar"}),
    ([{"op": "test", "path": "/foo/1", "value": "baz"}, {"op": "test", "path": "/missing", "value": None}], {"foo": ["bar", "baz"]}),
])  # fmt: skip
def test_operations_of_rfc_6902(operations: list[Any], expected: Any) -> None:
    before = {"foo": ["bar", "baz"]}
    assert json_patch(before, operations) == expected
    assert before == {"foo": ["bar", "baz"]}


@pytest.mark.parametrize("operation", [
    {"op": "test", "path": "/foo", "value": 2}, {"op": "remove", "path": "/no"}, {"op": "replace", "path": "/no/deeper", "value": 1},
    {"op": "add", "path": "/list/9", "value": 1}, {"op": "rename", "path": "/foo"}, {"op": "add", "path": "foo", "value": 1}, {"op": "add"},
])  # fmt: skip
def test_json_patches_that_do_not_apply(operation: Any) -> None:
    with pytest.raises(PatchFailedError):
        json_patch({"foo": 1, "list": []}, [operation])


def pod_schema() -> Any:
    kind = Api(JumpingClock(epoch=0.0)).registry.find("", "v1", "pods")
    assert kind is not None
    return kind.schema


def containers(*named: str) -> list[dict[str, Any]]:
    return [{"name": name, "image": f"{name}:1"} for name in named]


def test_strategic_merge_goes_by_the_lists_keys() -> None:
    before = {"spec": {"containers": containers("a", "b"), "nodeSelector": {"x": "y"}}}
    patch = {
        "spec": {
            "containers": [{"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}],
            "nodeSelector": {"z": "1"},
        }
    }
    after = strategic_merge(before, patch, pod_schema())
    assert [(c["name"], c["image"]) for c in after["spec"]["containers"]] == [("a", "a:1"), ("b", "b:2"), ("c", "c:1")]
    assert after["spec"]["nodeSelector"] == {"x": "y", "z": "1"}


def test_strategic_merge_directives() -> None:
    before = {
        "metadata": {"finalizers": ["a/b", "c/d"]},
        "spec": {"containers": containers("a", "b"), "nodeSelector": {"x": "y"}},
    }
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"]},
        "spec": {"containers": [{"name": "a", "$patch": "delete"}], "nodeSelector": {"$patch": "replace", "n": "m"}},
    }
    after = strategic_merge(before, patch, pod_schema())
    assert after["metadata"]["finalizers"] == ["c/d"]
    assert [c["name"] for c in after["spec"]["containers"]] == ["b"]
    assert after["spec"]["nodeSelector"] == {"n": "m"}


def test_strategic_merge_sets_the_order_of_elements() -> None:
    before = {"spec": {"containers": containers("a", "b", "c")}}
    patch = {
        "spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "a", "image": "x"}],
        }
    }
    assert [c["name"] for c in strategic_merge(before, patch, pod_schema())["spec"]["containers"]] == ["b", "c", "a"]
