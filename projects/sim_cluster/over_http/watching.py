"""A resource listed and watched for as long as someone looks: pages, bookmarks, and a new list when the watch is too old.

What is handed on is what `behaviours.interface.Cluster.watch` promises, whatever the connection goes through: what is there,
then what happens, and what happened while nobody could look. Used by `cluster`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Final

from projects.sim_cluster.behaviours.interface import Batch, Happening, Object, Objects, RefusedError
from projects.sim_cluster.over_http.connection import Connection

log = logging.getLogger(__name__)
_PAGE: Final = "500"
_TOO_OLD: Final = frozenset({"Expired", "Gone"})
_WATCH_SECONDS: Final = (
    300,
    600,
)  # a server ends a watch after some minutes anyway; spread, so that not all end at once
_GRACE_SECONDS: Final = 30.0
_PAUSES: Final = (0.0, 0.1, 0.3, 1.0, 3.0)


async def listed(api: Connection, path: str, labels: str = "") -> tuple[Objects, str]:
    """Return all objects of a list, with what a list leaves out of each, and the list's version."""
    while True:
        objects: Objects = []
        query = {"limit": _PAGE} | ({"labelSelector": labels} if labels else {})
        try:
            while True:
                page = await api.ask("GET", path, query)
                objects += _items(page)
                if not (following := page["metadata"].get("continue")):
                    return objects, page["metadata"]["resourceVersion"]
                query["continue"] = following
        except RefusedError as refused:
            if refused.reason not in _TOO_OLD:
                raise
            # The pages took longer than the server keeps the version that they are of.


def _items(page: Object) -> Iterable[Object]:
    named = {"apiVersion": page["apiVersion"], "kind": page["kind"].removesuffix("List")}
    return (named | item for item in page["items"])


class Watching:
    """One resource, watched until nobody asks for more."""

    def __init__(self, api: Connection, path: str) -> None:
        self._api, self._path = api, path
        self._known: dict[str, Object] = {}
        self._version = ""
        self._failures = 0

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Yield what is there, then what happens; raise RefusedError when the resource is not served (any more)."""
        while True:
            try:
                objects, self._version = await listed(self._api, self._path)
            except RefusedError:
                if gone := self._changes([]):
                    yield gone
                raise
            yield self._changes(objects)
            async with aclosing(self._until_too_old()) as happening:
                async for batch in happening:
                    yield batch

    def _changes(self, objects: Objects) -> Batch:
        """Return what must have happened for these objects to be there now."""
        before, self._known = self._known, {obj["metadata"]["uid"]: obj for obj in objects}
        batch = [Happening("DELETED", obj) for uid, obj in before.items() if uid not in self._known]
        for uid, obj in self._known.items():
            if uid not in before:
                batch.append(Happening("ADDED", obj))
            elif before[uid]["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
                batch.append(Happening("MODIFIED", obj))
        return batch

    async def _until_too_old(self) -> AsyncGenerator[Batch, None]:
        """Watch from the version that is known, again and again, until the server has forgotten it."""
        while True:
            seconds = random.randint(*_WATCH_SECONDS)  # noqa: S311 - nothing secret
            query = {"watch": "1", "resourceVersion": self._version, "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}  # fmt: skip
            try:
                async with aclosing(self._api.lines(self._path, query, seconds + _GRACE_SECONDS)) as arriving:
                    async for lines in arriving:
                        self._failures = 0
                        if batch := self._read(lines):
                            yield batch
            except RefusedError as refused:
                if refused.reason in _TOO_OLD:
                    return
                if refused.reason == "NotFound":  # its definition went away; a list says so in as many words
                    return
                await self._pause(refused)
            except ConnectionError as error:
                await self._pause(error)

    def _read(self, lines: Iterable[bytes]) -> Batch:
        batch: Batch = []
        for line in lines:
            event = json.loads(line)
            obj = event["object"]
            if event["type"] == "ERROR":
                reason = "Expired" if obj.get("code") == 410 else obj.get("reason") or "Unknown"  # noqa: PLR2004 - HTTP's Gone
                raise RefusedError(reason, obj.get("message", ""))
            self._version = obj["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                self._keep(event["type"], obj)
                batch.append(Happening(event["type"], obj))
        return batch

    def _keep(self, kind: str, obj: Object) -> None:
        if kind == "DELETED":
            self._known.pop(obj["metadata"]["uid"], None)
        else:
            self._known[obj["metadata"]["uid"]] = obj

    async def _pause(self, why: Exception) -> None:
        """Wait before the next attempt, the longer the more failed in a row."""
        log.info("watch of %s: %s", self._path, why)
        pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        await asyncio.sleep(pause)  # noqa: TID251 - a server that does not answer tells nobody when it will
