"""Many clients at once: every watcher sees every event, in order; no write that was accepted is lost."""

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sim_cluster.talk import APPLY, JSON_PATCH, MERGE, Client
from tests.soaking import say, trials

WATCHERS = trials(30, 500)
EVENTS = trials(200, 1000)
WRITES = trials(600, 20_000)
CLIENTS = 8


class Writer:
    """One client that changes ConfigMaps of a namespace at random, and knows what was accepted of it."""

    def __init__(self, client: Client, namespace: str, number: int, names: list[str]) -> None:
        self.client = Client(client.kubeconfig)
        self.maps = f"/api/v1/namespaces/{namespace}/configmaps"
        self.number, self.names = number, names
        self.dice = random.Random(number)
        self.versions: list[int] = []
        self.counted: Counter[str] = Counter()
        self.said: dict[tuple[str, str], str] = {}
        self.refused = 0

    def write(self, times: int) -> None:
        for value in range(times):
            act = self.dice.choice((self.count, self.count_by_patch, self.merge, self.apply))
            act(self.dice.choice(self.names), str(value))
        self.client.close()

    def take(self, body: Any) -> None:
        self.versions.append(int(body["metadata"]["resourceVersion"]))

    def count(self, name: str, _value: str) -> None:
        """Read a number, add one, and write it back unless someone else has written meanwhile."""
        while True:
            found = self.client.get(f"{self.maps}/{name}")
            found["data"]["count"] = str(int(found["data"]["count"]) + 1)
            answer = self.client.ask("PUT", f"{self.maps}/{name}", found)
            if answer.status == 200:
                break
            assert (answer.status, answer.body["reason"]) == (409, "Conflict")
            self.refused += 1
        self.counted[name] += 1
        self.take(answer.body)

    def count_by_patch(self, name: str, _value: str) -> None:
        """Do the same by a patch that tests what it replaces."""
        while True:
            count = self.client.get(f"{self.maps}/{name}")["data"]["count"]
            patch = [
                {"op": "test", "path": "/data/count", "value": count},
                {"op": "replace", "path": "/data/count", "value": str(int(count) + 1)},
            ]
            answer = self.client.ask("PATCH", f"{self.maps}/{name}", patch, JSON_PATCH)
            if answer.status == 200:
                break
            assert answer.status == 422
            self.refused += 1
        self.counted[name] += 1
        self.take(answer.body)

    def merge(self, name: str, value: str) -> None:
        key = f"merged-by-{self.number}"
        answer = self.client.ask("PATCH", f"{self.maps}/{name}", {"data": {key: value}}, MERGE)
        assert answer.status == 200
        self.said[name, key] = value
        self.take(answer.body)

    def apply(self, name: str, value: str) -> None:
        key = f"applied-by-{self.number}"
        applied = {"apiVersion": "v1", "kind": "ConfigMap", "data": {key: value}}
        path = f"{self.maps}/{name}?fieldManager=writer-{self.number}"
        answer = self.client.ask("PATCH", path, applied, APPLY)
        assert answer.status == 200
        self.said[name, key] = value
        self.take(answer.body)


@pytest.mark.soak
def test_no_update_is_lost(client: Client, namespace: str) -> None:
    names = ["a", "b", "c", "d"]
    for name in names:
        client.post(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": name}, "data": {"count": "0"}})
    writers = [Writer(client, namespace, number, names) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda writer: writer.write(WRITES // CLIENTS), writers))
    for name in names:
        data = client.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")["data"]
        assert int(data.pop("count")) == sum(writer.counted[name] for writer in writers)
        said = {key: value for writer in writers for (about, key), value in writer.said.items() if about == name}
        assert data == said
    for writer in writers:
        assert writer.versions == sorted(writer.versions)
    refused = sum(writer.refused for writer in writers)
    assert refused, "the writers never met: this proved nothing"
    say(f"{WRITES} random writes by {CLIENTS} clients, {refused} of them refused and tried again: none lost")


async def lines(client: Client, path: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the events of a watch; on the loop, because so many threads would say more about threads."""
    reader, writer = await asyncio.open_connection(
        client.host, client.port, ssl=client.tls, server_hostname=client.host, limit=2**20
    )
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {client.host}\r\n\r\n".encode())
        while (await reader.readline()).strip():
            continue
        while line := await reader.readline():
            if line.startswith(b"{"):
                yield json.loads(line)
    finally:
        writer.transport.abort()


def change_at_random(client: Client, maps: str, dice: random.Random, events: int) -> list[tuple[int, str, str]]:
    """Make, change and delete ConfigMaps; return what a watcher has to see."""
    expected, present, numbers = [], set[str](), itertools.count()
    for _ in range(events - 1):
        name = dice.choice(sorted(present)) if present and dice.random() < 0.7 else f"m{next(numbers)}"
        if name not in present:
            version = client.post(maps, {"metadata": {"name": name}})["metadata"]["resourceVersion"]
            present.add(name)
            expected.append((int(version), "ADDED", name))
        elif dice.random() < 0.7:
            changed = client.merge(f"{maps}/{name}", {"data": {"x": str(dice.random())}})
            expected.append((int(changed["metadata"]["resourceVersion"]), "MODIFIED", name))
        else:
            assert client.ask("DELETE", f"{maps}/{name}").status == 200
            present.discard(name)
            expected.append((0, "DELETED", name))  # the answer does not tell the version
    version = client.post(maps, {"metadata": {"name": "the-last"}})["metadata"]["resourceVersion"]
    return [*expected, (int(version), "ADDED", "the-last")]


async def seen_by_a_watcher(client: Client, path: str) -> list[tuple[int, str, str]]:
    """Return what a watch shows up to the last event: version, type, name."""
    found = []
    async for event in lines(client, path):
        metadata = event["object"]["metadata"]
        found.append((int(metadata["resourceVersion"]), event["type"], metadata["name"]))
        if metadata["name"] == "the-last":
            return found
    raise AssertionError(f"the watch ended early: {found[-3:]}")


@pytest.mark.soak
def test_every_watcher_sees_every_event_in_order(client: Client, namespace: str) -> None:
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    start = client.get(maps)["metadata"]["resourceVersion"]
    path = f"{maps}?watch=1&resourceVersion={start}&timeoutSeconds=600"

    async def watch_all() -> tuple[list[tuple[int, str, str]], list[list[tuple[int, str, str]]]]:
        """Watch from the same version; some of the watchers connect when there is something to catch up with."""
        changing = asyncio.create_task(asyncio.to_thread(change_at_random, client, maps, random.Random(1), EVENTS))
        seen = await asyncio.gather(*(seen_by_a_watcher(client, path) for _ in range(WATCHERS)))
        return await changing, seen

    expected, seen = asyncio.run(watch_all())
    assert len(seen) == WATCHERS
    for found in seen:
        assert [event[1:] for event in found] == [event[1:] for event in expected]
        assert [version for version, _, _ in found] == sorted({version for version, _, _ in found})
        assert all(told in {0, version} for (version, _, _), (told, _, _) in zip(found, expected, strict=True))
    say(f"{WATCHERS} watchers, {EVENTS} events: every one seen by all, in order")
