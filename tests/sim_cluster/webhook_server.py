"""An admission webhook for tests: a real HTTPS server that answers as it is told, and keeps what it was asked."""

import base64
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from projects.sim_cluster.api.certificates import Authority, server_context

#: Returns the response to a request of an AdmissionReview (its uid is added), or the bytes of an answer that is none.
Decide = Callable[[Any], dict[str, Any] | tuple[int, bytes]]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of who hangs up, or does not trust this server: that is what some tests are about."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class WebhookServer:
    """A server on a port of its own.

    Attributes:
      authority: Who signed its certificate, as a ``caBundle`` holds it.
      asked: The reviews that came in, by their path.
    """

    def __init__(self) -> None:
        made = Authority("webhooks")
        self.authority = base64.b64encode(made.certificate).decode()
        self.asked: dict[str, list[Any]] = {}
        self._decides: dict[str, Decide] = {}
        self.http = _Server(("127.0.0.1", 0), self._handler())
        context = server_context(made)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.http.server_port)

    def answer(self, path: str, decide: Decide) -> dict[str, str]:
        """Answer what comes to a path; return the ``clientConfig`` of a webhook there."""
        self._decides[path], self.asked[path] = decide, []
        return {"url": f"https://127.0.0.1:{self.port}{path}", "caBundle": self.authority}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        asked, decides = self.asked, self._decides

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = self.path.partition("?")[0]
                asked[path].append(review)
                code, body = _answer(review, decides[path](review["request"]))
                self.send_response(code)
                self.send_header(
                    "Content-Type", "text/plain" if code == HTTPStatus.INTERNAL_SERVER_ERROR else "application/json"
                )
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing: what was asked is kept."""

        return Handler


def _answer(review: Any, decided: dict[str, Any] | tuple[int, bytes]) -> tuple[int, bytes]:
    if isinstance(decided, tuple):
        return decided
    response = {"uid": review["request"]["uid"], **decided}
    return 200, json.dumps(
        {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
    ).encode()


def patch(*operations: Any) -> dict[str, Any]:
    """Return the response that allows, and changes the object."""
    encoded = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    """Run a server until the block ends."""
    server = WebhookServer()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()
