"""Of which package an object of OLM is: it labels what it makes. Used by OLM's behaviours, and by faults."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of

_PREFIX: Final = "operators.coreos.com/"
_LONGEST: Final = 63


def package_label(package: str, namespace: str) -> str:
    """Return the label of what OLM makes for a package in a namespace."""
    return f"{_PREFIX}{package}.{namespace}"[:_LONGEST]


def package_name(obj: Object) -> str:
    """Return the name of the package that an InstallPlan or a ClusterServiceVersion belongs to; empty when none is said."""
    end = f".{obj['metadata']['namespace']}"
    labels = (name for name in labels_of(obj) if name.startswith(_PREFIX))
    return next((name.removeprefix(_PREFIX).removesuffix(end) for name in labels), "")
