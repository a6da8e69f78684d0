"""Connections of the server: HTTP/1.1 and WebSockets that tell the application who asks, and let it reset them. Used by `server`."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from projects.sim_cluster.faults.harm import RESET


def _identifying(app: Any, transport: asyncio.Transport) -> Any:
    """Return an application that is told whose certificate a connection came with; uvicorn itself does not tell."""
    secured = transport.get_extra_info("ssl_object")
    certificate = secured.getpeercert() if secured is not None else None

    async def identified(scope: Any, receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), RESET: lambda: _reset(transport)}
        await app({"method": "GET", **scope, "certificate": certificate, "extensions": extensions}, receive, send)

    return identified


def _reset(transport: asyncio.Transport) -> None:
    """Close a connection with a reset in place of an end."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class HttpProtocol(H11Protocol):  # type: ignore[misc]
    """HTTP/1.1."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to serve a connection."""
        super().connection_made(transport)
        self.app = _identifying(getattr(self, "app"), transport)  # noqa: B009 - uvicorn has no types, so the attribute has none either


class SocketProtocol(WSProtocol):  # type: ignore[misc]
    """WebSockets."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to serve a connection."""
        super().connection_made(transport)
        self.app = _identifying(getattr(self, "app"), transport)  # noqa: B009 - as above
