"""Clients of the tests: raw HTTPS on the standard library, and kubectl. Nothing of the simulated cluster is used."""

import base64
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: Seconds after which a kept connection is not trusted: a kube-apiserver closes what was idle for 90.
_IDLE = 30.0
#: Seconds that a test waits for what comes in a moment: only one that fails waits so long, however loaded the machine is.
PATIENCE = 60.0


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Return headers by their names; those that stand more than once, as warnings do, are joined."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


class Client:
    """An API reached through a kubeconfig that holds everything."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        document = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        url = urlsplit(cluster["server"])
        self.host, self.port = url.hostname or "", url.port or 0
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.stranger = ssl.create_default_context(cadata=authority)
        self.tls = ssl.create_default_context(cadata=authority)
        with tempfile.TemporaryDirectory() as scratch:
            files = [Path(scratch, name) for name in ("certificate", "key")]
            for file, key in zip(files, ("client-certificate-data", "client-key-data"), strict=True):
                file.write_bytes(base64.b64decode(user[key]))
            self.tls.load_cert_chain(files[0], files[1])
        self._connection: http.client.HTTPSConnection | None = None
        self._used = 0.0

    def connect(self, *, certificate: bool = True, timeout: float = 30) -> http.client.HTTPSConnection:
        context = self.tls if certificate else self.stranger
        return http.client.HTTPSConnection(self.host, self.port, context=context, timeout=timeout)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        content: str = JSON,
        accept: str = JSON,
        token: str | None = None,
        agent: str = "test/1",
    ) -> Answer:
        """Send one request; with a token (an empty one too) without the client certificate."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Accept": accept, "User-Agent": agent} | ({"Content-Type": content} if data is not None else {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = self._kept() if token is None else self.connect(certificate=False)
        try:
            connection.request(method, path, body=data, headers=headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            self._connection = None  # what failed here must fail nobody else
            raise
        if token is not None:
            connection.close()
        return Answer(response.status, _joined(response.getheaders()), text)

    def _kept(self) -> http.client.HTTPSConnection:
        now = time.monotonic()
        if self._connection is None or now - self._used > _IDLE:
            self.close()
            self._connection = self.connect()
        self._used = now
        return self._connection

    def get(self, path: str, **options: Any) -> Any:
        """GET what must be there."""
        answer = self.ask("GET", path, **options)
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.text[:500]}"
        return answer.body

    def post(self, path: str, body: Any) -> Any:
        """POST what must be accepted."""
        answer = self.ask("POST", path, body)
        assert answer.status == 201, f"POST {path}: {answer.status} {answer.text[:500]}"
        return answer.body

    def define(self, definition: Any) -> None:
        """POST a CustomResourceDefinition, and wait until its kind is served: the real API says so before it is."""
        self.post(DEFINITIONS, definition)
        self.until(f"{DEFINITIONS}/{definition['metadata']['name']}", _is_established)
        spec = definition["spec"]
        for version in (each["name"] for each in spec["versions"] if each["served"]):
            path = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
            self.served(path)

    def served(self, path: str) -> None:
        """Wait until there is something at a path: the real API says that a kind is established before it serves and tells of it."""
        self.eventually(path, lambda _: True)

    def eventually(self, path: str, accept: Callable[[Any], Any], seconds: float = PATIENCE) -> Any:
        """GET until `accept` says yes, for what no watch of one object shows, such as a list as a whole; return what was read."""
        return self.ask_until(
            lambda answer: answer.status == 200 and accept(answer.body), "GET", path, seconds=seconds
        ).body

    def try_creating(self, path: str, body: Any, accept: Callable[[Answer], bool], seconds: float = PATIENCE) -> Answer:
        """Create (dry) until `accept` says yes, since what was configured takes a moment to be in force; return that answer."""
        return self.ask_until(accept, "POST", f"{path}?dryRun=All", body, seconds=seconds)

    def ask_until(
        self, accept: Callable[[Answer], Any], method: str, path: str, *body: Any, seconds: float = PATIENCE
    ) -> Answer:
        """Ask (with a body and its content type, where there are) until `accept` says yes; return that answer."""
        deadline, pause = time.monotonic() + seconds, threading.Event()
        while not accept(answer := self.ask(method, path, *body)):
            assert time.monotonic() < deadline, (
                f"{method} {path} after {seconds} s: {answer.status} {answer.text[:2000]}"
            )
            pause.wait(0.05)
        return answer

    def merge(self, path: str, patch: Any) -> Any:
        """Merge-patch what must be there."""
        answer = self.ask("PATCH", path, patch, MERGE)
        assert answer.status == 200, f"PATCH {path}: {answer.status} {answer.text[:500]}"
        return answer.body

    def watch(self, path: str, timeout: float = 2 * PATIENCE) -> Generator[dict[str, Any], None, None]:
        """Yield the events of a watch until the server ends it."""
        connection = self.connect(timeout=timeout)
        try:
            connection.request("GET", path, headers={"Accept": JSON})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            for line in response:
                yield json.loads(line)
        finally:
            connection.close()

    def until(self, path: str, accept: Callable[[Any], Any], seconds: float = PATIENCE) -> Any:
        """Watch one object (a path with its name last) until `accept` says yes; return the object."""
        deadline = time.monotonic() + seconds
        seen: Any = None
        while (left := deadline - time.monotonic()) > 0:  # a server may end a watch when it likes
            for event in self._watch_one(path, left):
                seen = event["object"]
                if event["type"] in {"ADDED", "MODIFIED"} and accept(seen):
                    return seen
        raise AssertionError(f"{path} after {seconds} s: {seen}")

    def _watch_one(self, path: str, seconds: float) -> Iterator[dict[str, Any]]:
        collection, _, name = path.rpartition("/")
        ends = f"timeoutSeconds={int(seconds) + 1}"
        return self.watch(f"{collection}?watch=1&fieldSelector=metadata.name%3D{name}&{ends}", seconds + 20)

    def gone(self, path: str, seconds: float = PATIENCE) -> None:
        """Wait until a list, by a path with a query, is empty."""
        deadline = time.monotonic() + seconds
        while (listed := self.get(path))["items"]:
            left = deadline - time.monotonic()
            assert left > 0, f"{path} after {seconds} s: {listed['items']}"
            version = listed["metadata"]["resourceVersion"]
            ends = f"&watch=1&resourceVersion={version}&timeoutSeconds={int(left) + 1}"
            for event in self.watch(f"{path}{ends}", left + 20):  # a server may end a watch when it likes
                if event["type"] == "DELETED":
                    break

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _is_established(definition: Any) -> bool:
    conditions = definition["status"].get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def named(path: str, name: str) -> str:
    """Return the path that lists an object alone."""
    return f"{path}?fieldSelector=metadata.name%3D{name}"


def says(field: str, value: Any) -> Callable[[Any], bool]:
    """Return what tells whether a field of an object's status is as wanted."""
    return lambda obj: bool((obj.get("status") or {}).get(field) == value)


@dataclass(frozen=True)
class Kubectl:
    """kubectl on one cluster, with a discovery cache of its own."""

    kubeconfig: Path
    binary: str
    home: Path

    def run(self, *arguments: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(
            [self.binary, *arguments],
            input=stdin,
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        return self.run(*arguments, stdin=stdin).stdout

    def apply(self, *documents: Any, **_: Any) -> str:
        return self("apply", "-f", "-", stdin="\n---\n".join(map(json.dumps, documents)))

    def get(self, *arguments: str) -> Any:
        return json.loads(self("get", *arguments, "-o", "json"))


def deployment(name: str, namespace: str, replicas: int = 1) -> dict[str, Any]:
    """Return a Deployment that everyone accepts."""
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "registry.invalid/c:1"}]},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}}  # fmt: skip


def config_map(name: str, data: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data or {"a": "1"}}
