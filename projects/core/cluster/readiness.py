"""Whether an object is ready, by its kind, and how it stands in words. Called by `conditions` and `waiting`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Object = dict[str, Any]

_QUIET = ("metadata", "spec")


def is_ready(thing: Object) -> bool:
    """Return whether an object has become what it is meant to be.

    Workloads are ready when the controller has seen their last change and all replicas are available; Jobs when they
    are complete; what has a phase when that is its good one; everything else when its condition Ready or Available
    is True, and at once when it has no status at all.
    """
    judge = _JUDGES.get(str(thing.get("kind")))
    if judge is not None:
        return judge(thing)
    if (ready := condition(thing, "Ready") or condition(thing, "Available")) is not None:
        return bool(ready.get("status") == "True")
    return not thing.get("status")


def has_failed(thing: Object) -> str | None:
    """Return why an object will never be ready, or None while it still may."""
    status = thing.get("status") or {}
    kind = thing.get("kind")
    if kind == "Job" and (failed := condition(thing, "Failed")) and failed.get("status") == "True":
        return _words(failed)
    if kind in ("Pod", "ClusterServiceVersion", "InstallPlan", "Machine") and status.get("phase") == "Failed":
        return standing(thing)
    return None


def condition(thing: Object, kind: str) -> Object | None:
    """Return the condition of a type, or None."""
    return next((each for each in conditions(thing) if each.get("type") == kind), None)


def conditions(thing: Object) -> list[Object]:
    """Return the conditions of an object; none when it holds something else under that name, as a CSV does."""
    found = (thing.get("status") or {}).get("conditions")
    return [each for each in found if isinstance(each, dict) and "type" in each] if isinstance(found, list) else []


def standing(thing: Object) -> str:
    """Return how an object stands, on one line: phase, replicas, what its unfulfilled conditions and containers say."""
    status = thing.get("status") or {}
    parts: list[str] = []
    if phase := status.get("phase"):
        parts.append(f"phase {phase}")
    if thing.get("metadata", {}).get("deletionTimestamp"):
        finalizers = ", ".join(thing["metadata"].get("finalizers") or [])
        parts.append("being deleted" + (f", held by {finalizers}" if finalizers else ""))
    parts += _replicas(thing)
    parts += [_words(each) for each in (*conditions(thing), *_of_provider(status)) if _is_bad(each)]
    parts += _containers(status)
    said = [str(status[key]) for key in ("reason", "errorMessage", "message") if status.get(key)]
    parts += [text for text in said if not any(text in part for part in parts)]
    return "; ".join(parts) or ("no status yet" if not status else "not ready")


def _of_provider(status: Object) -> list[Object]:
    """Return the conditions in which the cloud of a Machine says why it gives none."""
    found = (status.get("providerStatus") or {}).get("conditions")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _is_bad(each: Object) -> bool:
    kind, status = str(each.get("type")), each.get("status")
    bad_when_true = kind.endswith(
        (
            "Pressure",
            "Failed",
            "Failure",
            "Degraded",
            "Unavailable",
            "Unhealthy",
            "Remaining",
        )
    )
    return bool(status == ("True" if bad_when_true else "False"))


def _words(each: Object) -> str:
    said = ": ".join(str(each[key]) for key in ("reason", "message") if each.get(key))
    return f"{each.get('type')}={each.get('status')}" + (f" ({said})" if said else "")


def _replicas(thing: Object) -> list[str]:
    status = thing.get("status") or {}
    if thing.get("kind") == "DaemonSet":
        return [f"{status.get('numberReady') or 0} of {status.get('desiredNumberScheduled') or 0} pods ready"]
    if thing.get("kind") in ("Deployment", "StatefulSet", "ReplicaSet", "MachineSet"):
        wanted = (thing.get("spec") or {}).get("replicas", 1)
        return [f"{status.get('readyReplicas') or 0} of {wanted} replicas ready"]
    return []


def _containers(status: Object) -> list[str]:
    found: list[str] = []
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = each.get("state") or {}
        stuck = state.get("waiting") or (state.get("terminated") if not each.get("ready") else None) or {}
        said = ": ".join(str(stuck[key]) for key in ("reason", "message") if stuck.get(key))
        if said and stuck.get("reason") != "Completed":
            found.append(f"container {each.get('name')}: {said}")
    return found


def _seen(thing: Object) -> bool:
    generation = thing.get("metadata", {}).get("generation")
    observed = (thing.get("status") or {}).get("observedGeneration") or 0
    return bool(observed >= (generation or 0))


def _replicated(thing: Object) -> bool:
    wanted = (thing.get("spec") or {}).get("replicas", 1)
    status = thing.get("status") or {}
    updated = status.get("updatedReplicas", 0 if thing["kind"] == "Deployment" else wanted) or 0
    counts = (status.get("replicas") or 0, status.get("readyReplicas") or 0, status.get("availableReplicas") or 0)
    return _seen(thing) and updated == wanted and counts == (wanted, wanted, wanted)


def _stateful(thing: Object) -> bool:
    wanted = (thing.get("spec") or {}).get("replicas", 1)
    status = thing.get("status") or {}
    return _seen(thing) and (status.get("replicas") or 0) == (status.get("readyReplicas") or 0) == wanted


def _daemons(thing: Object) -> bool:
    status = thing.get("status") or {}
    wanted = status.get("desiredNumberScheduled") or 0
    counts = [status.get(key) or 0 for key in ("currentNumberScheduled", "numberReady", "updatedNumberScheduled")]
    return "observedGeneration" in status and _seen(thing) and counts == [wanted] * len(counts)


def _phase(*good: str) -> Callable[[Object], bool]:
    return lambda thing: (thing.get("status") or {}).get("phase") in good


def _pod(thing: Object) -> bool:
    if (thing.get("status") or {}).get("phase") == "Succeeded":
        return True
    ready = condition(thing, "Ready")
    return ready is not None and ready.get("status") == "True" and not thing["metadata"].get("deletionTimestamp")


def _service(thing: Object) -> bool:
    balanced = (thing.get("spec") or {}).get("type") == "LoadBalancer"
    return not balanced or bool(((thing.get("status") or {}).get("loadBalancer") or {}).get("ingress"))


def _has_condition(kind: str) -> Callable[[Object], bool]:
    return lambda thing: (condition(thing, kind) or {}).get("status") == "True"


_JUDGES: dict[str, Callable[[Object], bool]] = {
    "Deployment": _replicated,
    "ReplicaSet": _replicated,
    "MachineSet": _replicated,
    "StatefulSet": _stateful,
    "DaemonSet": _daemons,
    "Pod": _pod,
    "Node": _has_condition("Ready"),
    "Service": _service,
    "Job": _has_condition("Complete"),
    "CustomResourceDefinition": _has_condition("Established"),
    "APIService": _has_condition("Available"),
    "Namespace": _phase("Active"),
    "PersistentVolumeClaim": _phase("Bound"),
    "Machine": _phase("Running"),
    "ClusterServiceVersion": _phase("Succeeded"),
    "InstallPlan": _phase("Complete"),
}
