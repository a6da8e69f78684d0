"""A reverse proxy in front of a cluster that does to every n-th request what networks and busy API servers do. Real sockets."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from projects.core.cluster.kubeconfig import Access

Fault = Callable[["Handler"], None]
_HOP = {"connection", "transfer-encoding", "keep-alive", "host", "content-length"}
SECONDS = 60.0


class FaultProxy(ThreadingHTTPServer):
    """The proxy.

    Args:
      access: How to reach the cluster.
      every: Which requests are hurt: the first of its kind, and each so-manieth after it.
      faults: What is done to reads, writes and watches, in turn.
    """

    daemon_threads = True

    def __init__(self, access: Access, every: int, **faults: Sequence[Fault]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.access = access
        self.every = every
        self.turns = {kind: itertools.cycle(each) for kind, each in faults.items()}
        self.seen: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.config_maps_are_watched = threading.Event()
        self._lock = threading.Lock()

    def fault_for(self, kind: str) -> Fault | None:
        """Return what is to be done to the next request of a kind, None when it passes unhurt."""
        with self._lock:
            self.seen[kind] += 1
            if kind not in self.turns or self.seen[kind] % self.every != 1 % self.every:
                return None
            fault = next(self.turns[kind])
            self.done[fault.__name__] += 1
            return fault

    def kubeconfig(self, directory: Path) -> Path:
        """Write a kubeconfig that leads through the proxy."""
        cluster = {"name": "x", "cluster": {"server": f"http://127.0.0.1:{self.server_address[1]}"}}
        entry = {"name": "x", "context": {"cluster": "x", "user": "x"}}
        users = [{"name": "x", "user": {}}]
        document = {"clusters": [cluster], "users": users, "contexts": [entry], "current-context": "x"}
        path = directory / "faulty.kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path

    def connection(self) -> http.client.HTTPConnection:
        """Return a new connection with the cluster."""
        parts = urlsplit(self.access.configuration.host)
        where = (parts.hostname or "", parts.port)
        if self.access.tls is None:
            return http.client.HTTPConnection(*where, timeout=SECONDS)
        return http.client.HTTPSConnection(*where, context=self.access.tls, timeout=SECONDS)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: FaultProxy

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def handle_any(self) -> None:
        """Pass a request on, or hurt it."""
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length) if length else b""
        if self.kind == "watches" and "/configmaps" in self.path:
            self.server.config_maps_are_watched.set()
        fault = self.server.fault_for(self.kind)
        try:
            (fault or Handler.forward)(self)
        except OSError:  # the client has gone
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the base class's names

    @property
    def kind(self) -> str:
        """Whether it is a read, a write or a watch."""
        if self.command != "GET":
            return "writes"
        return "watches" if "watch=true" in self.path else "reads"

    @contextmanager
    def answered(self) -> Iterator[http.client.HTTPResponse]:
        """Let the cluster do what is asked, and answer."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        if token := self.server.access.configuration.get_api_key_with_prefix("BearerToken"):
            headers["Authorization"] = token
        connection = self.server.connection()
        try:
            connection.request(self.command, self.path, self.body or None, headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def forward(self) -> None:
        """Pass a request and its answer on."""
        with self.answered() as answer:
            self.begin(answer)
            while chunk := answer.read1(1 << 16):
                self.write(chunk)
            self.wfile.write(b"0\r\n\r\n")

    def begin(self, answer: http.client.HTTPResponse) -> None:
        """Send the head of an answer, whose body comes in chunks."""
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def write(self, data: bytes) -> None:
        """Send one chunk."""
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def say(self, status: int, message: str, **headers: str) -> None:
        """Answer in the cluster's place."""
        document = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "message": message}
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """Reset the connection."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def too_many(handler: Handler) -> None:
    """Ask to come back a moment later."""
    handler.say(429, "too many requests", Retry_After="0")


def internal(handler: Handler) -> None:
    """Fail before anything is done."""
    handler.say(500, "etcdserver: leader changed")


def unavailable(handler: Handler) -> None:
    """Say that there is nobody."""
    handler.say(503, "the server is currently unable to handle the request")


def reset(handler: Handler) -> None:
    """Reset the connection before anything is done."""
    handler.reset()


def answer_lost(handler: Handler) -> None:
    """Do what is asked, then reset the connection in place of an answer."""
    with handler.answered() as answer:
        answer.read()
    handler.reset()


def done_but_failed(handler: Handler) -> None:
    """Do what is asked, and say that it failed."""
    with handler.answered() as answer:
        answer.read()
    handler.say(500, "etcdserver: request timed out")


def body_cut(handler: Handler) -> None:
    """Do what is asked, and cut the answer in the middle of its body."""
    with handler.answered() as answer:
        data = answer.read()
        handler.begin(answer)
        handler.wfile.write(f"{len(data):x}\r\n".encode() + data[: len(data) // 2])
    handler.reset()


def body_short(handler: Handler) -> None:
    """Do what is asked, and end an answer of unsaid length too soon: only that it is no JSON tells."""
    with handler.answered() as answer:
        data = answer.read()
        handler.send_response(answer.status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2])
    handler.close_connection = True


def watch_cut(handler: Handler) -> None:
    """Cut a watch in the middle of its first event."""
    with handler.answered() as answer:
        handler.begin(answer)
        data = answer.read1(1 << 16)
        handler.wfile.write(f"{len(data):x}\r\n".encode() + data[: len(data) // 2])
    handler.reset()


def watch_gone(handler: Handler) -> None:
    """Answer a watch with 410."""
    handler.say(410, "too old resource version")


def watch_expired(handler: Handler) -> None:
    """Say in the stream that the version is too old."""
    _only_event(handler, 410, "Expired", "too old resource version")


def watch_failed(handler: Handler) -> None:
    """Say in the stream that the server failed."""
    _only_event(handler, 500, "InternalError", "etcdserver: no leader")


def _only_event(handler: Handler, code: int, reason: str, message: str) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    status = {"kind": "Status", "code": code, "reason": reason, "message": message}
    handler.write(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
    handler.wfile.write(b"0\r\n\r\n")


READS = [too_many, internal, body_cut, unavailable, reset, body_short, answer_lost]
WRITES = [too_many, answer_lost, internal, body_cut, unavailable, done_but_failed, reset, body_short]
WATCHES = [watch_cut, watch_expired, unavailable, watch_gone, watch_failed, reset, too_many]

ALL = {"reads": READS, "writes": WRITES, "watches": WATCHES}


@contextmanager
def in_front_of(access: Access, every: int, **faults: Sequence[Fault]) -> Iterator[FaultProxy]:
    """Run a proxy."""
    proxy = FaultProxy(access, every, **faults)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
