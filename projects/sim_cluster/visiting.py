"""The layer in front of everything else that a cluster serves: it knows what clients do, and tells them the time.

`server` puts it before the API, or before the way to a real one. Besides Kubernetes' own paths it answers

- ``GET /sim/clock``: the cluster's time in seconds since the epoch, and how fast it runs;
- ``GET /sim/clock?until=SECONDS``: the same, at that time; after half a second of real time if it has not come by then;
- ``/sim/unhurt/…``: the API as if there were no faults, for who rehearses and looks from outside: the layer of the
  faults lets it pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projects.sim_cluster.asgi import disconnected
from projects.sim_cluster.clock import Clock
from projects.sim_cluster.options import MAX_SPEED
from projects.sim_cluster.visitors import Visitors

CLOCK_PATH: Final = "/sim/clock"
UNHURT_PATH: Final = "/sim/unhurt"
_ANSWER_SECONDS: Final = 0.5
"""After so many real seconds a client that waits gets an answer, so that it can look whether it is to stop."""
_ON: Final = {"1", "true"}


class VisitingLayer:
    """An ASGI application before another one.

    Args:
      app: What answers.
      clock: The cluster's clock.
      visitors: Where it is kept what clients do.
      changes: Returns a number that is another one after each change of the cluster.
    """

    def __init__(self, app: ASGIApp, clock: Clock, visitors: Visitors, changes: Callable[[], int]) -> None:
        self.app, self.clock, self.visitors, self.changes = app, clock, visitors, changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        query = {key: values[-1] for key, values in parse_qs(scope.get("query_string", b"").decode()).items()}
        from_outside = scope["path"].startswith(f"{UNHURT_PATH}/")
        if from_outside:
            path = scope["path"].removeprefix(UNHURT_PATH)
            scope = {**scope, "path": path, "raw_path": scope["raw_path"].removeprefix(UNHURT_PATH.encode())}
        if scope["path"] == CLOCK_PATH:
            await (await self._time(query, receive))(scope, receive, send)
        elif from_outside:
            await self.app(scope, receive, send)
        elif _lasts(scope, query):
            await self._waiting(scope, receive, send)
        else:
            await self._working(scope, receive, send)

    async def _working(self, scope: Scope, receive: Receive, send: Send) -> None:
        question = f"{scope['path']}?{scope['query_string'].decode()}" if scope["method"] == "GET" else ""
        with self.visitors.working():
            await self.app(scope, receive, send)
        self.visitors.asked(question, self.changes())

    async def _waiting(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def telling(message: Message) -> None:
            self.visitors.told()
            await send(message)

        with self.visitors.waiting():
            await self.app(scope, receive, telling)

    async def _time(self, query: dict[str, str], receive: Receive) -> Response:
        if "until" in query:
            try:
                until = float(query["until"])
            except ValueError:
                return Response(f"until: expected seconds since the epoch, found {query['until']!r}\n", 400)
            await self._reached(until, receive)
        speed = "max" if self.clock.speed == MAX_SPEED else self.clock.speed
        return JSONResponse({"now": self.clock.now(), "speed": speed})

    async def _reached(self, until: float, receive: Receive) -> None:
        """Wait for a time, unless the client goes away."""
        sleeping = asyncio.create_task(self.clock.sleep(until - self.clock.now()))
        leaving = asyncio.create_task(disconnected(receive))
        try:
            with self.visitors.waiting():
                await asyncio.wait({sleeping, leaving}, timeout=_ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            leaving.cancel()


def _lasts(scope: Scope, query: dict[str, str]) -> bool:
    """Return whether the answer to a request is told as it happens."""
    path: str = scope["path"]
    if path.endswith("/log"):
        return query.get("follow", "") in _ON
    return query.get("watch", "") in _ON or "/watch/" in path or path.endswith(("/exec", "/attach", "/portforward"))
