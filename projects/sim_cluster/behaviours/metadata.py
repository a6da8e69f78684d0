"""What objects say of themselves that may be missing altogether: labels and annotations. Used wherever objects are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.sim_cluster.behaviours.interface import Object

Labels = Mapping[str, str]


def labels_of(obj: Object) -> Labels:
    """Return the labels of an object."""
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Object) -> Mapping[str, Any]:
    """Return the annotations of an object."""
    return obj["metadata"].get("annotations") or {}
