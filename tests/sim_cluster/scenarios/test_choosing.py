"""Which requests a fault strikes: the same for a seed, whoever else asks for something in between."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import Any

import pytest

from projects.sim_cluster.clock import RunningClock
from projects.sim_cluster.faults.asked import Asked, asked_of
from projects.sim_cluster.faults.choosing import Chooser, is_one_of
from projects.sim_cluster.faults.layer import FaultLayer
from projects.sim_cluster.faults.strikes import Strikes
from projects.sim_cluster.scenarios.api_faults import Requests, ServerError
from projects.sim_cluster.scenarios.model import Scenario
from projects.sim_cluster.visitors import Visitors


def asked(method: str, target: str, agent: str = "kubectl/v1") -> Asked:
    path, _, query = target.partition("?")
    return asked_of(
        {"path": path, "method": method, "query_string": query.encode(), "headers": [(b"user-agent", agent.encode())]}
    )


@pytest.mark.parametrize(("method", "target", "told"), [
    ("GET", "/api/v1/pods", ("objects", "list", "", "pods", "", "", "")),
    ("GET", "/api/v1/namespaces/a/pods/x", ("objects", "get", "", "pods", "", "a", "x")),
    ("GET", "/api/v1/namespaces/a/pods?watch=true", ("objects", "watch", "", "pods", "", "a", "")),
    ("GET", "/api/v1/watch/pods", ("objects", "watch", "", "pods", "", "", "")),
    ("DELETE", "/apis/apps/v1/namespaces/a/deployments", ("objects", "deletecollection", "apps", "deployments", "", "a", "")),
    ("DELETE", "/apis/apps/v1/namespaces/a/deployments/d", ("objects", "delete", "apps", "deployments", "", "a", "d")),
    ("PATCH", "/apis/apps/v1/namespaces/a/deployments/d/status", ("objects", "patch", "apps", "deployments", "status", "a", "d")),
    ("POST", "/api/v1/namespaces", ("objects", "create", "", "namespaces", "", "", "")),
    ("GET", "/api/v1/namespaces/a", ("objects", "get", "", "namespaces", "", "", "a")),
    ("PUT", "/api/v1/namespaces/a/finalize", ("objects", "update", "", "namespaces", "finalize", "", "a")),
    ("POST", "/api/v1/namespaces/a/pods/x/eviction", ("objects", "create", "", "pods", "eviction", "a", "x")),
    ("GET", "/apis/apps/v1", ("discovery", "get", "", "", "", "", "")), ("GET", "/version", ("discovery", "get", "", "", "", "", "")),
    ("GET", "/readyz/ping", ("health", "get", "", "", "", "", "")),
])  # fmt: skip
def test_what_a_request_asks_for(method: str, target: str, told: tuple[str, ...]) -> None:
    found = asked(method, target)
    assert (
        found.about,
        found.verb,
        found.group,
        found.resource,
        found.subresource,
        found.namespace,
        found.name,
    ) == told


@pytest.mark.parametrize(("requests", "fits"), [
    ({}, True), ({"verbs": ["get"]}, True), ({"verbs": ["list"]}, False), ({"groups": ["apps"]}, True), ({"groups": [""]}, False),
    ({"resources": ["deployments"]}, True), ({"namespaces": ["test-*", "a"]}, True), ({"namespaces": ["test-*"]}, False), ({"names": ["d?"]}, True),
    ({"user_agents": ["kubectl/*"]}, True), ({"user_agents": ["foresail"]}, False), ({"subresources": [""]}, True), ({"subresources": ["status"]}, False),
    ({"about": ["discovery", "health"]}, False),
])  # fmt: skip
def test_requests_are_chosen_by_what_is_given(requests: dict[str, Any], fits: bool) -> None:
    chosen = Requests.model_validate(requests)
    assert is_one_of(chosen, asked("GET", "/apis/apps/v1/namespaces/a/deployments/d1")) is fits


def chooser(seed: int = 1, **more: Any) -> Chooser:
    return Chooser(ServerError.model_validate({"do": "server-error", **more}), "f", seed, lambda: 0.0)


def pattern(made: Chooser, requests: list[Asked]) -> dict[str, list[bool]]:
    struck: dict[str, list[bool]] = {}
    for each in requests:
        struck.setdefault(each.name, []).append(made.strikes(each))
    return struck


def test_interleaving_changes_nothing() -> None:
    requests = [asked("GET", f"/api/v1/namespaces/a/pods/{name}") for name in "abcde" for _ in range(20)]
    first = pattern(chooser(probability=0.3), requests)
    assert 0.1 < sum(itertools.chain(*first.values())) / 100 < 0.5
    for shuffle in range(5):
        random.Random(shuffle).shuffle(requests)
        assert pattern(chooser(probability=0.3), requests) == first
    assert pattern(chooser(seed=2, probability=0.3), requests) != first


def test_the_very_same_request_is_counted() -> None:
    same = [asked("GET", "/api/v1/namespaces/a/pods/x")] * 7
    assert pattern(chooser(times={"first": 2}), same)["x"] == [True, True, *[False] * 5]
    assert pattern(chooser(times={"every": 3}), same)["x"] == [True, False, False, True, False, False, True]
    both = [asked("GET", "/api/v1/namespaces/a/pods/x", agent) for agent in ("one", "two")]
    assert pattern(chooser(times={"first": 1}), both)["x"] == [True, True]


def test_a_fault_is_there_in_its_time() -> None:
    times = iter((0, 59, 60, 89, 90))
    given = ServerError.model_validate({"do": "server-error", "when": {"after": "1m", "until": 90}})
    seen = [Chooser(given, "f", 0, lambda: now).may_strike(asked("GET", "/api/v1/pods")) for now in times]  # noqa: B023 - called at once
    assert seen == [False, False, True, True, False]


def test_what_is_no_request_goes_past_the_layer() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError("nothing is said")

    scenario = Scenario.model_validate({"faults": {"api": [{"do": "unauthorized"}]}})
    layer = FaultLayer(app, Strikes(scenario, 0), RunningClock(1), Visitors())
    asyncio.run(layer({"type": "websocket", "path": "/api/v1/namespaces/a/pods/x/exec"}, nothing, nothing))
    assert seen == ["websocket"]
