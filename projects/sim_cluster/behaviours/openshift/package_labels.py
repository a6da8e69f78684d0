"""Of which package an object of OLM is: it labels what it makes. Used by OLM's behaviours, and by faults."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object

LABEL: Final = "operators.coreos.com/"


def package_name(obj: Object) -> str:
    """Return the name of the package that an InstallPlan or a ClusterServiceVersion belongs to; empty when none is said."""
    end = f".{obj['metadata']['namespace']}"
    labels = (name for name in obj["metadata"].get("labels") or () if name.startswith(LABEL))
    return next((name.removeprefix(LABEL).removesuffix(end) for name in labels), "")
