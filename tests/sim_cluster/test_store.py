"""The store and what stands on it: versions, history, snapshots, garbage."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.sim_cluster.api import store as store_module
from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.at_once import at_once
from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.kinds import Kind
from projects.sim_cluster.api.requests import DeleteOptions, ListOptions, WriteOptions
from projects.sim_cluster.api.store import Store, encode
from projects.sim_cluster.api.watches import Event, Watch, WatchOptions
from projects.sim_cluster.jumping import JumpingClock

MAPS = ("", "configmaps")
BY = WriteOptions("test")


@pytest.fixture
def api() -> Api:
    made = Api(JumpingClock(epoch=1_700_000_000.0))
    at_once(made.resources.create(kind(made, "namespaces"), "", {"metadata": {"name": "n"}}, BY))
    return made


def kind(api: Api, resource: str, group: str = "") -> Kind:
    found = api.registry.find(group, "v1", resource)
    assert found is not None
    return found


def make(api: Api, name: str, **metadata: Any) -> dict[str, Any]:
    return at_once(
        api.resources.create(kind(api, "configmaps"), "n", {"metadata": {"name": name, **metadata}}, BY)
    ).object


def names(api: Api) -> list[str]:
    return [stored.object["metadata"]["name"] for stored in api.store.list(MAPS, "n")]


@given(st.lists(st.tuples(st.sampled_from(["put", "remove"]), st.sampled_from("abc")), max_size=40))
@settings(max_examples=50, deadline=None)
def test_history_replayed_is_the_present(actions: list[tuple[str, str]]) -> None:
    store = Store()
    for action, name in actions:
        present = store.get(MAPS, "n", name)
        if action == "put":
            store.put(MAPS, {"metadata": {"namespace": "n", "name": name}})
        elif present is not None:
            store.remove(MAPS, present.object)
    changes = store.since(MAPS, 0) or []
    assert [change.version for change in changes] == sorted({change.version for change in changes})
    replayed: set[str] = set()
    for change in changes:
        name = change.now.object["metadata"]["name"]
        (replayed.discard if change.type == "DELETED" else replayed.add)(name)
    assert sorted(replayed) == [stored.object["metadata"]["name"] for stored in store.list(MAPS, "n")]


def test_a_watch_from_a_forgotten_version_is_expired(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "HISTORY", 3)
    for number in range(6):
        make(api, f"m{number}")
    watch = Watch(api.store, api.clock, kind(api, "configmaps"), "n", WatchOptions(version="2"))

    async def seen() -> list[list[Event]]:
        return [batch async for batch in watch.batches()]

    [[event]] = asyncio.run(seen())
    assert event.type == "ERROR"
    assert event.error is not None
    assert (event.error.code, event.error.reason) == (410, "Expired")
    assert event.error.message == f"too old resource version: 2 ({api.store.oldest(MAPS)})"


def test_pages_are_cut_from_one_snapshot(api: Api) -> None:
    for number in range(5):
        make(api, f"m{number}")
    maps = kind(api, "configmaps")
    first = api.resources.list(maps, "n", ListOptions(limit=2))
    make(api, "m0a")
    at_once(api.resources.delete(maps, "n", "m4", DeleteOptions()))
    second = api.resources.list(maps, "n", ListOptions(limit=2, continue_token=first.continue_token))
    third = api.resources.list(maps, "n", ListOptions(limit=2, continue_token=second.continue_token))
    found = [stored.object["metadata"]["name"] for page in (first, second, third) for stored in page.items]
    assert found == ["m0", "m1", "m2", "m3", "m4"]
    assert (first.remaining, third.continue_token, first.version) == (3, "", third.version)


def test_a_continue_token_of_a_lost_snapshot_is_expired(api: Api) -> None:
    make(api, "a")
    make(api, "b")
    token = api.resources.list(kind(api, "configmaps"), "n", ListOptions(limit=1)).continue_token
    api.resources.pager._snapshots.clear()
    with pytest.raises(ApiError) as caught:
        api.resources.list(kind(api, "configmaps"), "n", ListOptions(limit=1, continue_token=token))
    assert caught.value.code == 410


def owned(owner: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    metadata = owner["metadata"]
    return [{"apiVersion": "v1", "kind": "ConfigMap", "name": metadata["name"], "uid": metadata["uid"], **more}]


def test_dependents_go_with_their_owner(api: Api) -> None:
    owner = make(api, "owner")
    child = make(api, "child", ownerReferences=owned(owner))
    make(api, "grandchild", ownerReferences=owned(child))
    make(api, "stranger")
    at_once(api.resources.delete(kind(api, "configmaps"), "n", "owner", DeleteOptions(propagation="Background")))
    assert names(api) == ["stranger"]


def test_a_foreground_owner_waits_for_those_that_block_it(api: Api) -> None:
    owner = make(api, "owner")
    make(api, "held", ownerReferences=owned(owner, blockOwnerDeletion=True), finalizers=["example.com/hold"])
    maps = kind(api, "configmaps")
    at_once(api.resources.delete(maps, "n", "owner", DeleteOptions(propagation="Foreground")))
    assert names(api) == ["held", "owner"]
    assert all(api.resources.get(maps, "n", name).object["metadata"]["deletionTimestamp"] for name in names(api))
    at_once(api.resources.patch(maps, "n", "held", "merge", {"metadata": {"finalizers": None}}, BY))
    assert names(api) == []


def test_orphans_stay_without_the_reference(api: Api) -> None:
    owner = make(api, "owner")
    make(api, "child", ownerReferences=owned(owner))
    maps = kind(api, "configmaps")
    at_once(api.resources.delete(maps, "n", "owner", DeleteOptions(propagation="Orphan")))
    assert names(api) == ["child"]
    assert "ownerReferences" not in api.resources.get(maps, "n", "child").object["metadata"]


def test_one_of_two_owners_is_enough(api: Api) -> None:
    first, second = make(api, "first"), make(api, "second")
    make(api, "child", ownerReferences=owned(first) + owned(second))
    at_once(api.resources.delete(kind(api, "configmaps"), "n", "first", DeleteOptions()))
    assert names(api) == ["child", "second"]
    assert [
        o["name"]
        for o in api.resources.get(kind(api, "configmaps"), "n", "child").object["metadata"]["ownerReferences"]
    ] == ["second"]


def test_a_watch_sees_objects_start_and_stop_matching(api: Api) -> None:
    maps = kind(api, "configmaps")

    async def script() -> list[tuple[str, str]]:
        watch = Watch(
            api.store, api.clock, maps, "n", WatchOptions(labels="on=yes", version=str(api.store.version), timeout=5)
        )
        make(api, "a")
        for value in ("yes", "no", "yes"):
            at_once(api.resources.patch(maps, "n", "a", "merge", {"metadata": {"labels": {"on": value}}}, BY))
        at_once(api.resources.patch(maps, "n", "a", "merge", {"data": {"x": "y"}}, BY))
        at_once(api.resources.delete(maps, "n", "a", DeleteOptions()))
        async for batch in watch.batches():
            return [(event.type, event.stored.object["metadata"]["name"]) for event in batch if event.stored]
        return []

    assert asyncio.run(script()) == [(kind_, "a") for kind_ in ("ADDED", "DELETED", "ADDED", "MODIFIED", "DELETED")]


def test_stale_writes_lose(api: Api) -> None:
    maps = kind(api, "configmaps")
    first = make(api, "a")
    at_once(api.resources.patch(maps, "n", "a", "merge", {"data": {"x": "1"}}, BY))
    with pytest.raises(ApiError, match="the object has been modified"):
        at_once(api.resources.update(maps, "n", "a", first | {"data": {"x": "2"}}, BY))
    assert api.resources.get(maps, "n", "a").object["data"] == {"x": "1"}


def test_a_write_that_changes_nothing_is_none(api: Api) -> None:
    before = make(api, "a")["metadata"]["resourceVersion"]
    after = at_once(
        api.resources.patch(kind(api, "configmaps"), "n", "a", "merge", {"metadata": {"labels": None}}, BY)
    ).object
    assert after["metadata"]["resourceVersion"] == before


def test_a_stored_object_is_never_changed_in_place(api: Api) -> None:
    """Writes share what they do not change with the object before; what was stored must stay what it was."""
    stored: list[tuple[dict[str, Any], bytes]] = []
    api.store.listeners.append(lambda change: stored.append((change.now.object, encode(change.now.object))))
    pods, sets = kind(api, "pods"), kind(api, "replicasets", "apps")
    spec = {"containers": [{"name": "c", "image": "i:1", "resources": {"limits": {"cpu": "1000m"}}}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    at_once(api.resources.create(pods, "n", {"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": spec}, BY))
    owned = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    at_once(api.resources.create(sets, "n", {"metadata": {"name": "r"}, "spec": owned}, BY))
    status = replace(BY, subresource="status")
    for patch, options in (
        ({"status": {"phase": "Running", "podIP": "10.0.0.1"}}, status),
        ({"metadata": {"labels": {"a": "c"}}, "spec": {"activeDeadlineSeconds": 5}}, BY),
        ({"status": {"phase": None, "conditions": [{"type": "Ready", "status": "True"}]}}, status),
    ):
        at_once(api.resources.patch(pods, "n", "p", "merge", patch, options))
        at_once(api.resources.patch(pods, "n", "p", "strategic", patch, options))
    node = {"target": {"kind": "Node", "name": "a-node"}}
    at_once(api.subresources.bind(pods, "n", "p", node, BY))
    at_once(api.resources.patch(sets, "n", "r", "merge", {"status": {"replicas": 1}}, status))
    at_once(api.resources.patch(sets, "n", "r", "merge", {"spec": {"replicas": 2}}, BY))
    assert len(stored) == 8
    for obj, as_it_was in stored:
        assert encode(obj) == as_it_was


def test_a_status_that_does_not_fit_is_refused_however_little_else_changes(api: Api) -> None:
    pods, status = kind(api, "pods"), replace(BY, subresource="status")
    spec = {"containers": [{"name": "c", "image": "i:1"}]}
    at_once(api.resources.create(pods, "n", {"metadata": {"name": "p"}, "spec": spec}, BY))
    with pytest.raises(ApiError):
        at_once(api.resources.patch(pods, "n", "p", "merge", {"status": {"phase": 1}}, status))
    done = at_once(
        api.resources.patch(pods, "n", "p", "merge", {"status": {"phase": "Running", "nonsense": 1}}, status)
    )
    assert done.object["status"]["phase"] == "Running"
    assert "nonsense" not in done.object["status"]
    assert done.warnings == ['unknown field "status.nonsense"']
