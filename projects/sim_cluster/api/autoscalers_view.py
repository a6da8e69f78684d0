"""HorizontalPodAutoscalers as autoscaling/v1 shows them; they are stored as v2. Used by `builtin`.

What v1 has no fields for stands in annotations, as the real API puts it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from projects.sim_cluster.api.kinds import Object

_METRICS: Final = "autoscaling.alpha.kubernetes.io/metrics"
_BEHAVIOR: Final = "autoscaling.alpha.kubernetes.io/behavior"
_CONDITIONS: Final = "autoscaling.alpha.kubernetes.io/conditions"
_CURRENT: Final = "autoscaling.alpha.kubernetes.io/current-metrics"
_SAME: Final = ("scaleTargetRef", "minReplicas", "maxReplicas")
_SAME_STATUS: Final = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")


def _is_cpu(metric: Any, of: str) -> bool:
    source = metric.get("resource") or {}
    return bool(
        metric.get("type") == "Resource" and source.get("name") == "cpu" and "averageUtilization" in source.get(of, {})
    )


def autoscaler_in_v1(stored: Object) -> Object:
    """Return a v2 autoscaler as v1 shows it."""
    old, seen = stored.get("spec") or {}, stored.get("status") or {}
    spec = {key: old[key] for key in _SAME if key in old}
    status = {key: seen[key] for key in _SAME_STATUS if key in seen} | {
        "currentReplicas": seen.get("currentReplicas", 0)
    }
    cpu = next((metric for metric in old.get("metrics") or () if _is_cpu(metric, "target")), None)
    if cpu:
        spec["targetCPUUtilizationPercentage"] = cpu["resource"]["target"]["averageUtilization"]
    now = next((metric for metric in seen.get("currentMetrics") or () if _is_cpu(metric, "current")), None)
    if now:
        status["currentCPUUtilizationPercentage"] = now["resource"]["current"]["averageUtilization"]
    noted = {
        _METRICS: [metric for metric in old.get("metrics") or () if metric is not cpu],
        _CURRENT: [metric for metric in seen.get("currentMetrics") or () if metric is not now],
        _BEHAVIOR: old.get("behavior"),
        _CONDITIONS: seen.get("conditions"),
    }
    added = {key: json.dumps(value, separators=(",", ":")) for key, value in noted.items() if value}
    metadata = dict(stored["metadata"])
    if added:
        metadata["annotations"] = (metadata.get("annotations") or {}) | added
    head = {"kind": stored["kind"], "apiVersion": "autoscaling/v1"}
    return head | {"metadata": metadata, "spec": spec, "status": status}


def autoscaler_in_v2(shown: Object) -> Object:
    """Return a v1 autoscaler as it is stored."""
    old, seen = shown.get("spec") or {}, shown.get("status") or {}
    notes = dict(shown["metadata"].get("annotations") or {})
    noted = {key: _read(notes.pop(key, "")) for key in (_METRICS, _CURRENT, _BEHAVIOR, _CONDITIONS)}
    spec = {key: old[key] for key in _SAME if key in old}
    status = {key: seen[key] for key in _SAME_STATUS if key in seen}
    metrics = list(noted[_METRICS] or ())
    if (wanted := old.get("targetCPUUtilizationPercentage")) is not None:
        target = {"type": "Utilization", "averageUtilization": wanted}
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": target}})
    current = list(noted[_CURRENT] or ())
    if (now := seen.get("currentCPUUtilizationPercentage")) is not None:
        current.insert(0, {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": now}}})
    spec |= {"metrics": metrics} if metrics else {}
    spec |= {"behavior": noted[_BEHAVIOR]} if noted[_BEHAVIOR] else {}
    status |= {"currentMetrics": current or None} | ({"conditions": noted[_CONDITIONS]} if noted[_CONDITIONS] else {})
    metadata = {key: value for key, value in shown["metadata"].items() if key != "annotations"}
    head = {"kind": shown["kind"], "apiVersion": "autoscaling/v2"}
    return head | {"metadata": metadata | ({"annotations": notes} if notes else {}), "spec": spec, "status": status}


def _read(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
