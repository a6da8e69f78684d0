"""An API server that serves one ConfigMap and misbehaves as it is told to: for what the real one does too seldom."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

Fault = Callable[["Handler"], bool]
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": []},
}
VERBS = ["get", "list", "watch", "patch", "create", "delete"]


class FaultyServer(ThreadingHTTPServer):
    """The server; `faults` are used up one a request, for requests other than discovery."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.changed = threading.Condition()
        self.data: dict[str, str] = {}
        self.version = 1
        self.faults: list[Fault] = []
        self.when_used_up: Callable[[], None] | None = None
        self.requests: list[str] = []
        self.verbs = VERBS

    @property
    def thing(self) -> dict[str, Any]:
        """The ConfigMap."""
        metadata = {"name": "x", "namespace": "n", "uid": "u", "resourceVersion": str(self.version)}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": self.data}

    def set(self, **data: str) -> None:
        """Change the ConfigMap."""
        with self.changed:
            self.data = data
            self.version += 1
            self.changed.notify_all()

    def kubeconfig(self, directory: Path) -> Path:
        """Write a kubeconfig of the server."""
        cluster = {"name": "x", "cluster": {"server": f"http://127.0.0.1:{self.server_address[1]}"}}
        context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
        document = {
            "clusters": [cluster],
            "users": [{"name": "x", "user": {}}],
            "contexts": [context],
            "current-context": "x",
        }
        path = directory / "kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """Answer a read."""
        path = self.path.partition("?")[0]
        if path in DISCOVERY:
            self.answer(200, DISCOVERY[path])
        elif path == "/api/v1":
            resource = {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "verbs": self.server.verbs}
            self.answer(200, {"kind": "APIResourceList", "resources": [resource]})
        else:
            self.server.requests.append(self.path)
            if self.server.faults and self.misbehave():
                return
            if "watch=true" in self.path:
                self.watch()
            else:
                version = {"resourceVersion": str(self.server.version)}
                self.answer(
                    200,
                    {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": version, "items": [self.server.thing]},
                )

    def misbehave(self) -> bool:
        """Commit the next fault; after the last one, all is done."""
        done = self.server.faults.pop(0)(self)
        if not self.server.faults and self.server.when_used_up:
            threading.Timer(0.05, self.server.when_used_up).start()
        return done

    def answer(self, status: int, document: Any, **headers: str) -> None:
        """Send a whole answer."""
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin_stream(self) -> None:
        """Send the head of a chunked answer."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def event(self, kind: str, thing: Any) -> None:
        """Send one event of a watch."""
        line = json.dumps({"type": kind, "object": thing}).encode() + b"\n"
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()

    def watch(self) -> None:
        """Send each change until the client goes."""
        seen = int(self.path.partition("resourceVersion=")[2].partition("&")[0])
        self.begin_stream()
        try:
            while True:
                with self.server.changed:
                    self.server.changed.wait_for(lambda after=seen: self.server.version > after, 20)  # type: ignore[misc]
                    seen = self.server.version
                self.event("MODIFIED", self.server.thing)
        except OSError:
            self.close_connection = True


def status(code: int, reason: str = "Because", **headers: str) -> Fault:
    """Answer with an error."""

    def fault(handler: Handler) -> bool:
        handler.answer(
            code, {"kind": "Status", "code": code, "reason": reason, "message": f"told to say {code}"}, **headers
        )
        return True

    return fault


def reset(handler: Handler) -> bool:
    """Reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
    return True


def cut(handler: Handler) -> bool:
    """Begin a stream, send an event, and cut it in the middle of a chunk."""
    handler.begin_stream()
    handler.event("MODIFIED", handler.server.thing)
    handler.wfile.write(b"ff\r\n{")
    handler.wfile.flush()
    return reset(handler)


def expire(handler: Handler) -> bool:
    """Say in the stream that the version is too old."""
    handler.begin_stream()
    handler.event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"})
    handler.wfile.write(b"0\r\n\r\n")
    return True


def end(handler: Handler) -> bool:
    """End the stream at once."""
    handler.begin_stream()
    handler.wfile.write(b"0\r\n\r\n")
    return True


def fine(_handler: Handler) -> bool:
    """Answer as one should."""
    return False


@contextmanager
def running() -> Iterator[FaultyServer]:
    """Run a server."""
    server = FaultyServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
