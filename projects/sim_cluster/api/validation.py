"""What built-in objects must hold, and what an update may not change: the commonest mistakes, in the server's words.

`resources` calls `causes` before every write. The checks are those that people run into; the later record of the
whole schema does not replace them, for Kubernetes writes them by hand too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.custom_validation import custom_causes
from projects.sim_cluster.api.defaults import pod_specs
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value, not_supported, required
from projects.sim_cluster.api.immutable import IMMUTABLE
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import label_causes, metadata_causes, name_causes, shown

_WORKLOADS: Final = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"})
_RESTART: Final = ("Always", "OnFailure", "Never")
_POD_MUTABLE: Final = frozenset({"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"})
_POD_PATHS: Final = {"Pod": "spec", "PodTemplate": "template.spec", "CronJob": "spec.jobTemplate.spec.template.spec"}
_NAMED: Final = ("labels", "annotations", "ownerReferences", "finalizers")
_POD_MESSAGE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def causes(kind: Kind, before: Object | None, after: Object) -> list[Cause]:
    """Return everything that is wrong with a write."""
    found: list[Cause] = []
    if before is None:
        found += name_causes(kind, after["metadata"]["name"])
    if before is None or _names_changed(before["metadata"], after["metadata"]):
        found += [*metadata_causes(after, custom=kind.custom), *_new_finalizers(before or after, after)]
    if kind.custom:
        found += custom_causes(after, kind.schema)
        return found
    if before is not None and (fixed := IMMUTABLE.get((kind.group, kind.kind))):
        found += fixed(before, after)
    if kind.group not in {"", "apps", "batch"}:
        return found
    if kind.kind in _WORKLOADS:
        found += _workload(after, kind)
    elif kind.kind == "Job":
        found += _job(after)
    found += (cause for path, spec in _pods(after, kind) for cause in _pod_spec(spec, path, kind))
    if before is not None and (check := _UPDATES.get(kind.kind)):
        found += check(before, after)
    return found


def _names_changed(before: Object, after: Object) -> bool:
    """Return whether there is anything in the metadata that has not been looked at when it was written."""
    return any(after.get(field) != before.get(field) for field in _NAMED)


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
    path = _POD_PATHS.get(kind.kind, "spec.template.spec")
    specs = list(pod_specs(obj, kind))
    if not specs and (kind.kind in _WORKLOADS or kind.kind in {"Pod", "Job"}):
        yield path, {}
    for spec in specs:
        yield path, spec


def _pod_spec(spec: Object, path: str, kind: Kind) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    for index, container in enumerate(spec.get("containers") or ()):
        yield from _container(container, f"{path}.containers[{index}]", names)
    for index, container in enumerate(spec.get("initContainers") or ()):
        yield from _container(container, f"{path}.initContainers[{index}]", names)
    policy = spec.get("restartPolicy", "Always")
    if policy not in _RESTART:
        yield not_supported(f"{path}.restartPolicy", shown(policy), _RESTART)
    elif kind.kind in _WORKLOADS and policy != "Always":
        yield not_supported(f"{path}.restartPolicy", shown(policy), ["Always"])


def _container(container: Object, path: str, names: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    elif name in names:
        yield Cause(f"{path}.name", "FieldValueDuplicate", f"Duplicate value: {shown(name)}")
    names.add(name)
    if not container.get("image"):
        yield required(f"{path}.image")


def _workload(obj: Object, kind: Kind) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    labels = (spec.get("template") or {}).get("metadata", {}).get("labels")
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    expressions = (spec.get("selector") or {}).get("matchExpressions")
    if not spec.get("selector"):
        yield required("spec.selector")
    elif not wanted and not expressions:
        yield invalid_value(
            "spec.selector", shown(spec["selector"]), f"empty selector is invalid for {kind.kind.lower()}"
        )
    replicas = spec.get("replicas", 1)
    if replicas < 0:
        yield invalid_value("spec.replicas", str(replicas), "must be greater than or equal to 0")
    if not spec.get("selector") or any((labels or {}).get(key) != value for key, value in wanted.items()):
        yield invalid_value(
            "spec.template.metadata.labels", shown(labels), "`selector` does not match template `labels`"
        )
    yield from label_causes(labels, "spec.template.labels")


def _job(obj: Object) -> Iterator[Cause]:
    policy = (obj.get("spec", {}).get("template") or {}).get("spec", {}).get("restartPolicy")
    if policy not in {"OnFailure", "Never"}:
        yield Cause("spec.template.spec.restartPolicy", "FieldValueRequired",
                    'Required value: valid values: "OnFailure", "Never"')  # fmt: skip


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
