"""Requests to one API server: typed errors, bounded repetition, one pool of connections. Called by `api` and `watching`.

Foresail repeats requests itself, because the layers below do it blindly: a connection that is refused on first
contact is given up within a second (the cluster is not there), while a server that has answered before, or that
says that it is busy, gets half a minute.
"""

from __future__ import annotations

import functools
import json
import math
import os
import random
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from projects.core.cluster import failures
from projects.core.cluster.kubeconfig import Access, kubeconfig_files, load_access
from projects.core.values.errors import ForesailError, Invalid

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
FIRST_CONTACT = 0.5
"""Seconds in which a server that has not answered yet may refuse: a load balancer that changes its target."""
PATIENCE = 30.0
"""Seconds in which a request is repeated when the server is known to be there."""
HICCUP = 1.5
"""Seconds in which a request is repeated after an internal error: etcd changed its leader, or it is a lasting one."""
JSON = "application/json"


class Session:
    """Requests to one API server through the `kubernetes` dynamic client. Safe to use from many threads.

    Args:
      access: Where the server is and how to speak to it.
      deadline: When the last request has to have ended, on the monotonic clock; None is never.
    """

    def __init__(self, access: Access, *, deadline: float | None = None) -> None:
        from kubernetes.client import ApiClient  # noqa: PLC0415 - 0.2 s, and listings import this room
        from kubernetes.dynamic import DynamicClient  # noqa: PLC0415

        from projects.core.cluster.discovery import Discovery  # noqa: PLC0415

        self.access = access
        self.configuration = access.configuration
        self.configuration.retries = False
        self.configuration.connection_pool_maxsize = 32
        self._api = ApiClient(self.configuration)
        self._api.user_agent = "foresail"
        if access.tls is not None:
            self._api.rest_client.pool_manager.connection_pool_kw["ssl_context"] = access.tls
        self._pause = threading.Event()
        self._answered = False
        self._deadline = math.inf if deadline is None else deadline
        self.discovery = Discovery(self)
        self.dynamic = DynamicClient(self._api, discoverer=lambda _client, _cache: self.discovery)

    @property
    def address(self) -> str:
        """``host:port`` of the API server."""
        return self.access.address

    def close(self) -> None:
        """Close the connections that are open; a request opens new ones."""
        if self.access.tls is not None:
            self.access.tls.remember()
        pools = self._api.rest_client.pool_manager.pools
        for key in list(pools.keys()):
            pools[key].close()  # forgetting them, as the client does, leaves that to the garbage collector
        pools.clear()

    def json(self, method: str, path: str, query: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Send a request and return the answer's JSON; the options are those of `send`."""
        return json.loads(self.send(method, path, query, **options).data)

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        body: Any = None,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        read_seconds: float = READ_SECONDS,
        repeat: bool = True,
    ) -> Any:
        """Send a request, repeated while that can help.

        Args:
          method: The HTTP verb.
          path: Path below the server's address.
          query: Query parameters; those that are None are left out, a list is repeated.
          body: The document to send.
          content_type: What the body is.
          headers: Further headers.
          read_seconds: How long the server may be silent.
          repeat: Whether a request that may have had an effect can be sent again. A refused one always can.

        Returns:
          The answer (urllib3); its body has not been read.

        Raises:
          ForesailError: the typed error of the answer, or Unreachable when there was none.
        """
        url = path + (f"?{urlencode(pairs, doseq=True)}" if (pairs := _given(query)) else "")
        began = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._once(method, url, body, content_type, dict(headers or {}), read_seconds)
                self._answered = True
                return answer
            except _Refusal as refusal:
                now = time.monotonic()
                delay = refusal.delay(attempt)
                if now + delay >= self._deadline or not self._again(refusal, repeat=repeat, spent=now - began):
                    raise refusal.error from refusal.cause
                self._pause.wait(delay)

    def _once(self, method: str, url: str, body: Any, content_type: str, headers: dict[str, str], read: float) -> Any:
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - imported by the client before
        from kubernetes.dynamic.exceptions import DynamicApiError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        headers.setdefault("Accept", JSON)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise _Refusal(failures.out_of_time(self.address), TimeoutError(), patience=0.0)
        try:
            return self.dynamic.request(
                method,
                url,
                body=body,
                content_type=content_type,
                header_params=headers,
                serialize=False,
                _request_timeout=(min(CONNECT_SECONDS, left), min(read, left)),
            )
        except (DynamicApiError, ApiException) as error:
            if not error.status:  # the client's word for a TLS error
                raise _Refusal(failures.unreachable(error, self.address), error, patience=0.0) from None
            self._answered = True
            failure = failures.from_status(error.status, error.body, self.address)
            raise _Refusal(
                failure,
                error,
                patience=_patience(error.status, failure),
                retry_after=_seconds((error.headers or {}).get("Retry-After")),
            ) from None
        except (HTTPError, OSError) as error:
            raise _Refusal(failures.unreachable(error, self.address), error, patience=PATIENCE) from None

    def _again(self, refusal: _Refusal, *, repeat: bool, spent: float) -> bool:
        if failures.was_refused(refusal.cause):
            return spent < (PATIENCE if self._answered else FIRST_CONTACT)
        return repeat and spent < refusal.patience


class _Refusal(Exception):
    """An attempt that did not succeed, with what decides whether there is another one."""

    def __init__(
        self,
        error: ForesailError,
        cause: BaseException,
        *,
        patience: float,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.cause = cause
        self.patience = patience
        self.retry_after = retry_after

    def delay(self, attempt: int) -> float:
        """Return the seconds before the next attempt: what the server asks for, else a doubling one with jitter."""
        if self.retry_after is not None:
            return min(self.retry_after, 10.0)
        return float(min(0.1 * 2**attempt, 5.0) * random.uniform(0.75, 1.25))  # noqa: S311 - jitter, no secret


def _patience(status: int, failure: ForesailError) -> float:
    if status in failures.BUSY:
        return PATIENCE
    return HICCUP if status >= 500 and not isinstance(failure, Invalid) else 0.0  # noqa: PLR2004 - the range of HTTP


def _given(query: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return [
        (name, str(value).lower() if isinstance(value, bool) else value)
        for name, value in (query or {}).items()
        if value is not None
    ]


_Identity = tuple[tuple[str, int, int], ...]
# A process that was forked must not speak over its parent's connections, hence the process id.
_sessions: dict[tuple[_Identity, int], Session] = {}


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None


def connect() -> Session:
    """Return a session with the cluster of the environment; no connection is opened yet.

    The session of one kubeconfig is made once per process. A forked process inherits it unused and opens its
    own connections, so that what was read and built before the fork is shared and no socket is.

    Raises:
      InfrastructureError: there is no kubeconfig, or it cannot be understood.
    """
    identity, pid = _identity(), os.getpid()
    if (identity, pid) not in _sessions:
        _sessions[identity, pid] = Session(_access(identity))
    return _sessions[identity, pid]


def connect_until(deadline: float) -> Session:
    """Return a session of its own with the cluster of the environment, for who has no longer than so long.

    Args:
      deadline: When the last request has to have ended, on the monotonic clock.

    Raises:
      InfrastructureError: there is no kubeconfig, or it cannot be understood.
    """
    return Session(_access(_identity()), deadline=deadline)


def disconnect() -> None:
    """Close the connections of this process and forget its sessions, for who connects to one cluster after another."""
    for key in [key for key in _sessions if key[1] == os.getpid()]:
        _sessions.pop(key).close()
    _access.cache_clear()


def _identity() -> _Identity:
    found: list[tuple[str, int, int]] = []
    for path in kubeconfig_files():
        try:
            stat = path.stat()
        except OSError:
            found.append((str(path), 0, 0))
        else:
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


@functools.lru_cache(maxsize=4)
def _access(_identity: _Identity) -> Access:
    return load_access()
