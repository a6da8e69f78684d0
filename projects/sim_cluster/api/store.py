"""The objects, their one counter of versions, and what happened to them. Everything else of the API stands on it.

A stored object is never changed in place: a write puts a new one in its place. So lists, watches and snapshots
share objects, and their JSON is made at most once.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from projects.sim_cluster.api.kinds import Object

Storage = tuple[str, str]
Changes = list["Change"]
EventType = Literal["ADDED", "MODIFIED", "DELETED"]
HISTORY: Final = 20_000  # events kept for watches that start in the past, per storage
_WARM: Final = 1000  # of these the last so many keep the JSON of what they replaced


def encode(value: object) -> bytes:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Stored:
    """An object as it was at one version, with its JSON."""

    __slots__ = ("_json", "object", "version")

    def __init__(self, obj: Object, version: int) -> None:
        self.object, self.version = obj, version
        self._json: bytes | None = None

    @property
    def json(self) -> bytes:
        """The object as JSON, encoded at first use."""
        if self._json is None:
            self._json = encode(self.object)
        return self._json

    def forget_json(self) -> None:
        """Make the JSON anew when it is asked for again, which is not likely."""
        self._json = None


@dataclass(frozen=True, slots=True)
class Change:
    """One write: what an object became, and what it was before."""

    type: EventType
    storage: Storage
    now: Stored
    before: Stored | None

    @property
    def version(self) -> int:
        """The version of the write."""
        return self.now.version


class Subscription:
    """The changes of one storage from now on, in order, for one watch.

    The queue holds changes; a number where a bookmark of that version belongs; None at the end.
    """

    def __init__(self, store: Store, storage: Storage) -> None:
        self._store, self._storage = store, storage
        self.queue: asyncio.Queue[Change | int | None] = asyncio.Queue()

    def close(self) -> None:
        """Stop receiving; its storage may be gone."""
        self._store.subscriptions.get(self._storage, set()).discard(self)


class Store:
    """Objects by storage, namespace and name."""

    def __init__(self) -> None:
        self.version = 1
        self._oldest = 0
        self._objects: dict[Storage, dict[str, dict[str, Stored]]] = {}
        self._history: dict[Storage, deque[Change]] = {}
        self._forgotten: dict[Storage, int] = {}
        self.subscriptions: dict[Storage, set[Subscription]] = {}
        self.listeners: list[Callable[[Change], None]] = []

    def get(self, storage: Storage, namespace: str, name: str) -> Stored | None:
        """Return one object."""
        return self._objects.get(storage, {}).get(namespace, {}).get(name)

    def list(self, storage: Storage, namespace: str = "") -> list[Stored]:
        """Return the objects of a storage, or of one namespace of it, ordered by namespace and name."""
        spaces = self._objects.get(storage, {})
        chosen = [namespace] if namespace else sorted(spaces)
        return [spaces[space][name] for space in chosen if space in spaces for name in sorted(spaces[space])]

    def count(self, storage: Storage, namespace: str = "") -> int:
        """Return how many objects there are."""
        spaces = self._objects.get(storage, {})
        return len(spaces.get(namespace, ())) if namespace else sum(map(len, spaces.values()))

    def storages(self) -> Iterator[Storage]:
        """Yield the storages that hold objects."""
        return (storage for storage, spaces in list(self._objects.items()) if any(spaces.values()))

    def put(self, storage: Storage, obj: Object) -> Stored:
        """Store an object, which the caller gives away, in the place of the one of its name."""
        metadata = obj["metadata"]
        space = self._objects.setdefault(storage, {}).setdefault(metadata.get("namespace", ""), {})
        before = space.get(metadata["name"])
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        space[metadata["name"]] = stored = Stored(obj, self.version)
        self._tell(Change("MODIFIED" if before else "ADDED", storage, stored, before))
        return stored

    def restore(self, storage: Storage, obj: Object, version: int) -> None:
        """Store an object as another store has had it, at its version; 0 stands for a new one. No watch sees it come."""
        version = version or self.version + 1
        metadata = obj["metadata"] | {"resourceVersion": str(version)}
        stored = Stored(obj | {"metadata": metadata}, version)
        self._objects.setdefault(storage, {}).setdefault(metadata.get("namespace", ""), {})[metadata["name"]] = stored
        self.version = max(self.version, version)
        for listener in self.listeners:
            listener(Change("ADDED", storage, stored, None))

    def forget(self) -> None:
        """Know nothing of what was before the present version."""
        self._oldest = self.version

    def remove(self, storage: Storage, obj: Object) -> Stored:
        """Remove an object; `obj` is what its watchers see last."""
        metadata = obj["metadata"]
        before = self._objects[storage][metadata.get("namespace", "")].pop(metadata["name"])
        self.version += 1
        last = Stored(obj | {"metadata": metadata | {"resourceVersion": str(self.version)}}, self.version)
        self._tell(Change("DELETED", storage, last, before))
        return last

    def drop(self, storage: Storage) -> None:
        """Forget a storage whose kind is gone; watches of it see its objects go, and end."""
        for stored in self.list(storage):
            self.remove(storage, stored.object)
        self._objects.pop(storage, None)
        for subscription in self.subscriptions.pop(storage, set()):
            subscription.queue.put_nowait(None)

    def subscribe(self, storage: Storage) -> Subscription:
        """Return the changes of a storage from now on."""
        subscription = Subscription(self, storage)
        self.subscriptions.setdefault(storage, set()).add(subscription)
        return subscription

    def begin(self, storage: Storage) -> None:
        """Keep the changes of a storage from now on: its kind is served anew."""
        self._history.pop(storage, None)
        self._forgotten[storage] = self.version

    def oldest(self, storage: Storage) -> int:
        """Return the version after which all changes of a storage are known."""
        return max(self._oldest, self._forgotten.get(storage, 0))

    def since(self, storage: Storage, version: int) -> Changes | None:
        """Return the changes after a version, None when some of them are forgotten."""
        if version < self.oldest(storage):
            return None
        changes: Changes = []
        for change in reversed(self._history.get(storage, ())):
            if change.version <= version:
                break
            changes.append(change)
        return changes[::-1]

    def _tell(self, change: Change) -> None:
        history = self._history.setdefault(change.storage, deque())
        history.append(change)
        if len(history) > HISTORY:
            self._forgotten[change.storage] = history.popleft().version
        if len(history) > _WARM and (replaced := history[-_WARM].before) is not None:
            replaced.forget_json()
        for subscription in self.subscriptions.get(change.storage, ()):
            subscription.queue.put_nowait(change)
        for listener in self.listeners:
            listener(change)
