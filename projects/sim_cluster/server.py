"""Serves one cluster over TLS until it is told to stop. Used by `daemon` (a process) and `running` (a thread)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from asyncio import sslproto
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import uvicorn

from projects.sim_cluster.aggregated.serving import with_aggregated
from projects.sim_cluster.api.certificates import server_context
from projects.sim_cluster.api.kubeconfig import GROUP, USER, kubeconfig
from projects.sim_cluster.cluster import simulated_cluster
from projects.sim_cluster.faults.layer import FaultLayer
from projects.sim_cluster.faults.skew import SkewedClock, with_date
from projects.sim_cluster.options import MAX_SPEED, ClusterOptions
from projects.sim_cluster.parts import Parts
from projects.sim_cluster.sockets import protocols
from projects.sim_cluster.visiting import CLOCK_PATH, VisitingLayer
from projects.sim_cluster.visitors import Visitors

_HOST = "127.0.0.1"
_LAST_SECONDS = 2.0
# asyncio reads from each TLS connection into a buffer of its own, of a quarter of a megabyte; here watchers are many, requests small.
sslproto.SSLProtocol.max_size = 32 * 1024


class _Server(uvicorn.Server):  # type: ignore[misc]
    """A uvicorn server that leaves signals to whoever runs it, and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class _TlsConfig(uvicorn.Config):  # type: ignore[misc]
    """A configuration that is given its TLS context instead of file names."""

    def __init__(self, app: Any, context: ssl.SSLContext, visitors: Visitors, *, dated: bool) -> None:
        http, web_socket = protocols(visitors)
        super().__init__(app, http=http, ws=web_socket, ws_ping_interval=None, lifespan="off", log_config=None, access_log=False, proxy_headers=False,
                         timeout_keep_alive=600, timeout_graceful_shutdown=1, server_header=False, date_header=dated, backlog=2048)  # fmt: skip
        self._context = context

    def load(self) -> None:
        super().load()
        self.ssl = self._context


async def _end(server: _Server) -> None:
    """Cut what is open, watches too, and wait for what was being answered."""
    tasks = list(server.server_state.tasks)
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    if tasks:
        await asyncio.wait(tasks, timeout=_LAST_SECONDS)
    server.should_exit = server.force_exit = True


def _cluster(options: ClusterOptions, directory: Path, visitors: Visitors) -> AbstractAsyncContextManager[Parts]:
    if options.api == "simulated":
        return simulated_cluster(options, visitors)
    from projects.sim_cluster.real_api.cluster import real_cluster  # noqa: PLC0415 - only who asks for it pays for it

    return real_cluster(options, directory / "control-plane")


async def serve(options: ClusterOptions, directory: Path, started: Callable[[str], None], stop: asyncio.Event) -> None:
    """Run a cluster that may keep files in a directory; call `started` with its kubeconfig; return when `stop` is set."""
    visitors = Visitors()
    # Only a socket that says TCP gets TCP_NODELAY from asyncio; without it every answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, 0))
        async with _cluster(options, directory, visitors) as parts, with_aggregated(parts) as answering:
            served = VisitingLayer(answering, parts.clock, visitors, parts.changes)
            app: Any = FaultLayer(served, parts.strikes, parts.clock, visitors)
            skewed = SkewedClock(parts.clock, parts.strikes)
            if skewed.may_be_off:
                app = with_date(app, skewed)
            server = _Server(_TlsConfig(app, server_context(parts.authority), visitors, dated=not skewed.may_be_off))
            await _run(server, listener, lambda: started(_kubeconfig(parts, listener)), stop)


def _kubeconfig(parts: Parts, listener: socket.socket) -> str:
    client = parts.authority.for_client(USER, GROUP)
    clock = CLOCK_PATH if parts.clock.speed == MAX_SPEED else ""
    return kubeconfig(f"https://{_HOST}:{listener.getsockname()[1]}", parts.authority.certificate, client, clock)


async def _run(server: _Server, listener: socket.socket, started: Callable[[], None], stop: asyncio.Event) -> None:
    running = asyncio.create_task(server.serve(sockets=[listener]))
    ready = asyncio.create_task(server.ready.wait())
    await asyncio.wait({ready, running}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        ready.cancel()
        await running
        return
    started()
    await stop.wait()
    await _end(server)
    await running
