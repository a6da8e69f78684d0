"""What happens while an admission webhook is asked: others are answered, it may ask back itself, and what it judges may change."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.talk import JSON_PATCH, MERGE, Answer, Client, config_map, deployment
from tests.sim_cluster.test_webhooks import GROUP, deny, rule
from tests.sim_cluster.webhook_server import Decide, WebhookServer, patch, webhook_server


@pytest.fixture(scope="module")
def server() -> Iterator[WebhookServer]:
    with webhook_server() as running:
        yield running


@pytest.fixture
def home(either: Client, new_name: Callable[[str], str]) -> Iterator[str]:
    """A namespace of its own on one of the APIs."""
    name = make_namespace(either, new_name("asked"))
    yield name
    either.ask("DELETE", f"/api/v1/namespaces/{name}")


@contextmanager
def configured(api: Client, server: WebhookServer, home: str, kind: str, decide: Decide, **more: Any) -> Iterator[None]:
    """Have a webhook for a namespace, in force."""
    selector = {"matchLabels": {"kubernetes.io/metadata.name": home}}
    hook = {
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "namespaceSelector": selector,
        "timeoutSeconds": 30,
    }
    asked = {
        "name": "asked.example.com",
        "clientConfig": server.answer(f"/{api.port}/{home}", decide),
        "rules": [rule()],
    }
    ready = {"name": "ready.example.com", "clientConfig": server.answer(f"/{api.port}/{home}/ready", deny(message="in force")),
             "rules": [rule()], "objectSelector": {"matchLabels": {"ready": home}}}  # fmt: skip
    path = f"{GROUP}/{kind}webhookconfigurations"
    api.post(path, {"metadata": {"name": home}, "webhooks": [hook | asked | more, hook | ready]})
    try:
        in_force = lambda answer: '"ready.example.com' in answer.text.replace("\\", "")  # noqa: E731
        api.try_creating(f"/api/v1/namespaces/{home}/configmaps", config_map("ready", labels={"ready": home}), in_force)
        yield
    finally:
        api.ask("DELETE", f"{path}/{home}")


def test_others_are_answered_meanwhile(either: Client, server: WebhookServer, home: str) -> None:
    maps = f"/api/v1/namespaces/{home}/configmaps"
    other, seen = Client(either.kubeconfig), []

    def decide(request: Any) -> dict[str, Any]:
        if request["name"] == "outer":  # its own request comes back to it, as another one
            seen.append(other.ask("POST", maps, config_map("inner")).status)
            seen.append(other.ask("GET", f"{maps}/outer").status)
        return patch({"op": "add", "path": "/data/by", "value": request["name"]})

    with configured(either, server, home, "mutating", decide):
        assert either.post(maps, config_map("outer"))["data"]["by"] == "outer"
    other.close()
    assert seen == [201, 404]
    assert either.get(f"{maps}/inner")["data"]["by"] == "inner"


@pytest.mark.parametrize("kind", ["mutating", "validating"])
def test_an_object_that_changes_meanwhile_is_asked_about_again(
    either: Client, server: WebhookServer, home: str, kind: str
) -> None:
    one = f"/api/v1/namespaces/{home}/configmaps/a"
    other, asked = Client(either.kubeconfig), []

    def decide(request: Any) -> dict[str, Any]:
        if request["operation"] == "UPDATE" and request["options"].get("fieldManager") != "meanwhile":
            asked.append(request["oldObject"]["data"])
            if len(asked) in {1, 3}:
                other.ask("PATCH", f"{one}?fieldManager=meanwhile", {"data": {"meanwhile": str(len(asked))}}, MERGE)
        return {"allowed": True}

    made = either.post(one.removesuffix("/a"), config_map("a"))
    with configured(either, server, home, kind, decide):
        either.merge(one, {"data": {"b": "2"}})
        assert asked == [{"a": "1"}, {"a": "1", "meanwhile": "1"}]
        version = [{"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]}]
        now = either.get(one)
        assert now["data"] == {"a": "1", "b": "2", "meanwhile": "1"}
        late = either.ask("PUT", one, now | {"data": {"c": "3"}})
        assert (late.status, late.body["reason"]) == (409, "Conflict")
        assert either.ask("PATCH", one, version, JSON_PATCH).status == 200
    other.close()


def test_what_is_deleted_meanwhile_is_not_found(either: Client, server: WebhookServer, home: str) -> None:
    one = f"/api/v1/namespaces/{home}/configmaps/a"
    other = Client(either.kubeconfig)

    def decide(request: Any) -> dict[str, Any]:
        if request["operation"] == "UPDATE":
            other.ask("DELETE", one)
        return {"allowed": True}

    either.post(one.removesuffix("/a"), config_map("a"))
    with configured(either, server, home, "validating", decide):
        assert either.ask("PATCH", one, {"data": {"b": "2"}}, MERGE).status == 404
    other.close()


def test_two_of_one_name_at_once(either: Client, server: WebhookServer, home: str) -> None:
    maps, both_asked, answers = f"/api/v1/namespaces/{home}/configmaps", threading.Barrier(2), list[Answer]()

    def decide(request: Any) -> dict[str, Any]:
        if request["name"] == "twin":
            both_asked.wait(60)
        return {"allowed": True}

    def create() -> None:
        client = Client(either.kubeconfig)
        answers.append(client.ask("POST", maps, config_map("twin")))
        client.close()

    with configured(either, server, home, "validating", decide, timeoutSeconds=30):
        threads = [threading.Thread(target=create) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answer.status for answer in answers) == [201, 409]


def test_controllers_are_refused_too(either: Client, server: WebhookServer, home: str) -> None:
    deployments = f"/apis/apps/v1/namespaces/{home}/deployments"

    def refused(found: Any) -> bool:
        conditions = (found.get("status") or {}).get("conditions") or ()
        return any(each["type"] == "ReplicaFailure" and "no pods today" in each["message"] for each in conditions)

    decide = lambda request: {"allowed": request["kind"]["kind"] != "Pod", "status": {"message": "no pods today"}}  # noqa: E731
    with configured(either, server, home, "validating", decide, rules=[rule("pods", operations=["CREATE"])]):
        either.post(deployments, deployment("d", home, 1))
        found = either.until(f"{deployments}/d", refused, 60)
        [said] = [each["message"] for each in found["status"]["conditions"] if each["type"] == "ReplicaFailure"]
        assert said.endswith('admission webhook "asked.example.com" denied the request: no pods today'), said
        either.ask("DELETE", f"{deployments}/d")


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"service": {"name": "s", "namespace": "n"}}, "nothing runs behind its service"),
        ({"url": "https://hooks.example.com/x"}, "its url leads to another machine"),
        ({"url": "https://192.0.2.1/x"}, "its url leads to another machine"),
    ],
)
def test_who_configures_what_is_not_called_is_warned(
    client: Client, namespace: str, config: dict[str, Any], why: str
) -> None:
    """Nothing outside of this machine is reached, and what it would have to admit passes."""
    path = f"{GROUP}/validatingwebhookconfigurations"
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    hook = {"name": "a.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "rules": [rule()],
            "namespaceSelector": here, "clientConfig": config}  # fmt: skip
    answer = client.ask("POST", path, {"metadata": {"name": namespace}, "webhooks": [hook]})
    assert answer.status == 201
    assert answer.headers["warning"] == f'299 - "the simulated cluster does not call webhook a.example.com: {why}"'
    client.post(f"/api/v1/namespaces/{namespace}/configmaps", config_map("a"))
    client.ask("DELETE", f"{path}/{namespace}")
