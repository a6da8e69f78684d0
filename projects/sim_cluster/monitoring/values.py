"""What expressions are computed to, and the labels that tell series apart."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.monitoring.expressions import Labels

Vector = list[tuple[Labels, float]]
Value = float | str | Vector
Key = tuple[tuple[str, str], ...]
NAME: Final = "__name__"


def without_name(labels: Labels) -> Labels:
    """Return labels without the name of the metric: what is computed is no longer it."""
    return {key: value for key, value in labels.items() if key != NAME}


def key_of(labels: Labels) -> Key:
    """Return labels as a key."""
    return tuple(sorted(labels.items()))


def chosen(labels: Labels, names: tuple[str, ...], *, without: bool) -> Labels:
    """Return some labels, or all but some; the name is never among the latter."""
    if without:
        return {key: value for key, value in labels.items() if key not in names and key != NAME}
    return {key: labels[key] for key in names if key in labels}
