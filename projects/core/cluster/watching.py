"""Following objects as they change, over everything that ends a watch. Called by `waiting`.

A watch is a list, then a stream of changes from the list's resourceVersion. A stream that ends, or is cut, goes on from
the last version that was seen; one whose version is too old (410) starts again from a list; a kind that cannot be watched
(a package manifest) is listed again at growing intervals.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

from projects.core.cluster.api import Cluster, Object, Target
from projects.core.cluster.failures import Expired, from_status
from projects.core.values.errors import Invalid, NotFound, is_transient

_STREAM_SECONDS = 240.0
_SILENCE_SECONDS = 90.0
"""The server sends a bookmark a minute; a stream that is silent for longer is taken for dead."""
_SHORTEST, _LONGEST = 0.5, 5.0


class _CutError(Exception):
    """The server has ended the stream, and says that it may be asked for another one."""


class Follower:
    """The objects of a target, kept up to date until a deadline.

    Args:
      cluster: Where they are.
      target: Which ones.
      deadline: When to stop, on the clock of the cluster's session.
      await_kind: Whether the kind may be missing at first, because an operator brings it.
    """

    def __init__(self, cluster: Cluster, target: Target, deadline: float, *, await_kind: bool = False) -> None:
        self._cluster = cluster
        self._clock = cluster.session.clock
        self._target = target
        self._deadline = deadline
        self._await_kind = await_kind
        self._pause = threading.Event()
        self._interval = _SHORTEST
        self.objects: dict[str, Object] = {}

    def states(self) -> Iterator[list[Object]]:
        """Yield all objects of the target, now and after each change, until the deadline.

        Raises:
          NotFound: the kind is not served, and not awaited.
        """
        while True:
            try:
                items, version = self._cluster.snapshot(self._collection())
            except NotFound:
                if not self._await_kind:
                    raise
                items, version = [], ""
            self.objects = {_key(each): each for each in items}
            yield list(self.objects.values())
            if not version or not self._can_be_watched():
                self._wait()
            else:
                yield from self._follow(version)
            if self._remaining() <= 0:
                return

    def _collection(self) -> Target:
        """Return the target as a collection: one object is watched by its name as a field."""
        located = self._cluster.located(self._target)
        if not located.name:
            return located
        chosen = ",".join(filter(None, (f"metadata.name={located.name}", located.fields)))
        return Target(located.kind, located.api_version, None, located.namespace, located.labels, chosen)

    def _can_be_watched(self) -> bool:
        resource = self._cluster.session.discovery.find(self._target.kind, self._target.api_version)
        return "watch" in (resource.verbs or [])

    def _wait(self) -> None:
        self._rest(self._interval)
        self._interval = min(self._interval * 1.5, _LONGEST)
        self._cluster.session.discovery.expire()  # a kind that was missing may have come

    def _rest(self, seconds: float) -> None:
        self._clock.wait(max(0.0, min(seconds, self._remaining())), self._pause.wait)

    def _remaining(self) -> float:
        return self._deadline - self._clock.now()

    def _follow(self, version: str) -> Iterator[list[Object]]:
        """Yield the objects after each change until the version has become too old, or the deadline has come."""
        while self._remaining() > 0:
            seen = version
            try:
                for event in self._stream(version):
                    version = event["object"]["metadata"].get("resourceVersion", version)
                    if event["type"] != "BOOKMARK":
                        self._interval = _SHORTEST
                        self._take(event)
                        yield list(self.objects.values())
                    if self._remaining() <= 0:
                        return
            except Expired:
                return
            except Invalid:  # 405: the server lists watch among the verbs but does not do it
                self._wait()
                return
            if version == seen:
                self._rest(0.2)  # a server that ends each stream at once

    def _stream(self, version: str) -> Iterator[dict[str, Any]]:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - imported by the client before

        remaining = self._remaining()
        collection = self._collection()
        query = {
            "watch": True,
            "resourceVersion": version,
            "allowWatchBookmarks": True,
            "timeoutSeconds": max(1, int(min(remaining, _STREAM_SECONDS))),
            "labelSelector": collection.labels,
            "fieldSelector": collection.fields,
        }
        silence = max(0.1, self._clock.silence(remaining, _SILENCE_SECONDS))
        path, headers = self._cluster.path(collection), self._clock.headers
        answer = self._cluster.session.send("GET", path, query, stream=True, read_seconds=silence, headers=headers)
        try:
            for line in _lines(answer):
                yield self._read(line)
        except (HTTPError, OSError, _CutError):
            return  # the caller goes on from the last version
        finally:
            answer.close()

    def _read(self, line: bytes) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(line)
        if event["type"] == "ERROR":
            status = event["object"]
            error = from_status(int(status.get("code") or 500), json.dumps(status), self._cluster.session.address)
            if is_transient(error):
                raise _CutError(str(error))
            raise error
        return event

    def _take(self, event: dict[str, Any]) -> None:
        thing = event["object"]
        if event["type"] == "DELETED":
            self.objects.pop(_key(thing), None)
        else:
            self.objects[_key(thing)] = thing


def _lines(answer: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in answer.stream(amt=None, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())


def _key(thing: Object) -> str:
    metadata = thing["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"
