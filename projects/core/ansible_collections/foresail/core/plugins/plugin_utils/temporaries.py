"""Objects that a role makes and deletes again: noted as compensations of the run. Called by the actions `apply`, `render` and `delete`.

A play that is killed runs no `always` section; what it has noted, `runs cleanup` deletes.
"""

from __future__ import annotations

import os
from pathlib import Path

from projects.core.cluster.api import Cluster, Target
from projects.core.record import compensations

_GROUP, _COMMAND = "cluster", "delete_object"


def note(target: Target) -> None:
    """Note an object that is about to be made."""
    if root := _root():
        compensations.register(root, os.environ.get("FORESAIL_STEP"), _GROUP, _COMMAND, _arguments(target))


def take_off(cluster: Cluster, target: Target) -> None:
    """Take the note of an object off, which has been deleted."""
    root = _root()
    noted = [
        each for each in (compensations.pending(root) if root else []) if each.arguments.get("name") == target.name
    ]
    if root and noted:  # else its kind may not even be served
        located = _arguments(cluster.located(target))
        for each in noted:
            if (each.group, each.command, each.arguments) == (_GROUP, _COMMAND, located):
                compensations.done(root, each)


def _root() -> Path | None:
    """Return the directory of the run that the play is of."""
    root = os.environ.get("FORESAIL_RECORD")
    return Path(root) if root else None


def _arguments(target: Target) -> dict[str, str | None]:
    return {
        "kind": target.kind,
        "name": target.name,
        "namespace": target.namespace,
        "api_version": target.api_version,
    }
