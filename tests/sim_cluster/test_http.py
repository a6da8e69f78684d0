"""The API over HTTPS, asked by a raw client: discovery, watches, forms of answers, refusals."""

import json
import threading
from itertools import islice
from typing import Any

import pytest

from tests.sim_cluster.talk import APPLY, DEFINITIONS, MERGE, Client, config_map

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def test_health_and_version(client: Client) -> None:
    for path in ("/healthz", "/livez", "/readyz", "/livez/ping"):
        assert client.ask("GET", path).text == "ok"
    assert client.ask("GET", "/readyz?verbose").text.endswith("readyz check passed\n")
    assert client.ask("GET", "/livez/nope").status == 404
    assert client.get("/version")["gitVersion"].startswith("v1.35")
    assert "/apis/apps/v1" in client.get("/")["paths"]


def test_discovery_agrees_with_itself(client: Client) -> None:
    legacy = {
        (group["name"], resource["name"])
        for group in client.get("/apis")["groups"]
        for version in group["versions"]
        for resource in client.get(f"/apis/{version['groupVersion']}")["resources"]
    }
    aggregated = {
        (group["metadata"]["name"], name)
        for group in client.get("/apis", accept=AGGREGATED)["items"]
        for version in group["versions"]
        for resource in version["resources"]
        for name in [
            resource["resource"],
            *(f"{resource['resource']}/{sub['subresource']}" for sub in resource.get("subresources", ())),
        ]
    }
    assert legacy == aggregated
    assert ("apps", "deployments/scale") in legacy


def test_every_resource_in_discovery_can_be_listed(client: Client) -> None:
    groups = [("/api/v1", client.get("/api/v1")), *((f"/apis/{v['groupVersion']}", client.get(f"/apis/{v['groupVersion']}"))
              for group in client.get("/apis")["groups"] for v in group["versions"])]  # fmt: skip
    for path, listed in groups:
        for resource in listed["resources"]:
            if (
                "list" in resource["verbs"] and resource["name"] != "componentstatuses"
            ):  # which says that it is not there
                assert client.get(f"{path}/{resource['name']}")["kind"] == f"{resource['kind']}List"


def test_what_is_not_simulated_says_so(client: Client, namespace: str) -> None:
    for method, path, what in (
        ("POST", f"/api/v1/namespaces/{namespace}/pods/p/portforward", "pods/portforward"),
        ("GET", "/api/v1/componentstatuses", "componentstatuses"),
        ("GET", "/api/v1/nodes/worker-0/proxy", "nodes/proxy"),
        ("GET", f"/api/v1/namespaces/{namespace}/services/s/proxy/path", "services/proxy"),
    ):
        answer = client.ask(method, path)
        assert answer.status == 501, path
        assert answer.body["reason"] == "NotImplemented"
        assert what in answer.body["message"]


def test_identity(client: Client) -> None:
    assert client.ask("GET", "/api/v1/nodes", token="").status == 403
    assert client.ask("GET", "/api/v1/nodes", token="").body["message"] == (
        'nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" at the cluster scope'
    )
    assert client.ask("GET", "/api/v1/nodes", token="wrong").status == 401
    assert client.ask("GET", "/healthz", token="").status == 200
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    user = client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)["status"]["userInfo"]
    assert user["username"] == "kubernetes-admin"


def test_a_token_that_was_asked_for_is_accepted(client: Client, namespace: str) -> None:
    made = client.post(
        f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token", {"spec": {"expirationSeconds": 3600}}
    )
    token = made["status"]["token"]
    review = client.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, token=token).body
    assert review["status"]["userInfo"]["username"] == f"system:serviceaccount:{namespace}:default"


def test_a_watch_is_in_order_and_ends_when_told(client: Client, namespace: str) -> None:
    start = client.get(maps(namespace))["metadata"]["resourceVersion"]
    for number in range(20):
        client.post(maps(namespace), config_map(f"m{number:02}"))
    path = f"{maps(namespace)}?watch=1&resourceVersion="
    events = list(islice(client.watch(f"{path}{start}&timeoutSeconds=60", 90), 20))
    assert [event["object"]["metadata"]["name"] for event in events] == [f"m{number:02}" for number in range(20)]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(versions)
    assert not list(client.watch(f"{path}{versions[-1]}&timeoutSeconds=1"))


def test_watches_begin_with_what_is_there(client: Client, namespace: str) -> None:
    client.post(maps(namespace), config_map("a"))
    path = f"{maps(namespace)}?watch=1&fieldSelector=metadata.name%3Da&timeoutSeconds=60"
    begun = client.watch(path, 90)
    assert next(begun)["type"] == "ADDED"
    client.merge(f"{maps(namespace)}/a", {"data": {"b": "2"}})
    assert next(begun)["type"] == "MODIFIED"
    begun.close()
    listed = list(
        islice(
            client.watch(
                f"{path}&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan", 90
            ),
            2,
        )
    )
    assert [event["type"] for event in listed] == ["ADDED", "BOOKMARK"]
    assert listed[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_writers_at_the_same_time_lose_nothing(client: Client, namespace: str) -> None:
    client.post(maps(namespace), config_map("shared", {"count": "0"}))
    path = f"{maps(namespace)}/shared"

    def add(times: int) -> None:
        own = Client(client.kubeconfig)
        while times:
            obj = own.get(path)
            obj["data"]["count"] = str(int(obj["data"]["count"]) + 1)
            times -= own.ask("PUT", path, obj).status == 200
        own.close()

    threads = [threading.Thread(target=add, args=(25,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get(path)["data"]["count"] == "100"


def test_tables_and_metadata_only(client: Client, namespace: str) -> None:
    client.post(maps(namespace), config_map("a", {"x": "1", "y": "2"}))
    shown = client.get(f"{maps(namespace)}/a", accept=TABLE)
    assert [column["name"] for column in shown["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert shown["rows"][0]["cells"][:2] == ["a", 2]
    partial = client.get(maps(namespace), accept="application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    assert partial["kind"] == "PartialObjectMetadataList"
    assert all(set(item) == {"kind", "apiVersion", "metadata"} for item in partial["items"])
    assert client.ask("GET", maps(namespace), accept="text/html").status == 406
    assert client.ask("GET", maps(namespace), accept="application/yaml").text.startswith("kind: ConfigMapList")


def test_dry_runs_leave_nothing(client: Client, namespace: str) -> None:
    assert client.ask("POST", f"{maps(namespace)}?dryRun=All", config_map("a")).status == 201
    assert client.ask("GET", f"{maps(namespace)}/a").status == 404
    client.post(maps(namespace), config_map("b"))
    assert client.ask("DELETE", f"{maps(namespace)}/b?dryRun=All").status == 200
    assert client.ask("PATCH", f"{maps(namespace)}/b?dryRun=All", {"data": {"a": "9"}}, MERGE).body["data"] == {
        "a": "9"
    }
    assert client.get(f"{maps(namespace)}/b")["data"] == {"a": "1"}


def test_the_two_event_kinds_are_one(client: Client, namespace: str) -> None:
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": namespace},
        "reason": "R",
        "message": "m",
        "type": "Normal",
    }
    client.post(f"/api/v1/namespaces/{namespace}/events", event)
    shown = client.get(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events/e")
    assert (shown["note"], shown["regarding"]["name"], shown["apiVersion"]) == ("m", "p", "events.k8s.io/v1")
    found = client.get(f"/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.name%3Dp")
    assert len(found["items"]) == 1


def crd(group: str, *versions: str, **more: Any) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    served = [
        {"name": name, "served": True, "storage": index == 0, "schema": schema, **more}
        for index, name in enumerate(versions)
    ]
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"things.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"}, "versions": served}}  # fmt: skip


def test_custom_kinds_come_and_go(client: Client, namespace: str) -> None:
    client.post(DEFINITIONS, crd("come.example.com", "v1", "v2"))
    things = f"/apis/come.example.com/v1/namespaces/{namespace}/things"
    client.post(
        things, {"apiVersion": "come.example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"a": 1}}
    )
    assert client.get(things.replace("/v1/", "/v2/") + "/t")["apiVersion"] == "come.example.com/v2"
    assert "come.example.com" in {group["name"] for group in client.get("/apis")["groups"]}
    assert client.ask("DELETE", f"{DEFINITIONS}/things.come.example.com").status == 200
    assert client.ask("GET", things).status == 404
    client.post(DEFINITIONS, crd("come.example.com", "v1"))
    assert client.get(things)["items"] == [], "objects of a deleted kind came back"
    client.ask("DELETE", f"{DEFINITIONS}/things.come.example.com")


def test_columns_and_scale_of_custom_kinds(client: Client, namespace: str) -> None:
    scale = {
        "specReplicasPath": ".spec.size",
        "statusReplicasPath": ".status.size",
        "labelSelectorPath": ".status.selector",
    }
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
               {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'}]  # fmt: skip
    client.post(
        DEFINITIONS,
        crd("scale.example.com", "v1", subresources={"status": {}, "scale": scale}, additionalPrinterColumns=columns),
    )
    things = f"/apis/scale.example.com/v1/namespaces/{namespace}/things"
    client.post(
        things, {"apiVersion": "scale.example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": 2}}
    )
    client.merge(
        f"{things}/t/status",
        {"status": {"size": 1, "selector": "a=b", "conditions": [{"type": "Ready", "status": "True"}]}},
    )
    assert client.get(f"{things}/t/scale")["status"] == {"replicas": 1, "selector": "a=b"}
    assert client.merge(f"{things}/t/scale", {"spec": {"replicas": 5}})["spec"] == {"replicas": 5}
    shown = client.get(f"{things}/t", accept=TABLE)
    assert ([c["name"] for c in shown["columnDefinitions"]], shown["rows"][0]["cells"]) == (
        ["Name", "Size", "Ready"],
        ["t", 5, "True"],
    )
    client.ask("DELETE", f"{DEFINITIONS}/things.scale.example.com")


def test_openapi_documents_hold_their_references(client: Client) -> None:
    index = client.get("/openapi/v3")["paths"]
    document = client.get(index["apis/apps/v1"]["serverRelativeURL"])
    schemas = document["components"]["schemas"]
    references = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert references <= schemas.keys()
    assert "fieldValidation" in json.dumps(
        document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    )


def test_apply_needs_a_manager(client: Client, namespace: str) -> None:
    answer = client.ask("PATCH", f"{maps(namespace)}/a", config_map("a"), APPLY)
    assert (answer.status, answer.body["details"]["causes"][0]["field"]) == (422, "fieldManager")


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"null"])
def test_bodies_that_are_no_objects(client: Client, namespace: str, body: bytes) -> None:
    assert client.ask("POST", maps(namespace), body).status in {400, 422}


def test_a_long_list_comes_in_pieces_and_whole(client: Client, namespace: str) -> None:
    names = sorted(f"m{number}" for number in range(260))
    for name in names:
        client.post(maps(namespace), {"metadata": {"name": name, "labels": {"a": "b"}}})
    path = f"{maps(namespace)}?labelSelector=a%3Db"
    whole = client.get(path)["items"]
    assert [item["metadata"]["name"] for item in whole] == names
    assert client.get(f"{path}&limit=10")["items"] == whole[:10]
