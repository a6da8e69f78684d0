"""Requests to one API server: typed errors, bounded repetition, one pool of connections. Called by `api` and `watching`.

Foresail repeats requests itself (`patience` says when), because the layers below do it blindly. An answer counts as one when
its body has been read whole: a connection that is cut in the midst of it is one more thing that is survived here.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from projects.core.cluster import failures
from projects.core.cluster.clock import EXTENSION, OWN, Clock, ClusterClock
from projects.core.cluster.kubeconfig import Access, kubeconfig_files, load_access
from projects.core.cluster.patience import HICCUP, PATIENCE, Patience, Refusal, of_answer
from projects.core.record.plan_notes import is_planning
from projects.core.values.errors import UnknownValue

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
STATE = "the state of the cluster"
"""What is not known in a plan, in words."""
JSON = "application/json"
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
"""What is as good twice as once. Not a POST; nor a PATCH by a list of operations, of which its caller knows."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, as it is sent each time."""

    method: str
    url: str
    body: Any = None
    content_type: str = JSON
    headers: Mapping[str, str] | None = None
    read_seconds: float = READ_SECONDS


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
        self.clock: Clock = ClusterClock(self._time) if access.clock else OWN
        self.patience = Patience() if deadline is None else Patience(deadline)
        self.discovery = Discovery(self)
        self.dynamic = DynamicClient(self._api, discoverer=lambda _client, _cache: self.discovery)

    def _time(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask a simulated cluster for its time, once: whoever is patient asks this to wait."""
        path = self.access.clock + (f"?{urlencode(query)}" if query else "")
        try:
            told: Mapping[str, Any] = json.loads(self._once(_Request("GET", path), _read).data)
        except Refusal as refusal:
            raise refusal.error from refusal.cause
        return told

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
        return self.document(method, path, query, **options)[0]

    def document(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **options: Any
    ) -> tuple[Any, Mapping[str, str]]:
        """Send a request and return the answer's JSON and its headers; the options are those of `send`."""
        return self._ask(lambda answer: (json.loads(answer.data), answer.headers), method, path, query, **options)

    def send(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, *, stream: bool = False, **options: Any
    ) -> Any:
        """Send a request, repeated while that can help.

        Args:
          method: The HTTP verb.
          path: Path below the server's address.
          query: Query parameters; those that are None are left out, a list is repeated.
          stream: Whether the body is read by the caller, as it comes.
          **options: `body`, the document to send, and its `content_type`; further `headers`; `read_seconds`, how long the
            server may be silent; `repeat`, whether what may have had its effect can be sent again: as the verb has it
            when it is not said. What surely had none always can.

        Returns:
          The answer (urllib3).

        Raises:
          ForesailError: the typed error of the answer, or Unreachable when there was none.
        """
        return self._ask(_unread if stream else _read, method, path, query, **options)

    def _ask(
        self,
        understand: Callable[[Any], T],
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        *,
        repeat: bool | None = None,
        **options: Any,
    ) -> T:
        url = path + (f"?{urlencode(pairs, doseq=True)}" if (pairs := _given(query)) else "")
        request = _Request(method, url, **options)
        return self.patience.insist(
            lambda: self._once(request, understand), repeat=method in _IDEMPOTENT if repeat is None else repeat
        )

    def _once(self, request: _Request, understand: Callable[[Any], T]) -> T:
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - imported by the client before
        from kubernetes.dynamic.exceptions import DynamicApiError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        left = self.patience.left
        if left <= 0:
            raise Refusal(failures.out_of_time(self.address), TimeoutError(), seconds=0.0)
        try:
            answer = self.dynamic.request(
                request.method,
                request.url,
                body=request.body,
                content_type=request.content_type,
                header_params={"Accept": JSON, **(request.headers or {})},
                serialize=False,
                _request_timeout=(min(CONNECT_SECONDS, left), min(request.read_seconds, left)),
            )
            self.patience.answered = True
            return understand(answer)
        except (DynamicApiError, ApiException) as error:
            if not error.status:  # the client's word for a TLS error
                seconds = PATIENCE if failures.was_cut(error) else 0.0
                raise Refusal(failures.unreachable(error, self.address), error, seconds=seconds) from None
            self.patience.answered = True
            failure = failures.from_status(error.status, error.body, self.address)
            retry_after = _seconds((error.headers or {}).get("Retry-After"))
            raise of_answer(error.status, failure, error, retry_after) from None
        except (HTTPError, OSError) as error:
            raise Refusal(failures.unreachable(error, self.address), error, seconds=PATIENCE) from None
        except ValueError as error:
            raise Refusal(failures.no_json(error, self.address), error, seconds=HICCUP) from None


def _read(answer: Any) -> Any:
    answer.data  # noqa: B018 - reads the body, and keeps it
    return answer


def _unread(answer: Any) -> Any:
    return answer


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
      UnknownValue: this is a plan, which asks no cluster.
    """
    if is_planning():
        raise UnknownValue(f"{STATE} is known to a real run only")
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


def current_clock() -> Clock:
    """Return the clock by which the cluster of the environment is waited for; this machine's when there is none."""
    identity = _identity()
    return connect().clock if not is_planning() and _tells_time(identity) else OWN


@functools.lru_cache(maxsize=4)
def _tells_time(identity: _Identity) -> bool:
    """Return whether a kubeconfig speaks of a clock, without the second that it takes to import what understands it."""
    paths = [Path(path) for path, _time, size in identity if size]
    return any(EXTENSION.encode() in path.read_bytes() for path in paths)


@functools.lru_cache(maxsize=4)
def _access(_identity: _Identity) -> Access:
    return load_access()
