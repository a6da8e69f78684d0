"""Server-side apply and field ownership, without HTTP."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.at_once import at_once
from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.fieldsets import Tree, difference, insert, settled, union
from projects.sim_cluster.api.kinds import Kind
from projects.sim_cluster.api.requests import WriteOptions
from projects.sim_cluster.jumping import JumpingClock

DATA = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"), max_size=4)


def kind(api: Api, group: str, resource: str) -> Kind:
    found = api.registry.find(group, "v1", resource)
    assert found is not None
    return found


def new_api() -> Api:
    api = Api(JumpingClock(epoch=1_700_000_000.0))
    at_once(api.resources.create(kind(api, "", "namespaces"), "", {"metadata": {"name": "n"}}, WriteOptions("setup")))
    return api


def apply(api: Api, manager: str, data: dict[str, str], *, force: bool = True) -> dict[str, Any]:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data}
    return at_once(
        api.resources.patch(kind(api, "", "configmaps"), "n", "m", "apply", body, WriteOptions(manager, force=force))
    ).object


def owned(obj: dict[str, Any], manager: str) -> set[str]:
    entries = [
        entry["fieldsV1"].get("f:data", {}) for entry in obj["metadata"]["managedFields"] if entry["manager"] == manager
    ]
    return {key.removeprefix("f:") for entry in entries for key in entry if key != "."}


@given(st.lists(st.tuples(st.sampled_from(["one", "two"]), DATA), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_is_applied_is_there_and_what_nobody_applies_any_more_is_gone(
    turns: list[tuple[str, dict[str, str]]],
) -> None:
    api = new_api()
    wishes: dict[str, dict[str, str]] = {}
    for manager, data in turns:
        wishes[manager] = data
        for other, wish in list(wishes.items()):  # force takes what differs away from the others
            wishes[other] = {key: value for key, value in wish.items() if data.get(key, value) == value}
        obj = apply(api, manager, data)
        assert obj.get("data", {}) == {key: value for wish in wishes.values() for key, value in wish.items()} | data
        assert all(owned(obj, name) == set(wish) for name, wish in wishes.items())
        again = apply(api, manager, data)["metadata"]["resourceVersion"]  # an empty map of one's own is added each time
        assert again == obj["metadata"]["resourceVersion"] or not data


PATHS = st.lists(st.lists(st.sampled_from(["f:a", "f:b", 'k:{"name":"c"}']), min_size=1, max_size=3), max_size=5)


@given(PATHS, PATHS)
def test_what_is_remembered_of_two_sets_is_what_is_reckoned(one: list[list[str]], other: list[list[str]]) -> None:
    trees: list[Tree] = [{}, {}]
    for tree, paths in zip(trees, (one, other), strict=True):
        for path in paths:
            insert(tree, path)
    for operation in (union, difference):
        reckoned = operation(*trees)
        assert settled(operation, *trees) == settled(operation, *trees) == reckoned


def test_conflicts_name_who_owns_what() -> None:
    api = new_api()
    apply(api, "one", {"a": "1", "b": "1"})
    with pytest.raises(ApiError) as caught:
        apply(api, "two", {"a": "2", "b": "2"}, force=False)
    assert caught.value.code == 409
    assert caught.value.message == 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b'
    assert owned(apply(api, "two", {"a": "1"}, force=False), "two") == {"a"}, "to agree is to share"


def test_an_update_takes_what_it_changes() -> None:
    api = new_api()
    apply(api, "one", {"a": "1", "b": "1"})
    maps = kind(api, "", "configmaps")
    obj = at_once(api.resources.patch(maps, "n", "m", "merge", {"data": {"a": "2"}}, WriteOptions("hand"))).object
    assert (owned(obj, "one"), owned(obj, "hand")) == ({"b"}, {"a"})
    assert apply(api, "one", {"b": "1"})["data"] == {"a": "2", "b": "1"}


def deployment(*names: str) -> dict[str, Any]:
    containers = [{"name": name, "image": f"{name}:1"} for name in names]
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}  # fmt: skip


def test_elements_of_keyed_lists_come_and_go_with_their_defaults() -> None:
    api = new_api()
    deployments = kind(api, "apps", "deployments")

    def put(manager: str, body: dict[str, Any]) -> list[str]:
        done = at_once(api.resources.patch(deployments, "n", "d", "apply", body, WriteOptions(manager))).object
        return [container["name"] for container in done["spec"]["template"]["spec"]["containers"]]

    assert put("one", deployment("a", "b")) == ["a", "b"]
    assert put("two", deployment("c")) == ["a", "b", "c"]
    assert put("one", deployment("a")) == ["a", "c"]
    put("three", deployment("c"))
    assert put("two", deployment("a")) == ["a", "c"], "another one still wants it"


def test_unknown_fields_are_refused() -> None:
    api = new_api()
    with pytest.raises(ApiError, match=r"\.sepc: field not declared in schema"):
        at_once(
            api.resources.patch(
                kind(api, "apps", "deployments"), "n", "d", "apply", deployment("a") | {"sepc": {}}, WriteOptions("one")
            )
        )
