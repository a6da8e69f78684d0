"""The same life cycles on the real control plane and on the simulated one: what they answer must be the same."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.sim_cluster import mistakes
from tests.sim_cluster.comparing import DEPLOYMENTS, MAPS, PODS, Both, normal
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.mistakes_elsewhere import MISTAKES
from tests.sim_cluster.talk import APPLY, DEFINITIONS, JSON_PATCH, MERGE, STRATEGIC, Client, config_map, deployment

pytestmark = pytest.mark.envtest
_BAD_SELECTOR = {"replicas": 3, "selector": {"matchLabels": {"a": "b"}},
                 "template": {"metadata": {"labels": {"a": "c"}}, "spec": {"containers": [{"name": "c"}]}}}  # fmt: skip
_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
    "schedulerName": "nobody", "initContainers": [{"name": "i", "image": "i"}],
    "containers": [{"name": "c", "image": "i:1", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1"}},
                    "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                    "readinessProbe": {"httpGet": {"path": "/", "port": 80}}}],
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "s", "secret": {"secretName": "x"}}],
}}  # fmt: skip


def test_objects(both: Both) -> None:
    both([
        ("POST", MAPS, config_map("a")),
        ("POST", MAPS, config_map("a")),
        ("GET", f"{MAPS}/a"),
        ("PUT", f"{MAPS}/a", config_map("a", {"b": "2"}, labels={"x": "y"})),
        ("PUT", f"{MAPS}/a", config_map("a", {"b": "2"}, labels={"x": "y"})),
        ("PUT", f"{MAPS}/a", config_map("a", resourceVersion="1")),
        ("PUT", f"{MAPS}/a", config_map("other")),
        ("PUT", f"{MAPS}/missing", config_map("missing")),
        ("GET", f"{MAPS}/missing"),
        ("DELETE", f"{MAPS}/a", {"preconditions": {"uid": "wrong"}}),
        ("DELETE", f"{MAPS}/a"),
        ("DELETE", f"{MAPS}/a"),
    ])  # fmt: skip


def test_mistakes(both: Both) -> None:
    both([
        ("POST", MAPS, config_map("Bad_Name")),
        ("POST", MAPS, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}}),
        ("POST", MAPS, config_map("a", namespace="other")),
        ("POST", MAPS, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}}),
        ("POST", MAPS, config_map("a", labels={"a b": "c d"})),
        ("POST", MAPS, b'{"a":'),
        ("POST", f"{MAPS}?fieldValidation=Strict", config_map("a") | {"foo": 1}),
        ("POST", MAPS, config_map("a") | {"foo": 1}),
        ("POST", MAPS, config_map("b") | {"data": {"a": 1}}),
        ("POST", "/api/v1/namespaces/no-such/configmaps", config_map("a")),
        ("POST", DEPLOYMENTS, deployment("a", "NS") | {"metadata": {"name": "a"}, "spec": {"replicas": "3"}}),
        ("POST", DEPLOYMENTS, {"metadata": {"name": "a"}, "spec": {"replicas": 3}}),
        ("POST", DEPLOYMENTS, {"metadata": {"name": "a"}, "spec": _BAD_SELECTOR}),
        ("POST", PODS, {"metadata": {"name": "p"}, "spec": {}}),
        ("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "x"}}}]}}),
        ("POST", PODS, {"metadata": {"name": "p"}, "spec": {"restartPolicy": "Maybe", "containers": [{"name": "c", "image": "i"}] * 2}}),
        ("POST", f"{MAPS}/a", config_map("a")),
        ("PUT", MAPS, config_map("a")),
        ("GET", "/apis/apps/v1/nope"),
        ("GET", "/apis/nope/v1/x"),
        ("GET", f"{PODS}/a/nope"),
    ])  # fmt: skip


def test_patches(both: Both) -> None:
    container = {"name": "side", "image": "registry.invalid/side:1"}
    both([
        ("POST", MAPS, config_map("a", {"a": "1", "b": "2"})),
        ("PATCH", f"{MAPS}/a", {"data": {"a": None, "c": "3"}}, MERGE),
        ("PATCH", f"{MAPS}/a", [{"op": "replace", "path": "/data/b", "value": "4"}, {"op": "add", "path": "/metadata/labels", "value": {"x": "y"}}], JSON_PATCH),
        ("PATCH", f"{MAPS}/a", [{"op": "test", "path": "/data/b", "value": "no"}], JSON_PATCH),
        ("PATCH", f"{MAPS}/a", [{"op": "remove", "path": "/data/zz"}], JSON_PATCH),
        ("PATCH", f"{MAPS}/a", {"data": {"c": 5}}, MERGE),
        ("PATCH", f"{MAPS}/a", {"data": {"c": "5"}}, "text/plain"),
        ("PATCH", f"{MAPS}/missing", {"data": {"c": "5"}}, MERGE),
        ("PATCH", f"{MAPS}/a", {"metadata": {"resourceVersion": "1"}, "data": {"c": "6"}}, MERGE),
        ("POST", DEPLOYMENTS + "?dryRun=All", deployment("d", "NS", 0)),
    ])  # fmt: skip
    spec = {"spec": {"template": {"spec": {"containers": [container]}}}}
    both([
        ("PATCH", f"{MAPS}/missing2?fieldManager=m", config_map("missing2"), APPLY),
        ("POST", PODS, _POD),
        ("PATCH", f"{PODS}/p", {"spec": {"containers": [{"name": "c", "image": "j:1"}]}}, STRATEGIC),
        ("PATCH", f"{PODS}/p", {"metadata": {"labels": {"a": "b"}, "finalizers": ["x.y/z"]}}, STRATEGIC),
        ("PATCH", f"{PODS}/p", {"spec": {"hostNetwork": True}}, STRATEGIC),
        ("PATCH", f"{PODS}/p", spec, MERGE),
    ])  # fmt: skip


def test_patches_that_do_not_fit(both: Both) -> None:
    strict = f"{MAPS}/a?fieldValidation=Strict"
    unknown = {"foo": 1, "bar": {"b": True, "a": [1, "x", None]}, "data": {"z": "1"}}
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": both.namespace}}
    both([
        ("POST", MAPS, config_map("a")),
        ("PATCH", strict, unknown, MERGE),
        ("PATCH", strict, [{"op": "add", "path": "/foo", "value": 1}], JSON_PATCH),
        ("PATCH", strict, unknown, STRATEGIC),
        ("PATCH", f"{MAPS}/a", unknown, STRATEGIC),
        ("PATCH", f"{MAPS}/a", {"data": {"z": 1}}, STRATEGIC),
        ("PATCH", f"{MAPS}/a", {"data": {"z": True}}, STRATEGIC),
        ("PATCH", f"{MAPS}/a", {"data": [1]}, STRATEGIC),
        ("PATCH", f"{MAPS}/a?fieldManager=m", applied | {"foo": 1}, APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=m&fieldValidation=Strict", applied | {"foo": 1}, APPLY),
        ("POST", PODS, _POD),
        ("PATCH", f"{PODS}/p", {"spec": {"containers": [{"image": "x"}]}}, STRATEGIC),
        ("PATCH", f"{PODS}/p", {"spec": {"hostNetwork": "x"}}, STRATEGIC),
        ("PATCH", f"{PODS}/p", {"spec": {"priority": "x"}}, STRATEGIC),
        ("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"x y": "z"}}}, STRATEGIC),
    ])  # fmt: skip


def test_apply(both: Both) -> None:
    def applied(data: dict[str, str], **metadata: Any) -> dict[str, Any]:
        return config_map("a", data, **metadata)

    both([
        ("POST", MAPS, {"metadata": {"name": "named"}}),
        ("PATCH", f"{MAPS}/named?fieldManager=m", {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}, APPLY),
        ("PATCH", f"{MAPS}/nameless?fieldManager=m", {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}, APPLY),
        ("PATCH", f"{MAPS}/a", applied({"a": "1"}), APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=one", applied({"a": "1", "b": "1"}, labels={"l": "1"}), APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=one", applied({"a": "1", "b": "1"}, labels={"l": "1"}), APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=two", applied({"b": "2"}), APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=two", applied({"a": "2", "b": "2"}), APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=two&force=true", applied({"b": "2", "c": "2"}), APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=one", applied({"a": "3"}), APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=hand", {"data": {"c": "9"}}, MERGE),
        ("PATCH", f"{MAPS}/a?fieldManager=two", applied({"c": "2"}), APPLY),
        ("PATCH", f"{MAPS}/a?fieldManager=one", {"metadata": {"name": "a"}, "apiVersion": "v1", "kind": "ConfigMap"}, APPLY),
    ])  # fmt: skip


def test_finalizers(both: Both) -> None:
    both([
        ("POST", MAPS, config_map("a", finalizers=["example.com/hold"])),
        ("DELETE", f"{MAPS}/a"),
        ("GET", f"{MAPS}/a"),
        ("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}, MERGE),
        ("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": None}}, MERGE),
        ("GET", f"{MAPS}/a"),
    ])  # fmt: skip


def test_lists(both: Both) -> None:
    both([
        *(("POST", MAPS, config_map(f"m{n}", labels={"n": str(n), "odd": str(n % 2)})) for n in range(4)),
        ("GET", f"{MAPS}?labelSelector=odd%3D1"),
        ("GET", f"{MAPS}?labelSelector=n%20in%20(1,2),odd!%3D0"),
        ("GET", f"{MAPS}?labelSelector=!odd,!absent&fieldSelector=metadata.name%3Dm1"),
        ("GET", f"{MAPS}?labelSelector=n%3E1&fieldSelector=metadata.name!%3Dm2"),
        ("GET", f"{MAPS}?limit=2&labelSelector=odd"),
        ("GET", f"{MAPS}?labelSelector=a%20b"),
        ("GET", f"{MAPS}?fieldSelector=data.a%3Db"),
        ("GET", f"{MAPS}?fieldSelector=nope"),
        ("GET", f"{MAPS}?limit=x"),
        ("GET", f"{MAPS}?continue=x"),
        ("GET", f"{PODS}?fieldSelector=spec.containers%3Dx"),
        ("DELETE", f"{MAPS}?labelSelector=odd%3D1"),
        ("GET", f"{MAPS}?labelSelector=odd"),
    ])  # fmt: skip


_DATA = re.compile(r'"(?:text|empty)": "(?:[^"\\]|\\.)*"')
_READERS = [
    ("", "a-client/1"), ("?pretty=true", "a-client/1"), ("?pretty=no", "curl/8.5"), ("", "curl/8.5"), ("?pretty=0", "Wget/1"),
    ("", "Mozilla/5.0 (X11)"),
]  # fmt: skip


def test_answers_are_laid_out_for_people(both: Both) -> None:
    text = {"text": '<&> \u00fc \u2028 "\\ \n', "empty": ""}
    for api in both.apis:
        api.post(MAPS.replace("NS", both.namespace), config_map("a", text))

    def shapes(api: Client) -> list[Any]:
        collection = MAPS.replace("NS", both.namespace)
        paths = (f"{collection}/a", f"{collection}/nope", collection, "/api", "/apis/apps/v1", "/version", "/apis/nope")
        answers = [api.ask("GET", f"{path}{query}", agent=agent) for path in paths for query, agent in _READERS]
        return [(each.text.count("\n"), each.text[-1], sorted(_DATA.findall(each.text))) for each in answers]

    assert shapes(both.apis[0]) == shapes(both.apis[1])


def test_custom_resources(both: Both, new_name: Callable[[str], str]) -> None:
    group = f"{new_name('g')}.example.com"
    schema = {"type": "object", "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "minimum": 1}, "color": {"type": "string", "default": "red", "enum": ["red", "blue"]}}},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}}  # fmt: skip
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"widgets.{group}"}, "spec": {
        "group": group, "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"}, "versions": [
            {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}]}}  # fmt: skip
    widgets = f"/apis/{group}/v1/namespaces/NS/widgets"
    both([("POST", DEFINITIONS, definition | {"metadata": {"name": "wrong.name"}})])
    for api in both.apis:
        api.define(definition)
        api.served(f"/apis/{group}/v1")

    def widget(**spec: Any) -> dict[str, Any]:
        return {
            "apiVersion": f"{group}/v1",
            "kind": "Widget",
            "metadata": {"name": "w"},
            "spec": spec,
            "status": {"phase": "no"},
        }

    both([
        ("POST", widgets, widget(size="big")),
        ("POST", widgets, widget()),
        ("POST", widgets, widget(size=0)),
        ("POST", widgets, widget(size=1, color="green")),  # apart: the real server says several causes in no order
        ("POST", widgets, widget(size=1, unknown=1)),
        ("PATCH", f"{widgets}/w", {"spec": {"size": 2}, "status": {"phase": "no"}}, MERGE),
        ("PATCH", f"{widgets}/w/status", {"spec": {"size": 3}, "status": {"phase": "yes"}}, MERGE),
        ("PATCH", f"{widgets}/w", {"spec": {"size": 2}}, STRATEGIC),
        ("PUT", f"{widgets}/w", widget(size=4)),
        ("PATCH", f"{widgets}/w?fieldManager=m", widget(size=5), APPLY),
        ("DELETE", f"{widgets}/w"),
    ])  # fmt: skip
    for api in both.apis:
        assert api.ask("DELETE", f"{DEFINITIONS}/widgets.{group}").status == 200


def test_pods_and_workloads_are_defaulted_alike(both: Both) -> None:
    template: dict[str, Any] = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    selected = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    never = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    both([
        ("POST", f"{PODS}?dryRun=All", _POD),
        ("POST", f"{DEPLOYMENTS}?dryRun=All", {"metadata": {"name": "a"}, "spec": selected}),
        ("POST", f"{DEPLOYMENTS}?dryRun=All", {"metadata": {"name": "a"}, "spec": selected | {"strategy": {"type": "Recreate"}}}),
        ("POST", "/apis/apps/v1/namespaces/NS/daemonsets?dryRun=All", {"metadata": {"name": "a"}, "spec": selected}),
        ("POST", "/apis/apps/v1/namespaces/NS/statefulsets?dryRun=All", {"metadata": {"name": "a"}, "spec": selected | {"serviceName": "s"}}),
        ("POST", "/apis/apps/v1/namespaces/NS/replicasets?dryRun=All", {"metadata": {"name": "a"}, "spec": selected}),
        ("POST", "/apis/batch/v1/namespaces/NS/jobs?dryRun=All", {"metadata": {"name": "a"}, "spec": {"template": never}}),
        ("POST", "/apis/batch/v1/namespaces/NS/cronjobs?dryRun=All", {"metadata": {"name": "a"}, "spec": {
            "schedule": "* * * * *", "jobTemplate": {"spec": {"template": never}}}}),
        ("POST", "/api/v1/namespaces/NS/services?dryRun=All", {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}}),
        ("POST", "/api/v1/namespaces/NS/secrets?dryRun=All", {"metadata": {"name": "a"}, "stringData": {"a": "b"}}),
        ("POST", "/api/v1/namespaces/NS/serviceaccounts?dryRun=All", {"metadata": {"name": "a"}}),
        ("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings?dryRun=All", {"metadata": {"name": "a"},
            "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "User", "name": "u"}]}),
        ("POST", "/api/v1/namespaces?dryRun=All", {"metadata": {"name": "dry"}}),
    ])  # fmt: skip


def test_mistakes_in_pods_and_workloads(both: Both) -> None:
    dry = "/apis/{}/v1/namespaces/NS/{}?dryRun=All"
    both([
        *(("POST", f"{PODS}?dryRun=All", body) for body in mistakes.pods()),
        *(("POST", dry.format("apps", resource), body) for resource, body in mistakes.workloads()),
        *(("POST", dry.format("batch", resource), body) for resource, body in mistakes.jobs()),
    ])  # fmt: skip


def test_mistakes_elsewhere(both: Both) -> None:
    both([("POST", f"{path}?dryRun=All", body) for path, bodies in MISTAKES.items() for body in bodies])


def test_the_small_print_of_lists(both: Both) -> None:
    queries = (
        "resourceVersion=0", "resourceVersion=0&resourceVersionMatch=NotOlderThan", "resourceVersionMatch=Exact", "resourceVersion=x",
        "resourceVersion=0&resourceVersionMatch=Exact", "resourceVersion=1&resourceVersionMatch=X", "timeoutSeconds=x", "limit=-1",
        "sendInitialEvents=true", "limit=1&continue=", "fieldSelector=metadata.name", "watch=1&resourceVersion=x",
        "watch=1&resourceVersionMatch=NotOlderThan", "watch=1&sendInitialEvents=true", "watch=1&labelSelector=a%20b",
    )  # fmt: skip
    both([("GET", f"{MAPS}?{query}&fieldSelector=metadata.name%3Dnone") for query in queries])


def test_the_small_print_of_metadata(both: Both) -> None:
    owner = {"apiVersion": "v1", "kind": "x", "name": "y", "uid": "z"}
    metadata: list[dict[str, Any]] = [
        {"annotations": {"a": "x" * 300000}}, {"ownerReferences": [owner | {"uid": uid, "controller": True} for uid in "yz"]}, {"labels": {"a/b/c": "x"}},
        {"ownerReferences": [owner | {"apiVersion": "a/b/c"}]}, {"ownerReferences": [owner | {"kind": "Event"}]}, {"labels": {"A.B/c": "x"}},
        {"finalizers": ["x"]}, {"name": "x" * 254}, {"labels": None, "annotations": {"a": None}}, {"zz": 1},
        {"managedFields": [{"manager": "x", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}}]},
    ]  # fmt: skip
    both([("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "q"} | more}) for more in metadata])
    both([("POST", f"{MAPS}?dryRun=All", {"metadata": "x"}), ("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": 5}})])


def test_the_small_print_of_applies(both: Both) -> None:
    one = f"{MAPS}/ap?fieldManager=a"
    named = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ap"}}
    both([
        ("PATCH", one, named | {"kind": "Secret"}, APPLY),
        ("PATCH", one, named | {"apiVersion": "v2"}, APPLY),
        ("PATCH", one, {"metadata": {"name": "ap"}}, APPLY),
        ("PATCH", one, {"apiVersion": "v1", "kind": "ConfigMap"}, APPLY),
        ("PATCH", one, named | {"metadata": {"name": "ap", "uid": "x"}}, APPLY),
        ("PATCH", f"{one}&force=x", named, APPLY),
        ("PATCH", f"{one}&force=true", {"data": {"a": "b"}}, MERGE),
        ("PATCH", one, named | {"metadata": {"name": "ap", "resourceVersion": "1"}, "data": {"a": "c"}}, APPLY),
        ("PATCH", one, named | {"data": {"a": 1}}, APPLY),
        ("PATCH", one, named | {"data": {"a": "b", "n": None}}, APPLY),
        ("PATCH", f"{MAPS}/ap?fieldManager=b&dryRun=All", named | {"data": {"a": "c"}}, APPLY),
        ("PATCH", f"{MAPS}/ap/status?fieldManager=b", named, APPLY),
        ("PATCH", f"{MAPS}/gone?fieldManager=b", named | {"metadata": {"name": "gone", "resourceVersion": "3"}}, APPLY),
    ])  # fmt: skip


def test_scales(both: Both) -> None:
    scale = f"{DEPLOYMENTS}/d/scale"
    whole = deployment("d", "NS", 0) | {"metadata": {"name": "d"}}
    whole["spec"]["paused"] = True
    applied = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": 0}}
    both([("POST", f"{DEPLOYMENTS}?dryRun=All", whole)])
    for api in both.apis:
        api.post(DEPLOYMENTS.replace("NS", both.namespace), whole)
    both([
        ("PATCH", scale, {"spec": {"replicas": -3}}, MERGE),
        ("PUT", scale, {"metadata": {"name": "x"}, "spec": {"replicas": 3}}),
        ("PATCH", scale, {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 5}}, MERGE),
        ("PATCH", f"{scale}?fieldManager=a&dryRun=All", applied | {"spec": {"replicas": 1}}, APPLY),
        ("PATCH", f"{scale}?fieldManager=a&force=true&dryRun=All", applied | {"spec": {"replicas": 1}}, APPLY),
        ("POST", "/api/v1/namespaces/NS/serviceaccounts/default/token", {"spec": {"expirationSeconds": 5}}),
        ("POST", "/api/v1/namespaces/NS/serviceaccounts/default/token", {"metadata": {"name": "x"}}),
        ("DELETE", "/api/v1/configmaps"),
        ("GET", f"{MAPS}/x/y"),
    ])  # fmt: skip


def test_mistakes_in_definitions(both: Both) -> None:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    names = {"plural": "things", "kind": "Thing"}
    column, text = {"name": "a", "type": "string", "jsonPath": ".x"}, {"type": "string"}
    nodes: list[dict[str, Any]] = [
        {}, {"type": "foo"}, {"type": "array"}, {"type": "string", "uniqueItems": True}, {"$ref": "#/x"}, {"x-kubernetes-int-or-string": True},
        {"type": "object", "properties": {"b": text}, "additionalProperties": text}, {"type": "array", "x-kubernetes-list-type": "foo", "items": text},
        {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}},
    ]  # fmt: skip
    changes: list[dict[str, Any]] = [
        {}, {"scope": "X"}, {"names": names | {"plural": "Things"}}, {"names": names | {"shortNames": ["A_"]}}, {"group": "x"}, {"versions": []},
        {"versions": [version | {"storage": False}]}, {"versions": [version | {"name": "V1"}]}, {"conversion": {"strategy": "X"}},
        {"conversion": {"strategy": "Webhook"}}, {"preserveUnknownFields": True}, {"versions": [version | {"deprecationWarning": "x"}]},
        {"versions": [version | {"additionalPrinterColumns": [column | {"type": "foo"}]}]},
        {"versions": [version | {"additionalPrinterColumns": [column | {"jsonPath": "x"}]}]},
        {"versions": [version | {"subresources": {"scale": {}}}]},
        *({"versions": [version | {"schema": {"openAPIV3Schema": {"type": "object", "properties": {"a": node}}}}]} for node in nodes),
    ]  # fmt: skip
    whole = {"group": "v5.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    both([
        ("POST", f"{DEFINITIONS}?dryRun=All", {"metadata": {"name": "things.v5.example.com"}, "spec": whole | change})
        for change in changes
    ])  # fmt: skip


def test_fields_that_stand_twice(both: Both) -> None:
    twice = b'{"metadata":{"name":"x","name":"y"},"data":{"a":"1","a":"2"},"zz":1}'
    both([
        ("POST", f"{MAPS}?dryRun=All", twice),
        ("POST", f"{MAPS}?dryRun=All&fieldValidation=Strict", twice),
        ("POST", f"{MAPS}?dryRun=All&fieldValidation=Ignore", twice),
        ("POST", f"{PODS}?dryRun=All&fieldValidation=Strict", b'{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"i","image":"j","zz":1}]}}'),
    ])  # fmt: skip


_IGNORED_LATER = frozenset(
    {"managedFields", "annotations", "image", "imageID", "nodeName", "name", "generateName", "containerID"}
)


def _has_ended(kind: str, status: dict[str, Any]) -> bool:
    if kind == "jobs":
        return status.get("succeeded") == 1 and "completionTime" in status
    if kind == "daemonsets":
        return status.get("numberAvailable") == 3
    return status.get("readyReplicas") == 2 == status.get("availableReplicas")


@pytest.mark.parametrize("kind", ["deployments", "daemonsets", "statefulsets", "jobs"])
def test_workloads_end_in_the_same_status(
    kind: str, judge: Client, client: Client, new_name: Callable[[str], str]
) -> None:
    template: dict[str, Any] = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    spec: dict[str, Any] = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    group = "batch" if kind == "jobs" else "apps"
    if kind == "jobs":
        spec = {"template": {"spec": template["spec"] | {"restartPolicy": "Never"}}}
    elif kind != "daemonsets":
        spec |= {"replicas": 2} | ({"serviceName": "s"} if kind == "statefulsets" else {})
    found = []
    for api in (judge, client):
        space = make_namespace(api, new_name("end"))
        path = f"/apis/{group}/v1/namespaces/{space}/{kind}"
        api.post(path, {"metadata": {"name": "w"}, "spec": spec})
        ended = api.until(f"{path}/w", lambda obj: _has_ended(kind, obj.get("status", {})))
        status = normal(ended["status"])
        text = re.sub(r"w-[a-z0-9]+", "w-<hash>", json.dumps(status))
        found.append(json.loads(text))
        api.ask("DELETE", f"/api/v1/namespaces/{space}")
    assert found[1] == found[0]
