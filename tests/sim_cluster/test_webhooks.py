"""Admission webhooks: the same ones on both APIs, which have to ask them the same and make the same of what they answer."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from tests.sim_cluster.comparing import MAPS, PODS, Both, Step, differences, normal, said
from tests.sim_cluster.talk import APPLY, DEFINITIONS, JSON_PATCH, MERGE, config_map, deployment
from tests.sim_cluster.webhook_server import Decide, WebhookServer, patch, webhook_server

pytestmark = pytest.mark.envtest
GROUP: Final = "/apis/admissionregistration.k8s.io/v1"
DEPLOYMENTS: Final = "/apis/apps/v1/namespaces/NS/deployments"
OPERATIONS: Final = ["CREATE", "UPDATE", "DELETE"]


def rule(*resources: str, operations: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Return a rule of a webhook; about ConfigMaps, unless others are named."""
    return {"apiGroups": ["*"], "apiVersions": ["*"], "operations": operations or OPERATIONS,
            "resources": list(resources) or ["configmaps"]} | more  # fmt: skip


def allow(*warnings: str) -> Decide:
    return lambda _request: {"allowed": True, "warnings": list(warnings)}


def deny(**status: Any) -> Decide:
    return lambda _request: {"allowed": False, **({"status": status} if status else {})}


def patching(*operations: Any) -> Decide:
    return lambda _request: patch(*operations)


@dataclass
class Hooks:
    """Webhooks on both APIs, for one namespace of each.

    Attributes:
      both: The APIs.
      server: What is asked.
      made: The configurations that are there.
    """

    both: Both
    server: WebhookServer
    made: list[tuple[str, str]] = field(default_factory=list)

    def configure(self, kind: str, **webhooks: tuple[Decide, dict[str, Any]]) -> None:
        """Create a configuration on each API, and wait until it is in force."""
        name = f"{self.both.namespace}-{len(self.made)}"
        self.made.append((kind, name))
        for api, side in zip(self.both.apis, ("real", "simulated"), strict=True):
            hooks = [self._hook(f"/{side}/{name}/{key}", key, *each) for key, each in webhooks.items()]
            ready = (deny(message="in force"), {"rules": [rule()], "objectSelector": {"matchLabels": {"ready": name}}})
            hooks.append(self._hook(f"/{side}/{name}/ready", "ready", *ready))
            api.post(f"{GROUP}/{kind}webhookconfigurations", {"metadata": {"name": name}, "webhooks": hooks})
            last = api.try_creating(
                MAPS.replace("NS", self.both.namespace),
                config_map("ready", labels={"ready": name}),
                lambda answer: "in force" in answer.text,
            )
            assert "in force" in last.text, last

    def _hook(self, path: str, name: str, decide: Decide, more: dict[str, Any]) -> dict[str, Any]:
        selector = {"matchLabels": {"kubernetes.io/metadata.name": self.both.namespace}}
        return {"name": f"{name}.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 30, "rules": [rule()],
                "clientConfig": self.server.answer(path, decide), "namespaceSelector": selector} | more  # fmt: skip

    def __call__(self, *steps: Step) -> None:
        """Do each step on both; what they answer, and what they have asked, must be the same."""
        different = []
        for number, step in enumerate(steps):
            found = []
            for api, side in zip(self.both.apis, ("real", "simulated"), strict=True):
                for reviews in self.server.asked.values():
                    reviews.clear()
                answered = said(api, self.both.namespace, step)
                found.append(_comparable({"answer": answered, "asked": self._asked(side)}, side, self.server))
            if found[0] != found[1]:
                different.append(f"step {number}, {step[0]} {step[1]}\n" + "\n".join(differences(*found)))
        assert not different, "the simulated API differs from the real one:\n" + "\n".join(different)

    def _asked(self, side: str) -> dict[str, Any]:
        asked = {path: [normal(each) for each in reviews] for path, reviews in self.server.asked.items() if reviews}
        return {path: reviews for path, reviews in asked.items() if path.startswith(f"/{side}/")}

    def remove(self) -> None:
        """Delete the configurations."""
        for kind, name in self.made:
            for api in self.both.apis:
                api.ask("DELETE", f"{GROUP}/{kind}webhookconfigurations/{name}")


def _comparable(found: Any, side: str, server: WebhookServer) -> Any:
    text = json.dumps(found).replace(f"/{side}/", "/SIDE/").replace(f":{server.port}/", ":PORT/")
    document = json.loads(text)
    for reviews in document["asked"].values():
        for review in reviews:
            asked = review["request"]
            asked["userInfo"].pop("extra", None)  # the fingerprint of a certificate
            if asked["kind"]["kind"] == "Scale":  # which the real server invents for the object that is scaled
                for key in ("object", "oldObject"):
                    asked[key]["metadata"].pop("managedFields", None)
    return document


def to(name: str) -> dict[str, Any]:
    """Return the selector of objects that are labelled for one webhook."""
    return {"objectSelector": {"matchLabels": {"to": name}}}


@pytest.fixture(scope="module")
def server() -> Iterator[WebhookServer]:
    with webhook_server() as running:
        yield running


@pytest.fixture
def hooks(both: Both, server: WebhookServer) -> Iterator[Hooks]:
    made = Hooks(both, server)
    yield made
    made.remove()


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "i:1"}], **spec},
    }


def test_a_webhook_refuses(hooks: Hooks) -> None:
    def decide(request: Any) -> dict[str, Any]:
        how = {
            "silent": {}, "message": {"message": "no such name"}, "reason": {"reason": "Forbidden"},
            "code": {"code": 403, "message": "not here", "reason": "Forbidden"}, "low": {"code": 200, "message": "low"},
            "details": {"code": 422, "message": "m", "reason": "Invalid", "details": {"causes": [{"reason": "r", "field": "f"}]}},
        }  # fmt: skip
        found = how.get(request["name"])
        return {"allowed": True} if found is None else {"allowed": False, **({"status": found} if found else {})}

    hooks.configure("validating", judge=(decide, {}))
    hooks(
        *(
            ("POST", MAPS, config_map(name))
            for name in ("silent", "message", "reason", "code", "low", "details", "fine")
        )
    )


def test_what_a_webhook_is_asked_of_each_operation(hooks: Hooks) -> None:
    hooks.configure("validating", judge=(allow("mind that", 'a "quoted" one'), {}))
    one = f"{MAPS}/a"
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"y": "1"}}
    hooks(
        ("POST", f"{MAPS}?fieldManager=me&fieldValidation=Strict", config_map("a")),
        ("POST", f"{MAPS}?dryRun=All", config_map("b")),
        ("PUT", one, config_map("a", {"a": "2"})),
        ("PUT", one, config_map("a", {"a": "2"})),  # nothing changes
        ("PATCH", f"{one}?fieldManager=you", {"data": {"b": "1"}}, MERGE),
        ("PATCH", one, [{"op": "remove", "path": "/data/b"}], JSON_PATCH),
        ("PATCH", f"{one}?fieldManager=applier&force=true", applied, APPLY),
        ("PATCH", f"{MAPS}/new?fieldManager=applier", applied | {"metadata": {"name": "new"}}, APPLY),
        ("DELETE", f"{one}?dryRun=All"),
        ("DELETE", one, {"preconditions": {}, "propagationPolicy": "Background"}),
        ("DELETE", f"{MAPS}/missing"),
        ("DELETE", f"{MAPS}?labelSelector=!kubernetes.io/x&fieldSelector=metadata.name%3Dnew"),
    )


def test_nobody_is_asked_about_what_is_no_object(hooks: Hooks) -> None:
    hooks.configure("validating", judge=(allow(), {}))
    hooks.configure("mutating", change=(allow(), {}))
    hooks(
        ("POST", MAPS, config_map("Not_A_Name")),
        ("POST", MAPS, {"metadata": {"name": "a"}, "data": {"a": 1}}),
        ("POST", MAPS, {"metadata": {}}),
        ("POST", MAPS, config_map("a")),
        ("POST", MAPS, config_map("a")),  # it is there: that is found last
        ("PUT", f"{MAPS}/a", config_map("a", {"a": "2"}, resourceVersion="1")),
    )


def test_a_webhook_changes_what_is_written(hooks: Hooks) -> None:
    def decide(request: Any) -> dict[str, Any]:
        return (
            patch({"op": "add", "path": "/data/hook", "value": request["operation"]})
            if request["object"]
            else {"allowed": True}
        )

    hooks.configure("mutating", change=(decide, {}))
    hooks.configure("validating", judge=(allow(), {}))
    one = f"{MAPS}/a"
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"y": "1"}}
    hooks(
        ("POST", MAPS, config_map("a")),
        ("PUT", one, config_map("a", {"a": "2"})),
        ("PUT", one, config_map("a", {"a": "2"})),
        ("PATCH", one, {"data": {"hook": None}}, MERGE),
        ("PATCH", f"{one}?fieldManager=applier", applied, APPLY),
        ("PATCH", f"{MAPS}/new?fieldManager=applier", applied | {"metadata": {"name": "new"}}, APPLY),
        ("GET", one),
        ("DELETE", one),
    )


def test_patches_that_are_none(hooks: Hooks) -> None:
    bodies = {
        "validating-patch": patch({"op": "remove", "path": "/data"}),
        "no-type": {"allowed": True, "patch": patch()["patch"]},
        "no-patch": {"allowed": True, "patchType": "JSONPatch"},
        "type": {"allowed": True, "patchType": "Merge", "patch": patch()["patch"]},
        "empty": patch(),
        "no-key": patch({"op": "remove", "path": "/data/none"}),
        "no-parent": patch({"op": "add", "path": "/none/key", "value": "1"}),
        "no-place": patch({"op": "replace", "path": "/none", "value": {}}),
        "differs": patch({"op": "test", "path": "/data/a", "value": "2"}),
        "no-op": patch({"op": "change", "path": "/data/a", "value": "2"}),
        "number": patch({"op": "replace", "path": "", "value": 5}),
        "wrong-type": patch({"op": "add", "path": "/data/a", "value": 5}),
        "unknown": patch({"op": "add", "path": "/what", "value": 5}),
        "same": patch({"op": "replace", "path": "/data/a", "value": "1"}),
        "renames": patch({"op": "replace", "path": "/metadata/name", "value": "other"}),
        "owners": patch({"op": "add", "path": "/metadata/managedFields", "value": []}),
        "no-metadata": patch({"op": "remove", "path": "/metadata"}),
        "not-json": {"allowed": True, "patchType": "JSONPatch", "patch": "eA=="},
        "an-object": {"allowed": True, "patchType": "JSONPatch", "patch": "e30="},
        "not-base64": {"allowed": True, "patchType": "JSONPatch", "patch": "*"},
        "refused": {**patch({"op": "remove", "path": "/data"}), "allowed": False},
    }
    answers = {**bodies, "other-uid": {"allowed": True, "uid": "x"}}
    hooks.configure("mutating", change=(lambda request: answers.get(request["name"], {"allowed": True}), {}))
    hooks(*(("POST", MAPS, config_map(name)) for name in answers if name != "validating-patch"))
    hooks.configure("validating", judge=(lambda request: bodies.get(request["name"][2:], {"allowed": True}), {}))
    hooks(*(("POST", MAPS, config_map(f"v-{name}")) for name in ("validating-patch", "no-patch")))


def test_answers_that_are_none(hooks: Hooks) -> None:
    answers = {
        "not-found": (404, b"no"), "error": (500, b"broken"), "unavailable": (503, b"later"), "bad": (400, b"bad"), "gateway": (502, b"x"), "forbidden": (403, b"x"), "list": (200, b"[]"),
        "text": (200, b"not json"), "empty": (200, b""), "moved": (302, b"elsewhere"),
        "no-response": (200, b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}'),
    }  # fmt: skip
    decide: Decide = lambda request: answers.get(request["name"].removeprefix("i-"), {"allowed": True})  # noqa: E731
    hooks.configure("validating", judge=(decide, {}), ignoring=(decide, {"failurePolicy": "Ignore"}))
    hooks(*(("POST", MAPS, config_map(name)) for name in answers))


def test_a_webhook_that_cannot_be_reached(hooks: Hooks) -> None:
    nowhere = {"clientConfig": {"url": "https://127.0.0.1:1/x"}}
    strange = {"clientConfig": {"url": f"https://127.0.0.1:{hooks.server.port}/x"}}
    hooks.configure("validating",
        must=(allow(), nowhere | to("must")), may=(allow(), nowhere | to("may") | {"failurePolicy": "Ignore"}),
        stranger=(allow(), strange | to("stranger")), seconds=(allow(), nowhere | to("seconds") | {"timeoutSeconds": 3}),
    )  # fmt: skip
    hooks.configure(
        "mutating",
        must=(allow(), nowhere | to("change")),
        may=(allow(), nowhere | to("may") | {"failurePolicy": "Ignore"}),
    )
    hooks(
        *(
            ("POST", MAPS, config_map(each, labels={"to": each}))
            for each in ("must", "may", "stranger", "seconds", "change")
        )
    )


def test_a_dry_run_and_side_effects(hooks: Hooks) -> None:
    for kind in ("validating", "mutating"):
        chosen = {
            each: {"objectSelector": {"matchLabels": {"with": each.lower()}}, "sideEffects": each}
            for each in ("NoneOnDryRun",)
        }
        hooks.configure(kind, careful=(allow(), chosen["NoneOnDryRun"]))
    hooks(
        *(
            ("POST", f"{MAPS}{query}", config_map(f"a{len(query)}", labels={"with": "noneondryrun"}))
            for query in ("?dryRun=All", "")
        )
    )


def test_which_objects_and_namespaces(hooks: Hooks, both: Both) -> None:
    other = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [both.namespace]},
                                  {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [both.namespace]}]}  # fmt: skip
    hooks.configure(
        "validating",
        labelled=(allow(), {"objectSelector": {"matchLabels": {"a": "b"}}}),
        elsewhere=(deny(), {"namespaceSelector": other}),
        ofnamespace=(
            allow(),
            {
                "rules": [rule("*/*", operations=["CREATE"], scope="Namespaced")],
                "objectSelector": {"matchLabels": {"a": "b"}},
            },
        ),
        ofcluster=(deny(), {"rules": [rule(operations=["*"], scope="Cluster")]}),
        othergroup=(deny(), {"rules": [rule() | {"apiGroups": ["apps"]}]}),
        otherversion=(deny(), {"rules": [rule() | {"apiVersions": ["v2"]}]}),
        otheroperation=(deny(), {"rules": [rule(operations=["CONNECT"])]}),
        partsonly=(deny(), {"rules": [rule("*/status", "configmaps/x")]}),
    )
    one = f"{MAPS}/a"
    hooks(
        ("POST", MAPS, config_map("a")),
        ("PATCH", one, {"metadata": {"labels": {"a": "b"}}}, MERGE),  # the new one has the label
        ("PATCH", one, {"metadata": {"labels": None}}, MERGE),  # the old one had it
        ("PATCH", one, {"data": {"c": "d"}}, MERGE),
        ("POST", MAPS, config_map("b", labels={"a": "b"})),
        ("DELETE", f"{MAPS}/b"),
        ("DELETE", one),
    )


def test_the_order_and_the_second_time(hooks: Hooks) -> None:
    def adding(name: str) -> Decide:
        return lambda request: patch(
            {"op": "add", "path": "/data/order", "value": request["object"]["data"].get("order", "") + name}
        )

    def once(request: Any) -> dict[str, Any]:
        has = "once" in request["object"]["data"]
        return {"allowed": True} if has else patch({"op": "add", "path": "/data/once", "value": "1"})

    rules = {"rules": [rule(operations=["CREATE"])]}
    hooks.configure("mutating",
        again=(adding("a"), rules | {"reinvocationPolicy": "IfNeeded"}), never=(adding("b"), rules),
        last=(once, rules | {"reinvocationPolicy": "IfNeeded"}),
    )  # fmt: skip
    hooks(("POST", MAPS, config_map("a")), ("POST", MAPS, config_map("b", {"once": "1"})))


def test_pods_and_their_subresources(hooks: Hooks) -> None:
    def decide(request: Any) -> dict[str, Any]:
        if request["operation"] == "CREATE" and request["kind"]["kind"] == "Pod":
            sidecar = {"name": "sidecar", "image": "s:1"}
            return patch(
                {"op": "add", "path": "/spec/containers/-", "value": sidecar},
                {"op": "add", "path": "/metadata/labels", "value": {"by": "hook"}},
            )
        if request.get("subResource") == "status":
            return patch(
                {"op": "add", "path": "/status/message", "value": "changed"},
                {"op": "add", "path": "/metadata/labels", "value": {"x": "y"}},
            )
        return {"allowed": True}

    chosen = {"rules": [rule("pods", "pods/*")]}
    hooks.configure("mutating", change=(decide, chosen))
    hooks.configure("validating", judge=(allow(), chosen))
    one = f"{PODS}/p"
    hooks(
        ("POST", PODS, pod("p")),
        ("PATCH", f"{one}/status", {"status": {"reason": "r"}}, MERGE),
        ("PATCH", one, {"metadata": {"annotations": {"a": "b"}}}, MERGE),
        ("POST", f"{one}/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}),
    )


def test_a_webhook_of_the_scale_and_one_of_evictions(hooks: Hooks) -> None:
    hooks.configure(
        "mutating",
        more=(
            patching({"op": "replace", "path": "/spec/replicas", "value": 3}),
            {"rules": [rule("deployments/scale")]},
        ),
    )
    hooks.configure(
        "validating",
        scale=(allow(), {"rules": [rule("deployments/scale")]}),
        evict=(deny(message="stay", code=429), {"rules": [rule("pods/eviction")]}),
    )
    made = deployment("d", hooks.both.namespace, 0) | {
        "spec": {**deployment("d", "")["spec"], "paused": True, "replicas": 0}
    }
    for api in hooks.both.apis:
        api.post(DEPLOYMENTS.replace("NS", hooks.both.namespace), made)
        api.post(PODS.replace("NS", hooks.both.namespace), pod("p"))
    scale = f"{DEPLOYMENTS}/d/scale"
    hooks(
        ("POST", f"{PODS}/p/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}),
        ("PATCH", scale, {"spec": {"replicas": 2}}, MERGE),
    )


def test_configurations_are_nobodys_business(hooks: Hooks) -> None:
    chosen = {"rules": [rule("*", operations=["*"])], "objectSelector": {"matchLabels": {"mine": hooks.both.namespace}}}
    hooks.configure("validating", judge=(deny(), chosen))
    hook = {
        "name": "a.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
    }
    name = f"{hooks.both.namespace}-x"
    labels = {"mine": hooks.both.namespace}
    made = {"metadata": {"name": name, "labels": labels}, "webhooks": [hook]}
    hooks(
        ("POST", f"{GROUP}/mutatingwebhookconfigurations", made),
        ("DELETE", f"{GROUP}/mutatingwebhookconfigurations/{name}"),
        (
            "POST",
            "/apis/scheduling.k8s.io/v1/priorityclasses",
            {"metadata": {"name": name, "labels": labels}, "value": 1},
        ),
    )


def test_equivalent_versions(hooks: Hooks) -> None:
    wanted = rule("horizontalpodautoscalers") | {"apiVersions": ["v1"]}
    hooks.configure(
        "validating",
        equivalent=(allow(), {"rules": [wanted]}),
        exact=(deny(), {"rules": [wanted], "matchPolicy": "Exact"}),
    )
    spec = {"maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}}
    path = "/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers"
    hooks(("POST", path, {"metadata": {"name": "a"}, "spec": spec}))


def test_reviews_are_asked_about_too(hooks: Hooks) -> None:
    hooks.configure("validating", judge=(deny(message="ask elsewhere"), {"rules": [rule("localsubjectaccessreviews")]}))
    spec = {
        "user": "u",
        "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": hooks.both.namespace},
    }
    path = "/apis/authorization.k8s.io/v1/namespaces/NS/localsubjectaccessreviews"
    hooks(("POST", path, {"metadata": {"namespace": hooks.both.namespace}, "spec": spec}))


def test_names_that_the_server_makes_up(hooks: Hooks) -> None:
    hooks.configure("mutating", change=(patching({"op": "add", "path": "/data/hook", "value": "1"}), {}))
    hooks.configure("validating", judge=(deny(message="no"), {"objectSelector": {"matchLabels": {"refused": "yes"}}}))
    both_said = []
    for api in hooks.both.apis:
        answer = api.ask(
            "POST",
            MAPS.replace("NS", hooks.both.namespace),
            {"metadata": {"generateName": "g-", "labels": {"refused": "yes"}}, "data": {"a": "1"}},
        )
        both_said.append((answer.status, answer.body["message"]))
    assert both_said[0] == both_said[1]
    for side in ("real", "simulated"):
        reviews = {
            path.rpartition("/")[2]: asked[-1]["request"]
            for path, asked in hooks.server.asked.items()
            if f"/{side}/" in path and asked
        }
        assert "name" not in reviews["change"], side
        assert "name" not in reviews["change"]["object"]["metadata"], side
        assert reviews["judge"]["name"] == reviews["judge"]["object"]["metadata"]["name"], side
        assert reviews["judge"]["object"]["metadata"]["uid"], side
        assert reviews["judge"]["object"]["data"] == {"a": "1", "hook": "1"}, side


def test_namespaces_by_their_own_labels(hooks: Hooks, new_name: Callable[[str], str]) -> None:
    name = new_name("hooked")
    chosen = {"rules": [rule("namespaces", operations=["*"])], "namespaceSelector": {"matchLabels": {"hooked": name}}}
    hooks.configure(
        "validating",
        judge=(allow(), chosen),
        gone=(allow(), chosen | {"rules": [rule("namespaces", scope="Namespaced")]}),
    )
    one = f"/api/v1/namespaces/{name}"
    hooks(
        ("POST", "/api/v1/namespaces?dryRun=All", {"metadata": {"name": name, "labels": {"hooked": name}}}),
        ("POST", "/api/v1/namespaces?dryRun=All", {"metadata": {"name": name, "labels": {"hooked": "no"}}}),
        ("POST", "/api/v1/namespaces", {"metadata": {"name": name}}),
        ("PATCH", f"{one}?dryRun=All", {"metadata": {"labels": {"hooked": name}}}, MERGE),
        ("DELETE", one),
    )


def test_custom_resources(hooks: Hooks, new_name: Callable[[str], str]) -> None:
    plural = f"hooked{new_name('x').replace('-', '')}"
    group = f"{plural}.example.com"
    schema = {"type": "object", "properties": {
        "spec": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}, "b": {"type": "string", "maxLength": 3}}},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }}  # fmt: skip
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    spec = {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": "Hooked", "singular": "hooked", "listKind": "HookedList"},
            "versions": [version, version | {"name": "v2", "storage": False}]}  # fmt: skip
    for api in hooks.both.apis:
        api.define({"metadata": {"name": f"{plural}.{group}"}, "spec": spec})
    mine = {"rules": [rule(plural, f"{plural}/status") | {"apiGroups": [group], "apiVersions": ["v1"]}]}

    def decide(request: Any) -> dict[str, Any]:
        found = {"bad": "long", "worse": 7}.get(request["name"], "new")
        return patch({"op": "add", "path": "/spec/b", "value": found}) if request["object"] else {"allowed": True}

    hooks.configure("mutating", change=(decide, mine))
    hooks.configure("validating", judge=(allow(), mine))
    path = f"/apis/{group}/v1/namespaces/NS/{plural}"
    made = {"apiVersion": f"{group}/v1", "kind": "Hooked", "spec": {}}
    try:
        hooks(
            ("POST", path, made | {"metadata": {"name": "a"}, "status": {"x": 1}}),
            ("POST", path, made | {"metadata": {"name": "bad"}}),
            ("POST", path, made | {"metadata": {"name": "worse"}}),
            ("PATCH", f"{path}/a/status", {"status": {"y": 1}}, MERGE),
            ("PATCH", f"{path.replace('/v1/', '/v2/')}/a", {"spec": {"a": 2}}, MERGE),
            ("DELETE", f"{path}/a"),
        )
    finally:
        for api in hooks.both.apis:
            api.ask("DELETE", f"{DEFINITIONS}/{plural}.{group}")


def test_configurations_that_are_refused(both: Both) -> None:
    good = {
        "name": "a.b.c",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"url": "https://127.0.0.1/"},
    }
    service = {"name": "s", "namespace": "n"}
    rules = [
        {"operations": [], "apiGroups": [], "apiVersions": [], "resources": []},
        {
            "operations": ["*", "CREATE"],
            "apiGroups": ["*", "a"],
            "apiVersions": ["*", "v1"],
            "resources": ["*/*", "a"],
            "scope": "x",
        },
        {"operations": ["X"], "apiGroups": [""], "apiVersions": [""], "resources": ["", "a/*", "a/b", "*/c", "d/c"]},
        {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["*", "a"]},
    ]
    webhooks = [
        [{"name": "x"}, {"name": "x"}],
        [
            good
            | {"admissionReviewVersions": ["v2"], "sideEffects": "Some", "clientConfig": {"url": "http://127.0.0.1/"}}
        ],
        [
            good
            | {
                "name": "A_.b.c",
                "clientConfig": {"url": "https://127.0.0.1/", "service": service},
                "timeoutSeconds": 40,
                "failurePolicy": "x",
            }
        ],
        [
            good
            | {
                "matchPolicy": "y",
                "timeoutSeconds": 0,
                "objectSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]},
            }
        ],
        [good | {"clientConfig": {"url": "https://u@127.0.0.1/?a=b#c"}, "rules": rules}],
        [good | {"clientConfig": {"service": service | {"path": "x//y", "port": 0}}}],
        [good | {"clientConfig": {"service": {}}}],
        [good | {"clientConfig": {"url": "https://"}}],
        [
            good
            | {
                "matchConditions": [
                    {"name": "a b", "expression": ""},
                    {"name": "x", "expression": "variables.x"},
                    {"name": "x", "expression": "1 == 1"},
                ]
            }
        ],
    ]
    path = f"{GROUP}/validatingwebhookconfigurations?dryRun=All"
    both([("POST", path, {"metadata": {"name": f"{both.namespace}-x"}, "webhooks": each}) for each in webhooks])


def test_a_connection_is_refused(hooks: Hooks) -> None:
    hooks.configure(
        "validating",
        judge=(deny(message="no shell"), {"rules": [rule("pods/exec", "pods/attach", operations=["CONNECT"])]}),
    )
    for api in hooks.both.apis:
        api.post(PODS.replace("NS", hooks.both.namespace), pod("p"))
    hooks(
        ("POST", f"{PODS}/p/exec?command=ls&command=-l&container=c&stdout=true"),
        ("GET", f"{PODS}/p/attach?stdin=1&tty=true&container=c"),
    )


def test_a_webhook_that_is_slow(hooks: Hooks) -> None:
    answered = threading.Event()

    def decide(request: Any) -> dict[str, Any]:
        if request["name"] == "slow":
            answered.wait(20)
        return {"allowed": True}

    hooks.configure("validating", judge=(decide, {"timeoutSeconds": 1}))
    try:
        hooks(("POST", MAPS, config_map("slow")))
    finally:
        answered.set()


def test_conditions(hooks: Hooks) -> None:
    def when(*expressions: str, policy: str = "Fail", **more: Any) -> dict[str, Any]:
        conditions = [{"name": f"c{number}", "expression": text} for number, text in enumerate(expressions)]
        return {"matchConditions": conditions, "failurePolicy": policy, **more}

    hooks.configure(
        "validating",
        named=(allow(), when("request.name.startsWith('a')", "!has(object.data.skip)")),
        updates=(allow(), when("request.operation == 'UPDATE'", "oldObject.data != object.data")),
        gone=(allow(), when("object == null && oldObject.metadata.name == 'a'")),
        who=(
            allow(),
            when("request.userInfo.username == 'kubernetes-admin' && request.resource.resource == 'configmaps'"),
        ),
        may=(allow(), when("authorizer.group('').resource('pods').check('create').allowed()")),
        failing=(allow(), when("object.data.none == 'x'", **to("fails"))),
        forgiven=(allow(), when("object.data.none == 'x'", policy="Ignore")),
        never=(allow(), when("object.data.none == 'x'", "false")),
        dry=(allow(), when("request.dryRun && request.namespace == request.namespace && namespaceObject == null")),
    )
    hooks.configure(
        "mutating",
        change=(patching({"op": "add", "path": "/data/hook", "value": "1"}), when("object.metadata.name == 'ab'")),
    )
    one = f"{MAPS}/a"
    hooks(
        ("POST", MAPS, config_map("a")),
        ("POST", MAPS, config_map("ab", {"skip": "1"})),
        ("POST", f"{MAPS}?dryRun=All", config_map("b")),
        ("POST", MAPS, config_map("fails", labels={"to": "fails"})),
        ("PATCH", one, {"data": {"b": "1"}}, MERGE),
        ("PATCH", one, {"metadata": {"labels": {"b": "1"}}}, MERGE),
        ("DELETE", one),
    )
