"""Conditions in a status: found, and set without moving a transition time that does not change."""

from __future__ import annotations

from projects.sim_cluster.behaviours.interface import Object


def condition(obj: Object, kind: str) -> Object:
    """Return the condition of a type, an empty one when there is none."""
    found = (obj.get("status") or {}).get("conditions") or ()
    return next((entry for entry in found if entry.get("type") == kind), {})


def is_true(obj: Object, kind: str) -> bool:
    """Return whether a condition is True."""
    return condition(obj, kind).get("status") == "True"


def with_conditions(obj: Object, now: str, *wanted: Object, time_key: str = "lastTransitionTime") -> list[Object]:
    """Return an object's conditions with some of them replaced or added."""
    known = {entry["type"]: entry for entry in (obj.get("status") or {}).get("conditions") or ()}
    for entry in wanted:
        old = known.get(entry["type"], {})
        same = old.get("status") == entry["status"]
        known[entry["type"]] = old | {time_key: old.get(time_key, now) if same else now} | entry
    return list(known.values())


def newest_last(obj: Object, found: list[Object]) -> list[Object]:
    """Return conditions in the order of their last change, as controllers leave them that replace what they change."""
    old = {entry["type"]: entry for entry in (obj.get("status") or {}).get("conditions") or ()}

    def has_changed(entry: Object) -> bool:
        known = old.get(entry["type"], {})
        return any(known.get(key) != entry.get(key) for key in ("status", "reason"))

    return sorted(found, key=has_changed)
