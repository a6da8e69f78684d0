"""Owners and dependents: what goes when its owner goes. Listens to the store; nothing calls it but `application`.

Background: dependents follow their owner. Foreground: the owner waits, held by a finalizer, for the dependents that block
it. Orphan: dependents lose the reference and stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from projects.sim_cluster.api.deletes import FOREGROUND, ORPHAN, Deleter
from projects.sim_cluster.api.kinds import Object, Registry
from projects.sim_cluster.api.ownership import Manager, after_update
from projects.sim_cluster.api.requests import DeleteOptions
from projects.sim_cluster.api.store import Change, Storage, Store, Stored
from projects.sim_cluster.api.timestamps import timestamp
from projects.sim_cluster.api.writes import is_finished

Key = tuple[Storage, str, str]
_ELSEWHERE: Final[Key] = ("", ""), "", ""


class Garbage:
    """The graph of owners and dependents."""

    def __init__(
        self, store: Store, registry: Registry, deleter: Deleter, later: Callable[[Callable[[], None]], object]
    ) -> None:
        self.store, self.registry, self.deleter, self._later = store, registry, deleter, later
        self._live: dict[str, Key] = {}
        self._dependents: dict[str, set[Key]] = {}
        self._work: deque[tuple[str, str]] = deque()
        self._scheduled = False
        store.listeners.append(self.observe)

    def presume(self, owners: Iterable[str]) -> None:
        """Take objects of these uids to be there although nobody has written them: a capture need not hold every owner."""
        self._live |= {uid: _ELSEWHERE for uid in owners if uid not in self._live}

    def observe(self, change: Change) -> None:
        """Take note of one write; whatever follows from it is done after the request."""
        now, before = change.now.object, change.before.object if change.before else None
        key = _key(change.storage, now)
        uid = now["metadata"]["uid"]
        if before is not None:
            self._forget(before, key)
        if change.type == "DELETED":
            self._live.pop(uid, None)
            self._note("gone", uid)
            self._note_owners(now)
            return
        self._live[uid] = key
        for owner in _owners(now):
            self._dependents.setdefault(owner["uid"], set()).add(key)
        if before is None and any(owner["uid"] not in self._live for owner in _owners(now)):
            self._note("orphaned", uid)
        if now["metadata"].get("deletionTimestamp") and {FOREGROUND, ORPHAN} & set(
            now["metadata"].get("finalizers") or ()
        ):
            self._note("waiting", uid)

    def _forget(self, obj: Object, key: Key) -> None:
        for owner in _owners(obj):
            self._dependents.get(owner["uid"], set()).discard(key)

    def _note_owners(self, obj: Object) -> None:
        for owner in _owners(obj):
            if owner["uid"] in self._live:
                self._note("waiting", owner["uid"])

    def _note(self, what: str, uid: str) -> None:
        self._work.append((what, uid))
        if not self._scheduled:
            self._scheduled = True
            self._later(self.collect)

    def collect(self) -> None:
        """Do what has been noted."""
        while self._work:
            what, uid = self._work.popleft()
            if what == "gone":
                self._owner_gone(uid)
            elif what == "waiting":
                self._owner_waits(uid)
            elif (stored := self._get(self._live.get(uid))) is not None:
                self._follow(stored, self._live[uid])
        self._scheduled = False

    def _get(self, key: Key | None) -> Stored | None:
        return None if key is None else self.store.get(*key)

    def _owner_gone(self, uid: str) -> None:
        for key in sorted(self._dependents.pop(uid, set())):
            if (stored := self._get(key)) is not None:
                self._follow(stored, key)

    def _follow(self, stored: Stored, key: Key) -> None:
        """Delete an object whose owners are all gone; forget the owners that are when others are left."""
        owners = _owners(stored.object)
        left = [owner for owner in owners if owner["uid"] in self._live]
        if owners and not left:
            if not stored.object["metadata"].get("deletionTimestamp"):
                self._delete(stored, key, "Background")
        elif len(left) < len(owners):
            self._write(stored, key, {"ownerReferences": left})

    def _owner_waits(self, uid: str) -> None:
        key = self._live.get(uid)
        owner = self._get(key)
        if key is None or owner is None or not owner.object["metadata"].get("deletionTimestamp"):
            return
        finalizers = owner.object["metadata"].get("finalizers") or []
        if ORPHAN in finalizers:
            for dependent in sorted(self._dependents.get(uid, set())):
                self._orphan(dependent, uid)
            self._release(key, ORPHAN)
        elif FOREGROUND in finalizers and not self._delete_dependents(uid):
            self._release(key, FOREGROUND)

    def _delete_dependents(self, uid: str) -> bool:
        """Delete what belongs to an owner; return whether any of it still blocks the owner."""
        for key in sorted(self._dependents.get(uid, set())):
            stored = self._get(key)
            if stored is not None and not stored.object["metadata"].get("deletionTimestamp"):
                policy = "Foreground" if self._dependents.get(stored.object["metadata"]["uid"]) else "Background"
                self._delete(stored, key, policy)
        return any(
            reference.get("blockOwnerDeletion")
            for key in self._dependents.get(uid, set())
            if (stored := self._get(key)) is not None
            for reference in _owners(stored.object)
            if reference["uid"] == uid
        )

    def _orphan(self, key: Key, uid: str) -> None:
        if (stored := self._get(key)) is not None:
            left = [owner for owner in _owners(stored.object) if owner["uid"] != uid]
            self._write(stored, key, {"ownerReferences": left})

    def _release(self, key: Key, finalizer: str) -> None:
        if (stored := self._get(key)) is not None:
            left = [name for name in stored.object["metadata"].get("finalizers") or () if name != finalizer]
            self._write(stored, key, {"finalizers": left})

    def _write(self, stored: Stored, key: Key, metadata: Object) -> None:
        changed = {name: value for name, value in (stored.object["metadata"] | metadata).items() if value != []}
        obj = stored.object | {"metadata": changed}
        kind = self.registry.for_storage(key[0])
        manager = Manager("kube-controller-manager", "Update", kind.api_version)
        managed = after_update(stored.object, obj, kind.schema, manager, timestamp(self.deleter.now()))
        obj["metadata"] = changed | ({"managedFields": managed} if managed else {})
        if is_finished(kind, obj):
            self.store.remove(key[0], obj)
        else:
            self.store.put(key[0], obj)

    def _delete(self, stored: Stored, key: Key, propagation: str) -> None:
        kind = self.registry.for_storage(key[0])
        self.deleter.delete(kind, stored, DeleteOptions(propagation=propagation))


def _owners(obj: Object) -> list[Object]:
    return obj["metadata"].get("ownerReferences") or []


def _key(storage: Storage, obj: Object) -> Key:
    return storage, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
