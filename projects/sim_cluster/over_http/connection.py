"""Requests to one Kubernetes API: who asks, how many at once, what is tried again. Used by `cluster`, `watching`, `discovery`."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from projects.sim_cluster.api.certificates import Certificate
from projects.sim_cluster.behaviours.interface import Object, RefusedError

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
_AT_ONCE: Final = 32
_ATTEMPTS: Final = 8
_BUSY: Final = frozenset({429, 503})  # refused before anything was done
_BROKEN: Final = frozenset({500, 502, 504})
_REPEATABLE: Final = frozenset({"GET", "PATCH", "PUT", "DELETE"})
_LONGEST_PAUSE: Final = 5.0
_backing_off: Final = wait_random_exponential(multiplier=0.1, max=_LONGEST_PAUSE)


@dataclass(frozen=True)
class Access:
    """Where an API is and how one gets in; without a client certificate a request carries its own credentials."""

    server: str
    authority: bytes
    client: Certificate | None = None

    def context(self) -> ssl.SSLContext:
        """Return the TLS context of a client."""
        context = ssl.create_default_context(cadata=self.authority.decode())
        if self.client is not None:
            with tempfile.TemporaryDirectory(prefix="sim-cluster-") as scratch:  # ssl loads a key from files only
                paths = Path(scratch, "crt"), Path(scratch, "key")
                paths[0].write_bytes(self.client.certificate)
                paths[1].touch(mode=0o600)
                paths[1].write_bytes(self.client.key)
                context.load_cert_chain(*paths)
        return context

    def session(self, *, decompresses: bool = True) -> aiohttp.ClientSession:
        """Return a client's connections, as many as it likes; whoever asks for them closes them."""
        connector = aiohttp.TCPConnector(ssl=self.context(), limit=0, keepalive_timeout=60)
        timeout = aiohttp.ClientTimeout(total=None, connect=10)
        return aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=decompresses)


class _PassingError(Exception):
    """A failure that may be over by the next attempt; `pause` is how long the server asks to wait."""

    def __init__(self, refused: RefusedError, pause: float = 0.0) -> None:
        super().__init__(str(refused))
        self.refused, self.pause = refused, pause


class Connection:
    """One API, asked by up to 32 requests at a time; watches do not count."""

    def __init__(self, access: Access) -> None:
        self._server = access.server
        self._session = access.session()
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        *,
        content_type: str = JSON,
        agent: str = "behaviours",
    ) -> Object:
        """Return what the API answers; raise RefusedError for what it refuses, also when it cannot be reached for long."""
        headers = {"Accept": JSON, "User-Agent": agent} | ({"Content-Type": content_type} if body is not None else {})
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        try:
            async for attempt in AsyncRetrying(stop=stop_after_attempt(_ATTEMPTS), wait=_pause, reraise=True,
                                               retry=retry_if_exception_type(_PassingError)):  # fmt: skip
                with attempt:
                    async with self._room:
                        return await self._once(method, path, query or {}, data, headers)
        except _PassingError as passing:
            raise passing.refused from None
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(
        self, method: str, path: str, query: Mapping[str, str], data: bytes | None, headers: dict[str, str]
    ) -> Object:
        try:
            async with self._session.request(
                method, self._server + path, params=query, data=data, headers=headers
            ) as answer:
                text, status, wait = await answer.read(), answer.status, answer.headers.get("Retry-After", "")
        except aiohttp.ClientError as error:
            unreachable = RefusedError("ServiceUnavailable", f"{method} {path}: {error}")
            if method in _REPEATABLE or isinstance(error, aiohttp.ClientConnectorError):
                raise _PassingError(unreachable) from None
            raise unreachable from None
        if status < 300:  # noqa: PLR2004 - HTTP's successes end there
            return _object(text)
        refused = refusal(status, text)
        if status in _BUSY or (status in _BROKEN and method in _REPEATABLE):
            raise _PassingError(refused, float(wait) if wait.isdigit() else 0.0)
        raise refused

    async def has(self, path: str) -> bool:
        """Return whether there is something at a path; an API that does not answer has nothing."""
        try:
            async with self._session.get(self._server + path) as answer:
                return answer.status == 200  # noqa: PLR2004 - what is there is answered by it
        except aiohttp.ClientError:
            return False

    async def lines(self, path: str, query: Mapping[str, str], silence: float) -> AsyncGenerator[list[bytes], None]:
        """Yield the lines of an answer as they arrive, several at a time; raise as `ask` does, ConnectionError when it is cut."""
        timeout = aiohttp.ClientTimeout(total=None, connect=10, sock_read=silence)
        try:
            async with self._session.get(
                self._server + path, params=query, headers={"Accept": JSON}, timeout=timeout
            ) as answer:
                if answer.status != 200:  # noqa: PLR2004 - a watch is answered by 200 or not at all
                    raise refusal(answer.status, await answer.read())
                async with aclosing(_lines(answer.content)) as arriving:
                    async for lines in arriving:
                        yield lines
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionError(f"GET {path}: {error}") from None


async def _lines(content: aiohttp.StreamReader) -> AsyncGenerator[list[bytes], None]:
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        if whole:
            yield whole


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.pause if isinstance(error, _PassingError) else 0.0
    return max(asked, _backing_off(state))


def _object(text: bytes) -> Object:
    made: Any = json.loads(text)
    return made if isinstance(made, dict) else {}


def refusal(status: int, text: bytes) -> RefusedError:
    """Return the error of an answer that is not a success: its Status says why, or its text does."""
    try:
        said = _object(text)
    except ValueError:
        said = {}
    message = said.get("message") or text.decode("utf-8", "replace").strip() or f"HTTP status {status}"
    return RefusedError(said.get("reason") or _REASONS.get(status, "Unknown"), message)


_REASONS: Final = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 409: "Conflict",
                   410: "Expired", 429: "TooManyRequests", 503: "ServiceUnavailable"}  # fmt: skip
