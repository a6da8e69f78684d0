"""Aggregations over the series of a vector. Called by `evaluation`."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean, pstdev, pvariance
from typing import Final

from projects.sim_cluster.monitoring.expressions import Aggregation, Labels, NotSupportedError, PromqlError
from projects.sim_cluster.monitoring.values import Value, Vector, chosen, key_of

_REDUCE: Final[dict[str, Callable[[list[float]], float]]] = {
    "sum": sum, "avg": fmean, "min": min, "max": max, "count": lambda values: float(len(values)), "group": lambda _: 1.0, "stddev": pstdev,
    "stdvar": pvariance,
}  # fmt: skip


def aggregate(wanted: Aggregation, vector: Vector, parameter: Value | None) -> Vector:
    """Return a vector put together by groups."""
    groups: dict[tuple[tuple[str, str], ...], Vector] = {}
    for labels, value in vector:
        groups.setdefault(key_of(chosen(labels, wanted.labels, without=wanted.without)), []).append((labels, value))
    if wanted.operation in {"topk", "bottomk"}:
        return [sample for group in groups.values() for sample in _extremes(wanted.operation, group, parameter)]
    if wanted.operation == "quantile":
        return [(dict(key), _quantile([value for _, value in group], parameter)) for key, group in groups.items()]
    if wanted.operation not in _REDUCE:
        raise NotSupportedError(f"the aggregation {wanted.operation}")
    return [
        (dict(key), float(_REDUCE[wanted.operation]([value for _, value in group]))) for key, group in groups.items()
    ]


def _extremes(operation: str, group: list[tuple[Labels, float]], parameter: Value | None) -> Vector:
    if not isinstance(parameter, int | float):
        raise PromqlError(f'expected type scalar in aggregation parameter of "{operation}"')
    return sorted(group, key=lambda sample: sample[1], reverse=operation == "topk")[: max(0, int(parameter))]


def _quantile(values: list[float], parameter: Value | None) -> float:
    if not isinstance(parameter, int | float):
        raise PromqlError('expected type scalar in aggregation parameter of "quantile"')
    if not 0 <= parameter <= 1:
        return float("-inf") if parameter < 0 else float("inf")
    ordered = sorted(values)
    rank = parameter * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)
