"""From what a template makes to the merge patch that behaviours write. Called by `playing`."""

from __future__ import annotations

from typing import Any, Final

import jsonpatch

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.stages.documents import Change
from projects.sim_cluster.behaviours.stages.expressions import Functions
from projects.sim_cluster.behaviours.stages.functions import rendered

#: Lists of pods and nodes that a strategic merge patch merges, by key; all others are replaced.
_MERGED: Final = {
    "conditions": "type", "addresses": "type", "podIPs": "ip", "hostIPs": "ip", "volumesAttached": "name",
    "taints": "key", "tolerations": "key", "containers": "name", "initContainers": "name", "volumes": "name",
    "env": "name", "ownerReferences": "uid",
}  # fmt: skip


def patch_of(change: Change, obj: Object, functions: Functions, stage: str) -> Object:
    """Return the merge patch of a change; empty when it changes nothing."""
    made = rendered(change.template.render(obj, functions), f"a template of stage {stage!r}")
    if change.root and change.type != "json":
        made = {change.root: made}
    if change.type == "json":
        wanted: Any = jsonpatch.apply_patch(obj, _rooted(made or [], change.root))
    elif change.type == "merge":
        wanted = _merged(obj, made or {}, {})
    else:
        wanted = _merged(obj, made or {}, _MERGED)
    return _difference(obj, wanted)


def _rooted(operations: list[Object], root: str) -> list[Object]:
    prefix = f"/{root}" if root else ""
    return [{**each, "path": prefix + each["path"]} for each in operations]


def _merged(old: Any, patch: Any, keys: dict[str, str]) -> Any:
    if not isinstance(patch, dict):
        return patch
    made = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, list) and name in keys:
            made[name] = _merged_list(made.get(name) or [], value, keys[name], keys)
        else:
            made[name] = _merged(made.get(name), value, keys)
    return made


def _merged_list(old: list[Any], patch: list[Any], key: str, keys: dict[str, str]) -> list[Any]:
    made = {each[key]: each for each in old}
    for each in patch:
        made[each[key]] = _merged(made.get(each[key]), each, keys)
    return list(made.values())


def _difference(old: Any, new: Any) -> Object:
    """Return the merge patch that makes one mapping of another."""
    patch: Object = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old:
            patch[name] = value
        elif isinstance(value, dict) and isinstance(old[name], dict):
            if inner := _difference(old[name], value):
                patch[name] = inner
        elif value != old[name]:
            patch[name] = value
    return patch
