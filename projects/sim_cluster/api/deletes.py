"""Deleting: at once, after a grace period, or held by finalizers. `resources` calls `Deleter.delete`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from projects.sim_cluster.api.admission_requests import AdmissionRequest, Check
from projects.sim_cluster.api.errors import precondition_failed
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.requests import DeleteOptions, Outcome
from projects.sim_cluster.api.store import Store, Stored
from projects.sim_cluster.api.timestamps import timestamp
from projects.sim_cluster.api.write_warnings import telling
from projects.sim_cluster.api.writes import is_finished

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"
CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"
_DEFINITIONS: Final = ("apiextensions.k8s.io", "customresourcedefinitions")
_SHOWN: Final = frozenset({"Pod", "Namespace", "Service", "ServiceAccount", "PersistentVolume", "PersistentVolumeClaim",
                           "PodTemplate", "ResourceQuota"})  # fmt: skip


class Deleter:
    """Deletes objects by the API's rules."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self.store, self.now = store, now
        self.checks: list[Check] = []

    def delete(self, kind: Kind, stored: Stored, options: DeleteOptions) -> Outcome:
        """Delete one object, or mark it when something holds it."""
        obj = stored.object
        self.check_preconditions(kind, stored, options)
        warnings = self.check(kind, kind.served(obj), options)
        finalizers = _finalizers(obj, _propagation(kind, options))
        grace = grace_of(kind, obj, options)
        if options.dry_run:
            return _answer(kind, obj, warnings, gone=True)
        if kind.storage == _DEFINITIONS and "deletionTimestamp" not in obj["metadata"]:
            terminating = self.store.put(kind.storage, self._terminating(obj, finalizers))
            return _answer(kind, terminating.object, warnings, gone=False)
        marked = self._marked(kind, obj, finalizers, grace)
        if is_finished(kind, marked):
            last = self.store.remove(kind.storage, marked)
            return _answer(kind, last.object, warnings, gone=True)
        if _same_mark(obj, marked):
            return _answer(kind, obj, warnings, gone=False)
        return _answer(kind, self.store.put(kind.storage, marked).object, warnings, gone=False)

    def check(self, kind: Kind, obj: Object, options: DeleteOptions) -> list[str]:
        """Ask all checks of a delete that somebody asks for; return what they warn of."""
        if options.by is None:
            return []
        asked = AdmissionRequest("DELETE", kind, obj, obj, "", options.by, options.dry_run)
        with telling() as warnings:
            for check in self.checks:
                warnings.extend(check(asked) or ())
            return warnings

    def check_preconditions(self, kind: Kind, stored: Stored, options: DeleteOptions) -> None:
        """Refuse to delete another object than the one that is meant."""
        metadata = stored.object["metadata"]
        if options.uid and options.uid != metadata["uid"]:
            raise precondition_failed(kind, metadata["name"], "UID", options.uid, metadata["uid"])
        if options.version and options.version != str(stored.version):
            raise precondition_failed(kind, metadata["name"], "ResourceVersion", options.version, str(stored.version))

    def _marked(self, kind: Kind, obj: Object, finalizers: list[str], grace: int) -> Object:
        metadata = {key: value for key, value in obj["metadata"].items() if key != "finalizers"}
        if finalizers:
            metadata["finalizers"] = finalizers
        known = metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" not in metadata or (known is not None and grace < known):
            metadata["deletionTimestamp"] = timestamp(self.now() + grace)
            if kind.storage == ("", "pods") or finalizers:
                metadata["deletionGracePeriodSeconds"] = grace
            if "generation" in metadata and known is None:
                metadata["generation"] += 1
        marked = obj | {"metadata": metadata}
        if kind.storage == ("", "namespaces"):
            marked["status"] = dict(obj.get("status") or {}) | {"phase": "Terminating"}
        return marked

    def _terminating(self, definition: Object, finalizers: list[str]) -> Object:
        """Return a definition that is to go when the objects of its kind have gone; `definition_cleanup` sees to that."""
        now = timestamp(self.now())
        status = definition.get("status") or {}
        said = {"type": "Terminating", "status": "True", "lastTransitionTime": now, "reason": "InstanceDeletionPending",
                "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"}  # fmt: skip
        conditions = [each for each in status.get("conditions") or () if each["type"] != "Terminating"]
        metadata = definition["metadata"] | {"deletionTimestamp": now, "finalizers": [*finalizers, CLEANUP]}
        return definition | {"metadata": metadata, "status": status | {"conditions": [*conditions, said]}}


def _propagation(kind: Kind, options: DeleteOptions) -> str:
    if options.propagation:
        return options.propagation
    return "Orphan" if kind.storage == ("batch", "jobs") else ""


def _finalizers(obj: Object, propagation: str) -> list[str]:
    found = list(obj["metadata"].get("finalizers") or ())
    if propagation in {"Foreground", "Orphan", "Background"}:
        found = [name for name in found if name not in {FOREGROUND, ORPHAN}]
    if propagation == "Foreground":
        found.append(FOREGROUND)
    elif propagation == "Orphan":
        found.append(ORPHAN)
    return found


def grace_of(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    """Return how many seconds the object has left: only a pod that runs on a node has any."""
    if kind.storage != ("", "pods"):
        return 0
    spec, phase = obj.get("spec") or {}, (obj.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in {"Succeeded", "Failed"}:
        return 0
    wanted = options.grace_seconds
    return int(spec.get("terminationGracePeriodSeconds", 30)) if wanted is None else max(0, wanted)


def _same_mark(before: Object, after: Object) -> bool:
    keys = ("deletionTimestamp", "finalizers", "deletionGracePeriodSeconds")
    return all(before["metadata"].get(key) == after["metadata"].get(key) for key in keys)


def _answer(kind: Kind, obj: Object, warnings: list[str], *, gone: bool) -> Outcome:
    if not gone or kind.kind in _SHOWN:
        return Outcome(kind.served(obj), warnings=warnings)
    details: dict[str, Any] = {"name": obj["metadata"]["name"]} | ({"group": kind.group} if kind.group else {})
    details |= {"kind": kind.resource, "uid": obj["metadata"]["uid"]}
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return Outcome(status, warnings=warnings)
