"""Selectors as specs hold them, matched against labels. Used by placement, affinity, endpoint slices and claims."""

from __future__ import annotations

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import Labels


def meets(expression: Object, value: str | None) -> bool:
    """Return whether a label's value (None when there is none) meets one expression."""
    values = expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" if value is not None and value.isdigit():
            return int(value) > int(values[0]) if expression["operator"] == "Gt" else int(value) < int(values[0])
    return False


def selects(selector: Object | None, labels: Labels) -> bool:
    """Return whether a ``LabelSelector`` selects; an empty one selects all, one that is not there nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(meets(entry, labels.get(entry["key"])) for entry in selector.get("matchExpressions") or ())
