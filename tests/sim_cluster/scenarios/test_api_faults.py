"""What is done to requests, as a client meets it: through real sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from tests.sim_cluster.scenarios.clusters import eventually, going_through, struck
from tests.sim_cluster.talk import Client, config_map

MAPS = "/api/v1/namespaces/default/configmaps"


def fault(do: str, **more: Any) -> str:
    """A scenario with one fault, that strikes the first such request about config maps."""
    given = {"do": do, "times": {"first": 1}, "requests": {"resources": ["configmaps"]}, **more}
    return json.dumps({"faults": {"api": [given]}})


@pytest.mark.parametrize(("scenario", "code", "headers", "said"), [
    (fault("too-many-requests", retry_after=7), 429, {"Retry-After": "7"}, "Too many requests, please try again later.\n"),
    (fault("server-error"), 500, {}, "etcdserver: request timed out"), (fault("unavailable"), 503, {}, "<html>"),
    (fault("unavailable", by="server", retry_after=3), 503, {"Retry-After": "3"}, '"reason": "ServiceUnavailable"'),
    (fault("unauthorized"), 401, {}, '"message": "Unauthorized", "reason": "Unauthorized"'),
])  # fmt: skip
def test_an_answer_in_the_apis_place(
    tmp_path: Path, scenario: str, code: int, headers: dict[str, str], said: str
) -> None:
    with going_through(tmp_path, scenario) as client:
        hurt = client.ask("GET", MAPS)
        assert hurt.status == code
        assert headers.items() <= {name.title(): value for name, value in hurt.headers.items()}.items()
        assert said in hurt.text
        assert client.ask("GET", MAPS).status == 200
        assert client.ask("GET", "/api/v1/namespaces").status == 200
        (count,) = struck(client).values()
        assert count == 1


def test_statuses_are_those_of_the_api(tmp_path: Path) -> None:
    with going_through(tmp_path, fault("server-error")) as client:
        assert client.ask("GET", MAPS).body == {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "etcdserver: request timed out", "code": 500,
        }  # fmt: skip


OF_CREATION = {"verbs": ["create"], "resources": ["configmaps"]}


@pytest.mark.parametrize(
    ("do", "done"), [("server-error", True), ("server-error", False), ("reset", True), ("reset", False)]
)
def test_what_was_asked_for_has_been_done_or_not(tmp_path: Path, do: str, done: bool) -> None:
    with going_through(tmp_path, fault(do, done=done, requests=OF_CREATION)) as client:
        connection = client.connect()
        with contextlib.suppress(ConnectionResetError):
            connection.request("POST", MAPS, json.dumps(config_map("mine")), {"Content-Type": "application/json"})
            with connection.getresponse() as answer:
                assert answer.status == 500
        connection.close()
        assert client.ask("GET", f"{MAPS}/mine").status == (200 if done else 404)


@pytest.mark.parametrize("clean", [True, False])
def test_an_answer_breaks_off(tmp_path: Path, clean: bool) -> None:
    with going_through(tmp_path, fault("cut", clean=clean, requests=OF_CREATION)) as client:
        connection = client.connect()
        text = "}"
        with contextlib.suppress(ConnectionError, http.client.IncompleteRead, ssl.SSLError):
            connection.request("POST", MAPS, json.dumps(config_map("mine")), {"Content-Type": "application/json"})
            with connection.getresponse() as answer:
                assert answer.status == 201
                text = answer.read().decode()
        assert text.endswith("}") is not clean
        connection.close()
        assert client.ask("GET", f"{MAPS}/mine").status == 200


def test_the_connection_is_reset(tmp_path: Path) -> None:
    with going_through(tmp_path, fault("reset")) as client:
        connection = client.connect()
        connection.request("GET", MAPS)
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        connection.close()


def test_latency_is_of_the_clusters_time(tmp_path: Path) -> None:
    with going_through(tmp_path, fault("latency", seconds="1m"), speed=600) as client:
        start = time.monotonic()
        assert client.ask("GET", MAPS).status == 200
        assert 0.1 <= time.monotonic() - start < 30


def test_no_answer_ever_comes(tmp_path: Path) -> None:
    with going_through(tmp_path, fault("hang")) as client:
        connection = client.connect()
        connection.request("GET", MAPS, headers={"User-Agent": "test/1"})
        eventually(client, "/sim/faults", lambda told: told["struck"] == 1)
        connection.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()
        assert client.ask("GET", MAPS).status == 200


def watch(client: Client, query: str = "") -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
    connection = client.connect()
    connection.request("GET", f"{MAPS}?watch=1{query}")
    return connection, connection.getresponse()


def test_a_watch_breaks_off_in_the_midst_of_an_event(tmp_path: Path) -> None:
    with going_through(tmp_path, fault("watch-cut", events=1)) as client:
        connection, answer = watch(client)
        assert json.loads(answer.readline())["type"] == "ADDED"
        client.post(MAPS, config_map("second"))
        with pytest.raises((ConnectionError, http.client.HTTPException, ssl.SSLError, ValueError)):
            json.loads(answer.readline())
        answer.close()
        connection.close()
        assert client.ask("GET", MAPS).status == 200


@pytest.mark.parametrize("in_stream", [True, False])
def test_what_names_a_version_is_too_old(tmp_path: Path, in_stream: bool) -> None:
    with going_through(tmp_path, fault("expired", in_stream=in_stream)) as client:
        for _ in range(2):
            client.get(MAPS)
        connection, answer = watch(client, "&resourceVersion=1")
        said = json.loads(answer.readline())
        assert (answer.status, said.get("type")) == ((200, "ERROR") if in_stream else (410, None))
        assert (said["object"] if in_stream else said)["reason"] == "Expired"
        answer.close()
        connection.close()


def test_a_page_that_is_gone_on_from_is_too_old(tmp_path: Path) -> None:
    with going_through(tmp_path, fault("expired")) as client:
        client.post(MAPS, config_map("second"))
        page = client.get(f"{MAPS}?limit=1")
        gone = client.ask("GET", f"{MAPS}?limit=1&continue={page['metadata']['continue']}")
        assert (gone.status, gone.body["reason"]) == (410, "Expired")
        assert "continue parameter is too old" in gone.body["message"]


def test_a_fault_begins_once_a_request_has_been_answered(tmp_path: Path) -> None:
    seen = {"verbs": ["create"], "resources": ["configmaps"], "names": ["mine"]}
    text = json.dumps({"faults": {"api": [{"do": "unauthorized", "when": {"once_seen": seen}}]}})
    with going_through(tmp_path, text) as client:
        client.get(MAPS)
        client.post(MAPS, config_map("other"))
        client.get(MAPS)
        client.post(MAPS, config_map("mine"))
        assert client.ask("GET", MAPS).status == 401


def test_faults_of_one_name_are_told_apart(tmp_path: Path) -> None:
    text = "faults: {api: [{do: reset}, {do: hang, name: reset}, {do: hang, probability: 0}]}"
    with going_through(tmp_path, text, seed=4) as client:
        assert client.get("/sim/faults") == {
            "scenario": "mine", "seed": 4, "struck": 0,
            "faults": [
                {"name": "reset", "do": "reset", "struck": 0}, {"name": "reset#2", "do": "hang", "struck": 0}, {"name": "hang", "do": "hang", "struck": 0},
            ],
        }  # fmt: skip


def test_without_a_scenario_no_fault_is_there(client: Client) -> None:
    assert client.get("/sim/faults") == {"scenario": "healthy", "seed": 0, "struck": 0, "faults": []}
