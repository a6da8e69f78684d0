"""What the ASGI applications of this package share. Called by `visiting`, the faults and the real API's proxy."""

from __future__ import annotations

from starlette.types import Receive


async def disconnected(receive: Receive) -> None:
    """Wait until the client of a request, whose body was read, has gone."""
    while (await receive())["type"] != "http.disconnect":
        continue
