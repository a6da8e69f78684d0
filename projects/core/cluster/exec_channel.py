"""Running a command in a pod's container, over the API server's websocket. Called by the `exec` plugin.

The client library's own channel has no time-out of the whole, and wants certificates in files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.failures import from_status, unreachable
from projects.core.cluster.patience import PATIENCE, Refusal, of_answer
from projects.core.values.errors import TimedOut
from projects.core.values.redaction import REDACTOR

_STDIN, _STDOUT, _STDERR, _STATUS, _CLOSE = 0, 1, 2, 3, 255
_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command in a container wrote and exited with."""

    returncode: int
    stdout: str
    stderr: str
    message: str = ""


def execute(
    cluster: Cluster,
    pod: Target,
    command: Sequence[str],
    *,
    container: str | None = None,
    stdin: str | None = None,
    timeout: float,
) -> Executed:
    """Run a command in a container.

    Args:
      cluster: Where the pod is.
      pod: The pod.
      command: Program and arguments; no shell reads them.
      container: The container; the pod's first when there is only one.
      stdin: What the command reads.
      timeout: Seconds that it may take.

    Returns:
      What it wrote, and its exit code.

    Raises:
      TimedOut: it took longer. The command itself may go on: a container has nobody to end it.
      ForesailError: the pod is not there, or the server refuses.
    """
    deadline = time.monotonic() + timeout
    socket = _open(cluster, pod, command, container, stdin is not None)
    try:
        if stdin is not None:
            _send(socket, stdin.encode())
        return _receive(socket, deadline, f"`{' '.join(command)}` in {pod}", timeout)
    finally:
        socket.shutdown()  # `close` does nothing when the server has closed already, and leaves the descriptor open


def _open(cluster: Cluster, pod: Target, command: Sequence[str], container: str | None, stdin: bool) -> Any:
    import websocket  # noqa: PLC0415 - few commands run one

    session = cluster.session
    query = {"command": list(command), "container": container, "stdin": stdin, "stdout": True, "stderr": True}
    pairs = {key: str(value).lower() if isinstance(value, bool) else value for key, value in query.items() if value}
    url = (
        session.configuration.host.replace("http", "ws", 1)
        + cluster.path(pod)
        + "/exec?"
        + urlencode(pairs, doseq=True)
    )
    token = session.configuration.get_api_key_with_prefix("BearerToken")

    def connect() -> Any:
        try:
            return websocket.create_connection(
                url,
                header=[f"Authorization: {token}"] if token else [],
                subprotocols=_PROTOCOLS,
                sslopt={"context": session.access.tls} if session.access.tls else None,
                timeout=10,
            )
        except websocket.WebSocketBadStatusException as error:
            failure = from_status(error.status_code, error.resp_body, session.address)
            seconds = of_answer(error.status_code, failure, error, None).seconds
            raise Refusal(failure, error, seconds=seconds, harmless=True) from None  # no command runs without a channel
        except (websocket.WebSocketException, OSError) as error:
            refused = isinstance(error, ConnectionRefusedError)
            raise Refusal(unreachable(error, session.address), error, seconds=PATIENCE, harmless=refused) from None

    return session.patience.insist(connect, repeat=False)


def _send(socket: Any, data: bytes) -> None:
    for start in range(0, len(data), 1 << 15):
        socket.send_binary(bytes([_STDIN]) + data[start : start + (1 << 15)])
    if socket.getsubprotocol() == _PROTOCOLS[0]:
        socket.send_binary(bytes([_CLOSE, _STDIN]))  # the older protocol cannot say that the input has ended


def _receive(socket: Any, deadline: float, what: str, timeout: float) -> Executed:
    import websocket  # noqa: PLC0415 - as above

    streams = {_STDOUT: b"", _STDERR: b"", _STATUS: b""}
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimedOut(f"timed out after {timeout:g} s waiting for {what}: {_tail(streams)}")
        socket.settimeout(remaining)
        try:
            frame = socket.recv()
        except websocket.WebSocketTimeoutException:
            continue
        except websocket.WebSocketConnectionClosedException:
            break
        data = frame.encode() if isinstance(frame, str) else frame
        if not data:
            break
        if data[0] in streams:
            streams[data[0]] += data[1:]
    return _executed(streams)


def _executed(streams: dict[int, bytes]) -> Executed:
    stdout, stderr = streams[_STDOUT].decode(errors="replace"), streams[_STDERR].decode(errors="replace")
    if not streams[_STATUS]:
        return Executed(-1, stdout, stderr, "the connection was cut before the command ended")
    status = json.loads(streams[_STATUS])
    if status.get("status") == "Success":
        return Executed(0, stdout, stderr)
    causes = (status.get("details") or {}).get("causes") or []
    code = next((each.get("message") for each in causes if each.get("reason") == "ExitCode"), None)
    return Executed(int(code) if code else -1, stdout, stderr, str(status.get("message", "")))


def _tail(streams: dict[int, bytes]) -> str:
    text = (streams[_STDOUT] + streams[_STDERR]).decode(errors="replace").strip()
    return f"it had written:\n{REDACTOR.redact(text)[-2000:]}" if text else "it had written nothing"
