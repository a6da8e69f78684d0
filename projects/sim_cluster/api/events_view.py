"""The two faces of Events: ``v1`` (stored) and ``events.k8s.io/v1``. Named by `builtin` as conversions of the latter."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.api.kinds import Object

_NAMES: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_BACK: Final = {new: old for old, new in _NAMES.items()}


def events_in_group(stored: Object) -> Object:
    """Return a stored Event as ``events.k8s.io/v1`` shows it."""
    renamed = {_NAMES.get(key, key): value for key, value in stored.items()}
    return renamed | {"apiVersion": "events.k8s.io/v1", "kind": "Event"}


def events_in_core(shown: Object) -> Object:
    """Return an ``events.k8s.io/v1`` Event as it is stored."""
    renamed = {_BACK.get(key, key): value for key, value in shown.items()}
    return renamed | {"apiVersion": "v1", "kind": "Event"}
