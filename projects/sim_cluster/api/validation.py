"""What built-in objects must hold, and what an update may not change: the commonest mistakes, in the server's words.

`resources` calls `causes` before every write. The checks are those that people run into; the later record of the
whole schema does not replace them, for Kubernetes writes them by hand too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.custom_rules import rule_causes
from projects.sim_cluster.api.custom_validation import custom_causes, scale_causes
from projects.sim_cluster.api.defaults import pod_path, pod_specs
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value
from projects.sim_cluster.api.immutable import IMMUTABLE
from projects.sim_cluster.api.job_validation import cron_job, ends, job
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import (
    annotation_causes,
    as_whole_name,
    label_causes,
    metadata_causes,
    name_causes,
    shown,
)
from projects.sim_cluster.api.pod_validation import new_pod, pod_spec
from projects.sim_cluster.api.policy_validation import budget
from projects.sim_cluster.api.spec_checks import SPEC_CHECKS
from projects.sim_cluster.api.workload_validation import after_pod, workload

_WORKLOADS: Final = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"})
_POD_MUTABLE: Final = frozenset({"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"})
_NAMED: Final = ("labels", "annotations", "ownerReferences", "finalizers")
_POD_MESSAGE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def causes(kind: Kind, before: Object | None, after: Object) -> list[Cause]:
    """Return everything that is wrong with a write."""
    if before is None and kind.kind == "PodDisruptionBudget" and (wrong := list(budget(after))):
        return wrong  # whose metadata is looked at only after that
    found = _metadata(kind, before, after)
    if kind.custom:
        found += custom_causes(before, after, kind.schema)
        found += scale_causes(after, kind.scale) if kind.scale else ()
        found += rule_causes(kind.schema, before, after, found)
    else:
        found += _builtin(kind, before, after)
    return found


def _metadata(kind: Kind, before: Object | None, after: Object) -> list[Cause]:
    found: list[Cause] = []
    if before is None:
        if prefix := after["metadata"].get("generateName"):
            found += _prefix_causes(kind, prefix)
        found += name_causes(kind, after["metadata"]["name"])
    if before is None or _names_changed(before["metadata"], after["metadata"]):
        told = list(metadata_causes(after, custom=kind.custom))
        found += told if before is None else _told_again(told, kind)
        found += _new_finalizers(before or after, after)
    return found


def _prefix_causes(kind: Kind, prefix: str) -> Iterator[Cause]:
    """Yield what is wrong with the beginning of a name."""
    whole = as_whole_name(prefix)
    for cause in name_causes(kind, whole):
        yield Cause("metadata.generateName", cause.reason, cause.message.replace(shown(whole), shown(prefix), 1))


def _builtin(kind: Kind, before: Object | None, after: Object) -> list[Cause]:
    found: list[Cause] = []
    if before is not None and (fixed := IMMUTABLE.get((kind.group, kind.kind))):
        found += fixed(before, after)
    if (check_spec := SPEC_CHECKS.get((kind.group, kind.kind))) and (before is None or differs(before, after)):
        found += check_spec(after)
    if kind.group not in {"", "apps", "batch"}:
        return found
    if before is None or before.get("spec") != after.get("spec") or before.get("template") != after.get("template"):
        found += _spec_causes(after, kind)
    if before is None and kind.kind == "Pod":
        found += new_pod(after.get("spec") or {}, "spec")
    if before is not None and (check := _UPDATES.get(kind.kind)):
        found += check(before, after)
    return found


def _names_changed(before: Object, after: Object) -> bool:
    """Return whether there is anything in the metadata that has not been looked at when it was written."""
    return any(after.get(field) != before.get(field) for field in _NAMED)


def differs(before: Object, after: Object) -> bool:
    """Return whether anything but metadata and status changes."""
    keys = (before.keys() | after.keys()) - {"metadata", "status", "kind", "apiVersion"}
    return any(before.get(key) != after.get(key) for key in keys)


def _spec_causes(obj: Object, kind: Kind) -> Iterator[Cause]:
    if kind.kind in _WORKLOADS:
        yield from workload(obj, kind)
    elif kind.kind == "Job":
        yield from job(obj)
    elif kind.kind == "CronJob":
        yield from cron_job(obj)
    for path, spec in _pods(obj, kind):
        if kind.kind != "Pod" and kind.kind not in _WORKLOADS:
            yield from _template_metadata(obj, path.removesuffix(".spec"))
        yield from pod_spec(spec, path)
    if kind.kind in _WORKLOADS:
        yield from after_pod(obj, kind)
    elif kind.kind in {"Job", "CronJob"}:
        path = pod_path(kind).removesuffix(".template.spec")
        yield from ends(_at(obj, tuple(path.split("."))) or {}, path)


def _template_metadata(obj: Object, path: str) -> Iterator[Cause]:
    metadata = _at(obj, (*path.split("."), "metadata")) or {}
    yield from label_causes(metadata.get("labels"), f"{path}.labels")
    yield from annotation_causes(metadata.get("annotations"), f"{path}.annotations")


#: How often the real server looks at the metadata of an update, and at its finalizers, where that is not four times and twice:
#: each layer of it checks, and each lists what it finds.
_LOOKED_AT: Final[dict[str, tuple[int, int]]] = {
    **dict.fromkeys((
        "PodTemplate", "Service", "ResourceQuota", "ReplicationController", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet",
        "CronJob", "Lease", "PriorityClass", "CSIDriver",
    ), (3, 1)),
    **dict.fromkeys((
        "LimitRange", "EndpointSlice", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "FlowSchema",
        "PriorityLevelConfiguration",
    ), (3, 2)),
    "Event": (2, 1),
    "PodDisruptionBudget": (2, 1),
    "PersistentVolume": (4, 3),
}  # fmt: skip


def _told_again(told: list[Cause], kind: Kind) -> list[Cause]:
    times, of_finalizers = (1, 1) if kind.custom else _LOOKED_AT.get(kind.kind, (4, 2))
    about = [cause for cause in told if cause.field.startswith("metadata.finalizers")]
    return [cause for cause in told if cause not in about] * times + about * of_finalizers


def _new_finalizers(before: Object, after: Object) -> list[Cause]:
    if not before["metadata"].get("deletionTimestamp"):
        return []
    known = before["metadata"].get("finalizers") or []
    added = [name for name in after["metadata"].get("finalizers") or () if name not in known]
    if not added:
        return []
    listed = ", ".join(f'"{name}"' for name in added)
    message = (
        f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
    )
    return [forbidden_change("metadata.finalizers", message)] * 2  # the strategy and the store each check an update


def _pods(obj: Object, kind: Kind) -> Iterator[tuple[str, Object]]:
    path = pod_path(kind)
    specs = list(pod_specs(obj, kind))
    if not specs and (kind.kind in _WORKLOADS or kind.kind in {"Pod", "Job"}):
        yield path, {}
    for spec in specs:
        yield path, spec


def _immutable(*path: str) -> Callable[[Object, Object], Iterator[Cause]]:
    def check(before: Object, after: Object) -> Iterator[Cause]:
        old, new = _at(before, path), _at(after, path)
        if old != new:
            yield invalid_value(".".join(path), shown(new), "field is immutable")

    return check


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def _stateful_set(before: Object, after: Object) -> Iterator[Cause]:
    mutable = {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds",
               "persistentVolumeClaimRetentionPolicy"}  # fmt: skip
    old, new = ({k: v for k, v in obj["spec"].items() if k not in mutable} for obj in (before, after))
    if old != new:
        yield forbidden_change("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                               "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                               "'minReadySeconds' are forbidden")  # fmt: skip


def _pod(before: Object, after: Object) -> Iterator[Cause]:
    old, new = (_without_mutable(obj["spec"]) for obj in (before, after))
    if old != new:
        yield forbidden_change("spec", _POD_MESSAGE)


def _without_mutable(spec: Object) -> Object:
    kept = {key: value for key, value in spec.items() if key not in _POD_MUTABLE}
    for field in ("containers", "initContainers"):
        if field in kept:
            kept[field] = [container | {"image": ""} for container in kept[field]]
    return kept


def _frozen_data(before: Object, after: Object) -> Iterator[Cause]:
    if before.get("immutable") is True:
        if after.get("immutable") is not True:
            yield forbidden_change("immutable", "field is immutable when `immutable` is set")
        for field in ("data", "binaryData"):
            if before.get(field) != after.get(field):
                yield forbidden_change(field, "field is immutable when `immutable` is set")


_UPDATES: Final[dict[str, Callable[[Object, Object], Iterator[Cause]]]] = {
    "Deployment": _immutable("spec", "selector"),
    "ReplicaSet": _immutable("spec", "selector"),
    "DaemonSet": _immutable("spec", "selector"),
    "StatefulSet": _stateful_set,
    "Job": _immutable("spec", "selector"),
    "Pod": _pod,
    "ConfigMap": _frozen_data,
    "Secret": _frozen_data,
}
