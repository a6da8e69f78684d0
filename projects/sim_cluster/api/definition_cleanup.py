"""How a CustomResourceDefinition goes: held by a finalizer until every object of its kind has gone. Put together by `application`.

`deletes` marks a definition that is deleted; the rest follows from what is written to the store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from projects.sim_cluster.api.crds import STORAGE
from projects.sim_cluster.api.deletes import CLEANUP, Deleter
from projects.sim_cluster.api.kinds import Object, Registry
from projects.sim_cluster.api.requests import DeleteOptions
from projects.sim_cluster.api.store import Change, Storage, Store
from projects.sim_cluster.api.writes import is_finished

_BACKGROUND: Final = DeleteOptions(propagation="Background")


class DefinitionCleanup:
    """Deletes the objects of kinds whose definition is being deleted, then lets the definition go."""

    def __init__(
        self, store: Store, registry: Registry, deleter: Deleter, later: Callable[[Callable[[], None]], object]
    ) -> None:
        self.store, self.registry, self.deleter, self._later = store, registry, deleter, later
        self._waiting: dict[Storage, str] = {}
        store.listeners.append(self.observe)

    def observe(self, change: Change) -> None:
        """Take note of a definition that is to go, and of objects that have gone."""
        if change.storage == STORAGE and change.type != "DELETED" and _is_held(change.now.object):
            spec = change.now.object["spec"]
            self._waiting[spec["group"], spec["names"]["plural"]] = change.now.object["metadata"]["name"]
            self._later(lambda: self._clean((spec["group"], spec["names"]["plural"])))
        elif change.type == "DELETED" and change.storage in self._waiting:
            self._later(lambda: self._clean(change.storage))

    def _clean(self, storage: Storage) -> None:
        definition = self.store.get(STORAGE, "", self._waiting.get(storage, ""))
        if definition is None or not _is_held(definition.object):
            return
        for stored in self.store.list(storage):
            if not stored.object["metadata"].get("deletionTimestamp"):
                self.deleter.delete(self.registry.for_storage(storage), stored, _BACKGROUND)
        if self.store.count(storage):
            return  # some are held by finalizers of their own; the last one's going leads here again
        del self._waiting[storage]
        metadata = dict(definition.object["metadata"])
        metadata["finalizers"] = [name for name in metadata["finalizers"] if name != CLEANUP]
        released = definition.object | {"metadata": metadata}
        kind = self.registry.for_storage(STORAGE)
        if is_finished(kind, released):
            self.store.remove(STORAGE, released)
        else:
            self.store.put(STORAGE, released)


def _is_held(definition: Object) -> bool:
    metadata = definition["metadata"]
    return bool(metadata.get("deletionTimestamp")) and CLEANUP in (metadata.get("finalizers") or ())
