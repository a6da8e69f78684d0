"""The layer that hurts requests: an ASGI application before the simulated API, or before the way to a real one.

`server` puts it in place. Behaviours go past it, and so do WebSockets (exec, attach). Besides Kubernetes' own paths it answers ``GET /sim/faults``:
how often each fault has struck.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projects.sim_cluster.clock import Clock
from projects.sim_cluster.faults.asked import Asked, asked_of
from projects.sim_cluster.faults.choosing import Chooser
from projects.sim_cluster.faults.harm import Harm, harm_of
from projects.sim_cluster.faults.retries import Retries
from projects.sim_cluster.faults.strikes import Strikes
from projects.sim_cluster.visiting import UNHURT_PATH
from projects.sim_cluster.visitors import Visitors

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.api_faults import AnyApiFault

FAULTS_PATH: Final = "/sim/faults"
_OWN: Final = "/sim/"
_IN_VAIN: Final = frozenset({"unauthorized", "hang"})
"""What no client tries again after."""


class FaultLayer:
    """An ASGI application before another one.

    Args:
      app: What answers.
      strikes: What goes wrong, and where it is counted what has struck.
      clock: The cluster's clock, which starts now.
      visitors: Who keeps what clients do, for a clock that has to know.
    """

    def __init__(
        self,
        app: ASGIApp,
        strikes: Strikes,
        clock: Clock,
        visitors: Visitors,
    ) -> None:
        self.app, self.strikes, self.clock, self.visitors = app, strikes, clock, visitors
        self._retries = Retries(visitors)
        start = clock.now()
        self._choosers = [
            Chooser(fault, strikes.name(fault), strikes.seed, lambda: clock.now() - start) for fault in strikes.of_api
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"].removeprefix(UNHURT_PATH) == FAULTS_PATH:
            await JSONResponse(self.strikes.as_document())(scope, receive, send)
        elif not self._choosers or scope["type"] != "http" or scope["path"].startswith(_OWN):
            await self.app(scope, receive, send)
        else:
            await self._hurt(scope, receive, send)

    async def _hurt(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            asked, receive = await _with_name(asked_of(scope), scope, receive)
        except ClientDisconnect:
            return
        if unarmed := [chooser for chooser in self._choosers if not chooser.is_armed]:
            send = _telling(send, unarmed, asked)
        self._retries.made(asked)
        harm = Harm(self.app, scope, receive, send, self.clock, self.visitors.waiting)
        for chooser in self._choosers:
            if chooser.may_strike(asked) and chooser.strikes(asked):
                self.strikes.strike(chooser.fault)
                harm.roll = chooser.rolled(asked, "jitter")
                if await harm_of(chooser.fault, harm):
                    self._expect_again(chooser.fault, asked)
                    return
        await self.app(scope, harm.receive, harm.send)

    def _expect_again(self, fault: AnyApiFault, asked: Asked) -> None:
        if fault.do not in _IN_VAIN:
            self._retries.expect(asked, getattr(fault, "retry_after", None) or 0)


async def _with_name(asked: Asked, scope: Scope, receive: Receive) -> tuple[Asked, Receive]:
    """Return a request with the name of what it creates, which stands in its body, and the body to be read once more."""
    if asked.verb != "create" or asked.name or asked.about != "objects":
        return asked, receive
    body = await Request(scope, receive).body()
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return asked.named(_name_in(body)), again


def _name_in(body: bytes) -> str:
    try:
        metadata = json.loads(body)["metadata"]
        return str(metadata.get("name") or metadata.get("generateName") or "")
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""  # it is no JSON, or no object: the API will say so


def _telling(send: Send, choosers: list[Chooser], asked: Asked) -> Send:
    """Return a way to send that tells those who wait for such a request that it is answered."""

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            for chooser in choosers:
                chooser.answered(asked)
        await send(message)

    return telling
