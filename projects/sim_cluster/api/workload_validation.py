"""What Deployments, ReplicaSets, StatefulSets and DaemonSets must hold beside their pods. Called by `validation`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.checks import Causes, label_selector, not_negative, number_or_share, within_all
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import annotation_causes, label_causes, shown
from projects.sim_cluster.api.pod_validation import RESTART
from projects.sim_cluster.api.selectors import selects

_COUNTS: Final = ("replicas", "minReadySeconds", "revisionHistoryLimit")
#: What the messages of two kinds call their own: their code was another kind's once.
_CALLED: Final = {
    "ReplicaSet": "deployment",
    "Deployment": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
}


def workload(obj: Object, kind: Kind) -> Causes:
    """Check the spec of a workload."""
    spec = obj.get("spec") or {}
    yield from _selection(spec, kind)
    template = spec.get("template") or {}
    metadata = template.get("metadata") or {}
    yield from label_causes(metadata.get("labels"), "spec.template.labels")
    yield from annotation_causes(metadata.get("annotations"), "spec.template.annotations")
    for field in _COUNTS:
        yield from not_negative(spec.get(field), f"spec.{field}")
    yield from _STRATEGIES[kind.kind](spec)


def after_pod(obj: Object, kind: Kind) -> Causes:
    """Check what a workload's pods may not have, which other pods may."""
    spec = ((obj.get("spec") or {}).get("template") or {}).get("spec") or {}
    policy = spec.get("restartPolicy", "Always")
    if policy != "Always" and policy in RESTART:
        yield not_supported("spec.template.spec.restartPolicy", shown(policy), ["Always"])
    if spec.get("activeDeadlineSeconds") is not None:
        called = "ReplicaSet" if kind.kind == "Deployment" else kind.kind
        message = f"activeDeadlineSeconds in {called} is not Supported"
        yield forbidden_change("spec.template.spec.activeDeadlineSeconds", message)


def _selection(spec: Object, kind: Kind) -> Causes:
    selector = spec.get("selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    mismatch = invalid_value(
        "spec.template.metadata.labels", shown(labels), "`selector` does not match template `labels`"
    )
    if selector is None:
        if kind.kind != "DaemonSet":
            yield required("spec.selector")
        yield mismatch
        return
    wrong = list(label_selector(selector, "spec.selector"))
    yield from wrong
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid_value("spec.selector", shown(selector), f"empty selector is invalid for {_CALLED[kind.kind]}")
    elif wrong:
        if kind.kind == "StatefulSet":
            yield Cause("spec.selector", "FieldValueInvalid", f"Invalid value: {shown(selector)}")
        elif kind.kind != "DaemonSet":
            yield invalid_value("spec.selector", shown(selector), "invalid label selector")
    elif not selects(selector, labels or {}):
        yield mismatch


def _is_zero(value: Any) -> bool:
    return value in {0, "0%"}


def _deployment(spec: Object) -> Causes:
    strategy = spec.get("strategy") or {}
    rolling, kind = strategy.get("rollingUpdate"), strategy.get("type", "RollingUpdate")
    if kind == "Recreate" and rolling is not None:
        yield forbidden_change("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif kind == "RollingUpdate" and rolling is not None:
        yield from _rolling(rolling, "spec.strategy.rollingUpdate")
    elif kind != "Recreate":
        said = {"Type": kind, "RollingUpdate": None}
        yield not_supported("spec.strategy", shown(said), ("Recreate", "RollingUpdate"))
    deadline = spec.get("progressDeadlineSeconds")
    yield from not_negative(deadline, "spec.progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        yield invalid_value("spec.progressDeadlineSeconds", shown(deadline), "must be greater than minReadySeconds")


def _rolling(rolling: Object, path: str) -> Causes:
    surge, missing = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    yield from number_or_share(missing, f"{path}.maxUnavailable")
    yield from number_or_share(surge, f"{path}.maxSurge")
    if _is_zero(surge) and _is_zero(missing):
        yield invalid_value(f"{path}.maxUnavailable", shown(missing), "may not be 0 when `maxSurge` is 0")
    yield from within_all(missing, f"{path}.maxUnavailable")


def _stateful_set(spec: Object) -> Causes:
    policy = spec.get("podManagementPolicy", "OrderedReady")
    if policy not in {"OrderedReady", "Parallel"}:
        yield invalid_value("spec.podManagementPolicy", shown(policy), "must be 'OrderedReady' or 'Parallel'")
    strategy = spec.get("updateStrategy") or {}
    rolling, kind = strategy.get("rollingUpdate"), strategy.get("type", "RollingUpdate")
    said = rolling and {"Partition": rolling.get("partition", 0), "MaxUnavailable": rolling.get("maxUnavailable")}
    path = "spec.updateStrategy.rollingUpdate"
    if kind == "OnDelete" and rolling is not None:
        yield invalid_value(path, shown(said), "only allowed for updateStrategy 'RollingUpdate'")
    elif kind == "RollingUpdate" and rolling is not None:
        yield from not_negative(rolling.get("partition"), f"{path}.partition")
    elif kind != "OnDelete":
        message = "must be 'RollingUpdate' or 'OnDelete'"
        yield invalid_value("spec.updateStrategy", shown({"Type": kind, "RollingUpdate": said}), message)
    for field, kept in (spec.get("persistentVolumeClaimRetentionPolicy") or {}).items():
        if kept not in {"Retain", "Delete"}:
            at = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
            yield not_supported(at, shown(kept), ("Retain", "Delete"))
    yield from not_negative((spec.get("ordinals") or {}).get("start"), "spec.ordinals.start")


def _daemon_set(spec: Object) -> Causes:
    strategy = spec.get("updateStrategy") or {}
    rolling, kind = strategy.get("rollingUpdate") or {}, strategy.get("type", "RollingUpdate")
    path = "spec.updateStrategy.rollingUpdate"
    if kind not in {"RollingUpdate", "OnDelete"}:
        said = {"Type": kind, "RollingUpdate": None}
        yield not_supported("spec.updateStrategy", shown(said), ("RollingUpdate", "OnDelete"))
    elif kind == "RollingUpdate":
        missing, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
        yield from number_or_share(missing, f"{path}.maxUnavailable")
        yield from number_or_share(surge, f"{path}.maxSurge")
        yield from within_all(missing, f"{path}.maxUnavailable")
        if _is_zero(missing) and _is_zero(surge):
            yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
        elif not _is_zero(missing) and not _is_zero(surge):
            yield invalid_value(f"{path}.maxSurge", shown(surge), "may not be set when maxUnavailable is non-zero")


def _nothing_more(_spec: Object) -> Causes:
    return iter(())


_STRATEGIES: Final = {
    "Deployment": _deployment, "ReplicaSet": _nothing_more, "StatefulSet": _stateful_set, "DaemonSet": _daemon_set,
}  # fmt: skip
