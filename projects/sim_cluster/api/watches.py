"""Watches: the events of a storage from a version on, as one client asked for them. Called by `http` and `in_process`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal

from projects.sim_cluster.api.errors import (
    ApiError,
    Cause,
    expired,
    forbidden_change,
    invalid_options,
    not_supported,
)
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.pages import matching
from projects.sim_cluster.api.requests import ListOptions
from projects.sim_cluster.api.selectors import Matches
from projects.sim_cluster.api.store import Change, Store, Stored, Subscription
from projects.sim_cluster.clock import Clock, Timer, Timing

BOOKMARK_SECONDS: Final = 60.0
INITIAL_EVENTS_END: Final = "k8s.io/initial-events-end"


@dataclass(frozen=True)
class WatchOptions:
    """What a watch asks for."""

    labels: str = ""
    fields: str = ""
    version: str = ""
    timeout: float = 0
    timing: Timing = Timing.REAL
    bookmarks: bool = False
    initial_events: bool = False
    version_match: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; a bookmark, the end of the initial events and an error carry no stored object."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
    stored: Stored | None
    version: int
    initial_end: bool = False
    error: ApiError | None = None


def _match_causes(options: WatchOptions) -> list[Cause]:
    field, match = "resourceVersionMatch", options.version_match
    if not options.initial_events:
        message = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        return [forbidden_change(field, message)] if match else []
    if match == "NotOlderThan":
        return []
    causes = [forbidden_change(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")]
    return causes + ([not_supported(field, f'"{match}"', ["NotOlderThan"])] if match else [])


def _as_it_was(change: Change) -> Stored:
    """Return the object before a change, in the version of the change: what a client whose selector it left sees last."""
    before = change.before.object if change.before is not None else change.now.object
    return Stored(before | {"metadata": before["metadata"] | {"resourceVersion": str(change.version)}}, change.version)


class Watch:
    """One watch, from its first event to its end."""

    def __init__(self, store: Store, clock: Clock, kind: Kind, namespace: str, options: WatchOptions) -> None:
        if causes := _match_causes(options):
            raise invalid_options("ListOptions", causes)
        self.store, self.clock, self.kind, self.namespace, self.options = store, clock, kind, namespace, options
        self._matches: Matches | None = matching(kind, ListOptions(labels=options.labels, fields=options.fields))
        self._first = self._backlog()
        self._subscription: Subscription = store.subscribe(kind.storage)

    def _backlog(self) -> list[Event]:
        """Return what the client has to see first: the objects there are, or what happened since its version."""
        version = self.options.version
        if version in {"", "0"} or self.options.initial_events:
            present = self.store.list(self.kind.storage, self.namespace)
            events = [Event("ADDED", stored, stored.version) for stored in present if self._shows(stored.object)]
            if self.options.initial_events:
                events.append(Event("BOOKMARK", None, self.store.version, initial_end=True))
            return events
        if not version.isdigit():
            raise ApiError(
                500,
                "",
                f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax',
            )
        changes = self.store.since(self.kind.storage, int(version))
        if changes is None:  # not an answer of its own: the server has begun to answer when it notices
            oldest = self.store.oldest(self.kind.storage)
            return [Event("ERROR", None, oldest, error=expired(f"too old resource version: {version} ({oldest})"))]
        return [event for change in changes if (event := self._event(change)) is not None]

    def _shows(self, obj: Object) -> bool:
        return self._matches is None or self._matches(obj)

    def _event(self, change: Change) -> Event | None:
        """Return a change as this client sees it: an object that starts to match is added, one that stops is deleted."""
        now = change.now.object
        if self.namespace and now["metadata"].get("namespace", "") != self.namespace:
            return None
        if self._matches is None:
            return Event(change.type, change.now, change.version)
        was = change.before is not None and self._matches(change.before.object)
        shows = self._matches(now)
        if change.type == "DELETED":
            return Event("DELETED", change.now, change.version) if was else None
        if shows:
            return Event("MODIFIED" if was else "ADDED", change.now, change.version)
        return Event("DELETED", _as_it_was(change), change.version) if was else None

    async def batches(self) -> AsyncIterator[list[Event]]:
        """Yield events, as many as are waiting at a time, until the watch ends."""
        timers = self._timers()
        try:
            if self._first:
                yield self._first
            ended = any(event.error is not None for event in self._first)
            while not ended:
                batch, ended = await self._next()
                if batch:
                    yield batch
        finally:
            for timer in timers:
                timer.cancel()
            self._subscription.close()

    def _timers(self) -> list[Timer]:
        """Start the timers of the bookmarks and of the end."""
        put = self._subscription.queue.put_nowait
        timers: list[Timer] = []

        def mark() -> None:
            put(self.store.version)
            timers[0] = self.clock.after(BOOKMARK_SECONDS, mark, Timing.REAL)

        if self.options.bookmarks:
            timers.append(self.clock.after(BOOKMARK_SECONDS, mark, Timing.REAL))
        if self.options.timeout:
            timers.append(self.clock.after(self.options.timeout, lambda: put(None), self.options.timing))
        return timers

    async def _next(self) -> tuple[list[Event], bool]:
        """Return the events that are waiting, at least one, and whether the watch has ended."""
        queue = self._subscription.queue
        change = await queue.get()
        events: list[Event] = []
        while change is not None:
            if isinstance(change, int):
                events.append(Event("BOOKMARK", None, change))
            elif (event := self._event(change)) is not None:
                events.append(event)
            if queue.empty():
                return events, False
            change = queue.get_nowait()
        return events, True
