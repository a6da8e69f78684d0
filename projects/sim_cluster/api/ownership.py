"""Who owns which field: the ``managedFields`` of an object, read, kept up at every write, and written.

The rules are those of apimachinery's field managers. Used by `writes` (create, update, patch), `apply` and `garbage`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from projects.sim_cluster.api.comparing import compare
from projects.sim_cluster.api.fieldsets import Tree, difference, settled, shared, union
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.schema import Schema

APPLY: Final = "Apply"
_MOST_UPDATERS: Final = 10
_ANCIENT: Final = "ancient-changes"


@dataclass(frozen=True)
class Manager:
    """Who writes: one entry of ``managedFields`` without its fields. An applier is the same one in every version."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two entries one."""
        version = "" if self.operation == APPLY else self.api_version
        return (self.name, self.operation, version, self.subresource)


@dataclass(frozen=True)
class Owned:
    """What a manager owns, and when it last took something."""

    manager: Manager
    fields: Tree
    time: str = ""


Owners = dict[tuple[str, str, str, str], Owned]


def owners_in(entries: Any) -> Owners:
    """Return the owners that ``managedFields`` names."""
    found: Owners = {}
    for entry in entries or ():
        manager = Manager(
            entry.get("manager", ""),
            entry.get("operation", ""),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
        )
        found[manager.identity] = Owned(manager, entry.get("fieldsV1") or {}, entry.get("time", ""))
    return found


def entries_of(owners: Owners) -> list[Object]:
    """Return owners as ``managedFields`` lists them: appliers first, then in order of time."""
    ordered = sorted(
        (owned for owned in owners.values() if owned.fields),
        key=lambda owned: (
            owned.manager.operation, owned.time, owned.manager.name, owned.manager.api_version, owned.manager.subresource,
        ),
    )  # fmt: skip
    return [_entry(owned) for owned in ordered]


def _entry(owned: Owned) -> Object:
    manager = owned.manager
    entry: Object = {"manager": manager.name, "operation": manager.operation, "apiVersion": manager.api_version}
    if owned.time:
        entry["time"] = owned.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": shared(owned.fields)}
    return entry | ({"subresource": manager.subresource} if manager.subresource else {})


def after_create(obj: Object, schema: Schema, manager: Manager, time: str, given: Any) -> list[Object]:
    """Return the ``managedFields`` of a new object: its maker owns what is in it, whoever else it was given with."""
    return entries_of(_updated(owners_in(given), schema.zero, obj, schema, manager, time))


def after_update(before: Object | None, after: Object, schema: Schema, manager: Manager, time: str) -> list[Object]:
    """Return the ``managedFields`` after a create (nothing before), an update or a patch: who changes a field owns it alone.

    An object whose owners were taken away is not looked after any more, until somebody applies to it.
    """
    if before is None:
        return after_create(after, schema, manager, time, None)
    entries: list[Object] = before["metadata"].get("managedFields") or []
    owners = owners_in(entries)
    updated = _updated(owners, before, after, schema, manager, time) if owners else owners
    return entries if updated is owners else entries_of(_capped(updated))


def before_first_apply(live: Object, schema: Schema, api_version: str, time: str, *, status: bool) -> Owners:
    """Return the owner of all that an object without owners has when somebody first applies to it; of the status on request."""
    seen = live if status else {key: value for key, value in live.items() if key != "status"}
    zero = schema.zero if status else {key: value for key, value in schema.zero.items() if key != "status"}
    return _updated({}, zero, seen, schema, Manager("before-first-apply", "Update", api_version), time)


def _updated(owners: Owners, before: Object, after: Object, schema: Schema, manager: Manager, time: str) -> Owners:
    changes = compare(before, after, schema)
    taken = shared(union(changes.added, changes.modified))
    gone = settled(union, taken, changes.removed)
    if not gone:
        return owners
    updated = {identity: _without(owned, gone) for identity, owned in owners.items()}
    if taken:
        mine = updated.get(manager.identity)
        updated[manager.identity] = Owned(manager, settled(union, mine.fields, taken) if mine else taken, time)
    return updated


def _without(owned: Owned, fields: Tree) -> Owned:
    return Owned(owned.manager, settled(difference, owned.fields, fields), owned.time)


def _capped(owners: Owners) -> Owners:
    """Return the owners with the oldest of too many updaters thrown together."""
    updaters = [key for key, owned in owners.items() if owned.manager.operation != APPLY and owned.fields]
    excess = len(updaters) - _MOST_UPDATERS
    if excess <= 0:
        return owners
    kept = dict(owners)
    for key in sorted(updaters, key=lambda key: owners[key].time)[: excess + 1]:
        old = kept.pop(key)
        ancient = Manager(_ANCIENT, old.manager.operation, old.manager.api_version)
        known = kept.get(ancient.identity)
        kept[ancient.identity] = Owned(ancient, union(known.fields if known else {}, old.fields), old.time)
    return kept
