"""Server-side apply: merge what a manager applies, drop what it applied before and no longer does, name conflicts.

Called by `resources` for a PATCH of type ``application/apply-patch+yaml``. The rules are those of structured-merge-diff.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from projects.sim_cluster.api.comparing import compare, element_of, fields_of
from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.fieldsets import Tree, difference, intersection, paths, shared, union, with_fields
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.merging import merge, without
from projects.sim_cluster.api.ownership import Manager, Owned, Owners, before_first_apply, entries_of, owners_in
from projects.sim_cluster.api.schema import Schema

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
Conflicts = list[tuple[Manager, Tree]]


@dataclass(frozen=True)
class Apply:
    """One apply: what is applied to what, by whom, when."""

    live: Object | None
    applied: Object
    kind: Kind
    manager: Manager
    time: str
    force: bool = False

    @property
    def schema(self) -> Schema:
        """The schema of the kind."""
        return self.kind.schema

    def result(self) -> Object:
        """Return the object after the apply, with its ``managedFields``; raise the conflict when there is one."""
        applied = _applicable(self.applied, self.kind, self.manager.subresource)
        named = {"kind": self.kind.kind, "apiVersion": self.kind.api_version}
        live = self.live if self.live is not None else named | self.schema.zero | {"metadata": {}}
        owners = self._owners_before()
        last = owners.get(self.manager.identity)
        wanted = shared(fields_of(applied, self.schema))
        owners[self.manager.identity] = Owned(self.manager, wanted, last.time if last else "")
        merged = merge(live, applied, self.schema)
        if last is not None and last.fields:
            merged = self._pruned(merged, owners, last.fields)
        changed = self._give_up(live, merged, owners)
        if changed or self.live is None:
            time = "" if self.manager.subresource == "scale" else self.time
            owners[self.manager.identity] = Owned(self.manager, wanted, time)
        metadata = {key: value for key, value in merged["metadata"].items() if key != "managedFields"}
        return {**merged, "metadata": metadata | {"managedFields": entries_of(owners)}}

    def _owners_before(self) -> Owners:
        if self.live is None:
            return {}
        found = owners_in(self.live["metadata"].get("managedFields"))
        status = not self.kind.has_status or bool(self.manager.subresource)
        return found or before_first_apply(self.live, self.schema, self.kind.api_version, self.time, status=status)

    def _give_up(self, live: Object, merged: Object, owners: Owners) -> bool:
        """Take from the other owners what changes; return whether anything does. Without force that is a conflict."""
        changes = compare(live, merged, self.schema)
        taken = union(changes.added, changes.modified)
        gone = union(taken, changes.removed)
        others = {key: owned for key, owned in owners.items() if key != self.manager.identity}
        found = [(owned.manager, intersection(owned.fields, taken)) for owned in others.values()]
        conflicts = [(manager, fields) for manager, fields in found if fields]
        if conflicts and not self.force and (refused := self._beside_client_side(conflicts)):
            raise _conflict(refused)
        for key, owned in others.items():
            owners[key] = Owned(owned.manager, difference(owned.fields, gone), owned.time)
        return bool(gone)

    def _pruned(self, merged: Object, owners: Owners, last: Tree) -> Object:
        """Return the merged object without what this manager applied last and nobody owns any more."""
        schema = self.schema
        owned = with_fields(reduce(union, (entry.fields for entry in owners.values())), schema)
        last = with_fields(last, schema)
        present = with_fields(fields_of(merged, schema), schema)
        kept = with_fields(fields_of(_whole(without(merged, last, schema), merged), schema), schema)
        pruned = _whole(without(merged, difference(present, union(kept, owned)), schema), merged)
        left = with_fields(fields_of(pruned, schema), schema)
        return _whole(without(merged, intersection(difference(present, left), last), schema), merged)

    def _beside_client_side(self, conflicts: Conflicts) -> Conflicts:
        """Return the conflicts without those of ``kubectl apply`` with what it applied itself before it did so on the server."""
        said = ((self.live or {}).get("metadata", {}).get("annotations") or {}).get(_LAST_APPLIED)
        if self.live is None or not said or self.manager.name != "kubectl":
            return conflicts
        try:
            applied = json.loads(said)
            own = fields_of(applied, self.schema)
            changes = compare(applied, self.live, self.schema)
        except (ValueError, AttributeError):
            return conflicts
        for different in (changes.modified, changes.added, changes.removed):
            own = difference(own, different)
        left = [(manager, difference(fields, own)) for manager, fields in conflicts]
        return [(manager, fields) for manager, fields in left if fields]


def _whole(pruned: Object | None, merged: Object) -> Object:
    """Return a pruned object with the identity that every object has."""
    kept = pruned or {}
    identity = {key: merged[key] for key in ("apiVersion", "kind") if key in merged}
    metadata = {key: value for key, value in merged["metadata"].items() if key not in {"labels", "annotations"}}
    return identity | kept | {"metadata": metadata | (kept.get("metadata") or {})}


def check_elements(value: Any, schema: Schema | None, path: str = "") -> str:
    """Return what is wrong with keyed lists and sets in which an element stands twice; empty when nothing is."""
    if isinstance(value, dict):
        inner = ((item, schema.child(key) if schema else None, f"{path}.{key}") for key, item in value.items())
    elif isinstance(value, list) and schema is not None:
        if not schema.is_atomic and (twice := _twice([element_of(item, schema) for item in value])):
            return f"{path}: duplicate entries for key {dotted((twice,))}"
        inner = ((item, schema.items, f"{path}{dotted((element_of(item, schema),))}") for item in value)
    else:
        return ""
    return next((found for entry in inner if (found := check_elements(*entry))), "")


def _twice(elements: list[str]) -> str:
    return next((element for number, element in enumerate(elements) if element in elements[:number]), "")


def _applicable(applied: Object, kind: Kind, subresource: str) -> Object:
    """Return what this path writes: the status on its own path only, all else on the main one."""
    if not kind.has_status or subresource == "scale":
        return applied
    if subresource:
        return {key: value for key, value in applied.items() if key in {"apiVersion", "kind", "metadata", subresource}}
    return {key: value for key, value in applied.items() if key != "status"}


def _conflict(conflicts: Conflicts) -> ApiError:
    causes, listed = [], []
    count = sum(1 for _, fields in conflicts for _ in paths(fields))
    for manager, fields in sorted(conflicts, key=lambda entry: entry[0].name):
        where = f'"{manager.name}"' + (f' with subresource "{manager.subresource}"' if manager.subresource else "")
        using = f"conflict with {where}" + (f" using {manager.api_version}" if manager.operation == "Update" else "")
        shown = [dotted(path) for path in paths(fields)]
        causes += [{"reason": "FieldManagerConflict", "message": using, "field": path} for path in shown]
        listed.append((using if count == 1 else using.replace("conflict", "conflicts", 1), shown))
    text = "\n".join(f"{using}:\n" + "\n".join(f"- {path}" for path in shown) for using, shown in listed)
    if count == 1:
        text = f"{listed[0][0]}: {listed[0][1][0]}"
    message = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: {text}"
    return ApiError(409, "Conflict", message, {"causes": causes})


def dotted(path: tuple[str, ...]) -> str:
    """Return a path as messages show it."""
    parts = []
    for element in path:
        kind, _, rest = element.partition(":")
        if kind == "f":
            parts.append(f".{rest}")
        elif kind == "k":
            keys = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in json.loads(rest).items()]
            parts.append(f"[{','.join(keys)}]")
        elif kind == "v":
            parts.append(f"[={rest}]")
    return "".join(parts)
