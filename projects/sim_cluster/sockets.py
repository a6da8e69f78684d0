"""Connections of the server: HTTP/1.1 and WebSockets that tell the application who asks, and let it reset them. Used by `server`."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from projects.sim_cluster.faults.harm import RESET
from projects.sim_cluster.visitors import Visitors


def protocols(visitors: Visitors) -> tuple[type[H11Protocol], type[WSProtocol]]:
    """Return the protocols of a server: HTTP/1.1 and WebSockets, whose connections and requests somebody is told of."""
    told = {"visitors": visitors}
    return type("Http", (_Telling, H11Protocol), told), type("WebSockets", (_Telling, WSProtocol), told)


class _Telling:
    """What both have in common.

    Attributes:
      visitors: Who is told.
    """

    visitors: Visitors
    app: Any
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to serve a connection."""
        super().connection_made(transport)  # type: ignore[misc]
        self.app = _identifying(self.app, transport, self.visitors)

    def connection_lost(self, exc: Exception | None) -> None:
        """End with a connection."""
        super().connection_lost(exc)  # type: ignore[misc]
        self.visitors.hung_up(self.transport)


def _identifying(app: Any, transport: asyncio.Transport, visitors: Visitors) -> Any:
    """Return an application that is told whose certificate a connection came with; uvicorn itself does not tell."""
    secured = transport.get_extra_info("ssl_object")
    certificate = secured.getpeercert() if secured is not None else None

    async def identified(scope: Any, receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), RESET: lambda: _reset(transport)}
        with visitors.speaking(transport):
            await app({"method": "GET", **scope, "certificate": certificate, "extensions": extensions}, receive, send)

    return identified


def _reset(transport: asyncio.Transport) -> None:
    """Close a connection with a reset in place of an end."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
