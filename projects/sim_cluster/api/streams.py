"""``exec`` and ``attach`` over WebSockets, in the protocols of kubectl and of the client libraries. Called by `http`.

Each message starts with the number of its channel; the end of a command is a ``Status`` on the error channel. The protocols before
``v4`` and SPDY are refused.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket, WebSocketDisconnect

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.containers import chosen, status_of
from projects.sim_cluster.api.errors import ApiError, bad_request
from projects.sim_cluster.api.identity import User
from projects.sim_cluster.api.logs import LogOptions
from projects.sim_cluster.api.routing import Target, flag

_PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io", "base64.channel.k8s.io", "channel.k8s.io")
_TEXT: Final = "base64.channel.k8s.io"
_WITH_STATUS: Final = frozenset(_PROTOCOLS[:2])
STDOUT, STDERR, ERROR = 1, 2, 3
STREAMS: Final = frozenset({"exec", "attach"})


@dataclass(frozen=True)
class _Channels:
    """The channels of one connection."""

    socket: WebSocket
    protocol: str

    async def send(self, channel: int, data: bytes) -> None:
        """Send some bytes on a channel."""
        if self.protocol == _TEXT:
            await self.socket.send_text(str(channel) + base64.b64encode(data).decode())
        else:
            await self.socket.send_bytes(bytes([channel]) + data)

    async def end(self, exit_code: int) -> None:
        """Say how the command has exited, and close."""
        if self.protocol in _WITH_STATUS:
            await self.send(ERROR, json.dumps(_status(exit_code)).encode())
        await self.socket.close(1000)


def _status(exit_code: int) -> dict[str, Any]:
    if not exit_code:
        return {"metadata": {}, "status": "Success"}
    message = (
        f"command terminated with non-zero exit code: error executing command in container: exit status {exit_code}"
    )
    causes = {"causes": [{"reason": "ExitCode", "message": str(exit_code)}]}
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "NonZeroExitCode", "details": causes}


def asked(api: Api, target: Target, query: QueryParams) -> tuple[dict[str, Any], str]:
    """Return the pod and the container that a request is about; raise when it cannot be served, connection or not."""
    pod = api.resources.get(target.kind, target.namespace, target.name).object
    container = chosen(pod, query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {target.name} does not have a host assigned")
    return pod, container


async def connecting(api: Api, target: Target, query: QueryParams, user: User) -> None:
    """Let webhooks refuse a connection before anything else is looked at."""
    kind = "PodExecOptions" if target.subresource == "exec" else "PodAttachOptions"
    said: dict[str, Any] = {name: True for name in ("stdin", "stdout", "stderr", "tty") if flag(query, name)}
    if container := query.get("container"):
        said["container"] = container
    if command := query.getlist("command"):
        said["command"] = command
    hooks, about = api.resources.writer.hooks, {"kind": kind, "apiVersion": "v1", **said}
    await hooks.connect(target.kind, target.namespace, target.name, target.subresource, about, user)


async def serve(api: Api, target: Target, socket: WebSocket) -> None:
    """Serve one connection; raise before it is accepted when it cannot be served."""
    pod, container = asked(api, target, socket.query_params)
    if "running" not in (status_of(pod, container).get("state") or {}):
        raise ApiError(500, "InternalError", f'unable to upgrade connection: container not found ("{container}")')
    if target.subresource == "exec" and not socket.query_params.getlist("command"):
        raise bad_request("you must specify at least 1 command for the container")
    offered = [protocol.strip() for protocol in socket.scope.get("subprotocols") or ()]
    protocol = next((known for known in _PROTOCOLS if known in offered), None)
    if offered and protocol is None:
        raise ApiError(
            403,
            "Forbidden",
            f"unable to negotiate protocol: client supports {offered}, server accepts {list(_PROTOCOLS)}",
        )
    await socket.accept(protocol)
    channels = _Channels(socket, protocol or "channel.k8s.io")
    work = _attach(api, target, channels, container) if target.subresource == "attach" else None
    try:
        await _until_left(socket, work or _execute(api, channels, pod, container))
    except WebSocketDisconnect:
        return


async def _until_left(socket: WebSocket, work: Any) -> None:
    """Do some work for a client, but no longer than it stays; what it sends is read and means nothing to a program."""
    doing = asyncio.ensure_future(work)
    reading = asyncio.ensure_future(_drain(socket))
    await asyncio.wait({doing, reading}, return_when=asyncio.FIRST_COMPLETED)
    for task in (doing, reading):
        if not task.done():
            task.cancel()
    results = await asyncio.gather(doing, reading, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]


async def _drain(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue


async def _execute(api: Api, channels: _Channels, pod: dict[str, Any], container: str) -> None:
    query = channels.socket.query_params
    done = api.containers.executed(pod, container, query.getlist("command"))
    if done.takes:
        await api.clock.sleep(done.takes)
    for channel, name, text in ((STDOUT, "stdout", done.stdout), (STDERR, "stderr", done.stderr)):
        if text and flag(query, name):
            await channels.send(channel, text.encode())
    await channels.end(done.exit_code)


async def _attach(api: Api, target: Target, channels: _Channels, container: str) -> None:
    """Send what a container prints from now on, until it ends."""
    options = LogOptions(container, follow=True, tail=0)
    pieces: AsyncIterator[bytes] = api.logs.read(target.kind, target.namespace, target.name, options)
    async for piece in pieces:
        await channels.send(STDOUT, piece)
    await channels.end(0)
