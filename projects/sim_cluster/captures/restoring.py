"""Puts a state into a fresh API, as it was: versions, uids and times too. Called by `cluster`.

Nothing is admitted, attributed or counted anew, since all of that was done when the objects were written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from projects.sim_cluster.api.admission import counts_generation
from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.crds import STORAGE
from projects.sim_cluster.api.kinds import Kind
from projects.sim_cluster.captures.state import State, version_of
from projects.sim_cluster.captures.substitutes import additions
from projects.sim_cluster.seeding import kind_of, seed

Object = dict[str, Any]
_LATELY_COUNTED: Final = (("", "pods"),)  # clusters of some years ago have no generation there


def restore(api: Api, state: State, shape: Iterable[Object], now: str) -> None:
    """Make an API hold a state, and of the platform's shape what it lacks; `now` is the time of what has none."""
    api.garbage.presume(state.owners)
    definition = api.registry.find(STORAGE[0], "v1", STORAGE[1])
    assert definition is not None
    _put(api, [(definition, obj) for obj in state.definitions], now)
    _put(api, [(kind_of(api, obj), obj) for obj in state.objects], now)
    api.store.forget()
    if not state.complete:
        seed(api, additions(api, state, shape))


def _put(api: Api, objects: Iterable[tuple[Kind, Object]], now: str) -> None:
    for kind, obj in sorted(
        objects, key=lambda each: version_of(each[1]) or math.inf
    ):  # those without one are the newest
        metadata = {"creationTimestamp": now} | obj["metadata"]
        if counts_generation(kind) and kind.storage not in _LATELY_COUNTED:
            metadata.setdefault("generation", 1)
        api.store.restore(kind.storage, obj | {"metadata": metadata}, version_of(obj))
