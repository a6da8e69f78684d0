"""The classes that a new pod names: its priority and its runtime. `admission` calls `admit`.

A real API server does this in admission plugins of its own, before it validates the pod.
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.api.errors import ApiError, forbidden
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.store import Store

_PRIORITIES: Final = ("scheduling.k8s.io", "priorityclasses")
_RUNTIMES: Final = ("node.k8s.io", "runtimeclasses")


def admit(pod: Object, kind: Kind, store: Store) -> None:
    """Give a new pod the priority and the overhead of its classes; refuse one whose classes are not there."""
    spec = pod.get("spec") or {}
    _give_priority(pod, spec, kind, store)
    _give_runtime(pod, spec, kind, store)


def _refused(pod: Object, kind: Kind, why: str) -> ApiError:
    return forbidden(kind, pod["metadata"]["name"], why)


def _give_priority(pod: Object, spec: Object, kind: Kind, store: Store) -> None:
    name = spec.get("priorityClassName", "")
    found = store.get(_PRIORITIES, "", name) if name else None
    if name and found is None:
        raise _refused(pod, kind, f"no PriorityClass with name {name} was found")
    if found is None:
        defaults = [stored for stored in store.list(_PRIORITIES) if stored.object.get("globalDefault")]
        found = min(defaults, key=lambda stored: stored.object.get("value", 0), default=None)
        if found is not None:
            spec["priorityClassName"] = found.object["metadata"]["name"]
    value = found.object.get("value", 0) if found else 0
    policy = found.object.get("preemptionPolicy", "PreemptLowerPriority") if found else "PreemptLowerPriority"
    computed = "must not be provided in pod spec; priority admission controller computed"
    given = "from the given PriorityClass name"
    if spec.get("priority", value) != value:
        raise _refused(pod, kind, f"the integer value of priority ({spec['priority']}) {computed} {value} {given}")
    if spec.get("preemptionPolicy", policy) != policy:
        why = f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) {computed} {policy} {given}"
        raise _refused(pod, kind, why)
    spec["priority"], spec["preemptionPolicy"] = value, policy


def _give_runtime(pod: Object, spec: Object, kind: Kind, store: Store) -> None:
    name = spec.get("runtimeClassName")
    found = store.get(_RUNTIMES, "", name) if name else None
    if name and found is None:
        raise _refused(pod, kind, f'pod rejected: RuntimeClass "{name}" not found')
    overhead = ((found.object if found else {}).get("overhead") or {}).get("podFixed")
    if spec.get("overhead") and spec["overhead"] != overhead:
        known = "Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        none = "Pod Overhead set without corresponding RuntimeClass defined Overhead"
        raise _refused(pod, kind, f"pod rejected: {known if overhead else none}")
    if found is None:
        return
    if overhead:
        spec["overhead"] = dict(overhead)
    scheduling = found.object.get("scheduling") or {}
    if wanted := scheduling.get("nodeSelector"):
        spec["nodeSelector"] = (spec.get("nodeSelector") or {}) | wanted
    if tolerations := scheduling.get("tolerations"):
        spec["tolerations"] = [*(spec.get("tolerations") or ()), *tolerations]
