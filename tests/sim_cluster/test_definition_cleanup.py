"""A CustomResourceDefinition goes after the objects of its kind, on both APIs."""

from collections.abc import Callable

from tests.sim_cluster.talk import DEFINITIONS, Client, named


def test_a_definition_waits_for_its_objects(either: Client, new_name: Callable[[str], str]) -> None:
    group = f"{new_name('g')}.example.dev"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    name, things = f"things.{group}", f"/apis/{group}/v1/things"
    either.define({
        "metadata": {"name": name},
        "spec": {"group": group, "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]},
    })  # fmt: skip
    thing = {
        "apiVersion": f"{group}/v1",
        "kind": "Thing",
        "metadata": {"name": "held", "finalizers": ["example.dev/held"]},
    }
    either.post(things, thing)
    deleted = either.ask("DELETE", f"{DEFINITIONS}/{name}").body
    assert deleted["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert deleted["metadata"]["generation"] == 1
    assert [(each["type"], each["reason"]) for each in deleted["status"]["conditions"]] == [
        ("NamesAccepted", "NoConflicts"), ("Established", "InitialNamesAccepted"), ("Terminating", "InstanceDeletionPending"),
    ]  # fmt: skip
    either.until(f"{things}/held", lambda seen: seen["metadata"].get("deletionTimestamp"))
    assert either.ask("GET", f"{DEFINITIONS}/{name}").status == 200
    either.merge(f"{things}/held", {"metadata": {"finalizers": []}})
    either.gone(named(DEFINITIONS, name), 90)
