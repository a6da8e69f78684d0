"""What an update may change of an object, and whether it changes anything. Called by `writes`."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.api.kinds import Kind, Object

#: Metadata that belongs to the server: an update cannot change it.
_KEPT: Final = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
    "generateName",
)
_STATUS_LIKE: Final = frozenset({"status", "approval"})


def settled_fields(kind: Kind, old: Object, obj: Object) -> frozenset[str]:
    """Return the fields beside the status when they hold the very values that are stored; else none.

    Those have their types and defaults already. A custom resource's definition may have changed since.
    """
    if kind.custom or obj.get("status") is None:
        return frozenset()
    rest = obj.keys() - {"status"}
    if rest != old.keys() - {"status"}:
        return frozenset()
    same = all(_is_the_same(old[key], obj[key]) for key in rest - {"metadata"})
    metadata = obj["metadata"]
    same = same and metadata.keys() == old["metadata"].keys()
    same = same and all(_is_the_same(value, metadata[key]) for key, value in old["metadata"].items())
    return frozenset(rest) if same else frozenset()


def _is_the_same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) is str and one == other)


def with_kept_parts(kind: Kind, old: Object, after: Object, subresource: str) -> Object:
    """Keep what this way of writing cannot change: the status on the main path, all but the status on ``/status``."""
    if subresource in _STATUS_LIKE:
        kept = {key: value for key, value in old.items() if key != "status"}
        metadata = dict(old["metadata"])
        for key in ("labels", "annotations"):
            if key in after["metadata"] and not kind.custom:
                metadata[key] = after["metadata"][key]
        return kept | {"metadata": metadata} | ({"status": after["status"]} if "status" in after else {})
    if subresource in {"ephemeralcontainers", "resize"}:
        return old | {"metadata": dict(old["metadata"]), "spec": _pod_spec_by(subresource, old["spec"], after["spec"])}
    if subresource == "finalize":
        return old | {"metadata": dict(old["metadata"]), "spec": after.get("spec", {})}
    if kind.has_status and subresource != "binding":
        after.pop("status", None)
        if "status" in old:
            after["status"] = old["status"]
    if (kind.group, kind.kind) == ("", "Namespace"):
        after["spec"] = old.get("spec", {})
    return after


def _pod_spec_by(subresource: str, old: Object, after: Object) -> Object:
    """Return a pod's spec with what a subresource of it may change: its debug containers, or what its containers ask for."""
    if subresource == "ephemeralcontainers":
        return old | {"ephemeralContainers": after.get("ephemeralContainers") or []}
    asked = {container["name"]: container.get("resources", {}) for container in after["containers"]}
    resized = [one | {"resources": asked.get(one["name"], one.get("resources", {}))} for one in old["containers"]]
    return old | {"containers": resized}


def with_given_owners(old: Object, after: Object) -> Object:
    """Return the object before with the ``managedFields`` that the writer gives it; ``[{}]`` takes all owners away.

    kubectl does so when it moves from client-side to server-side apply.
    """
    given = after["metadata"].get("managedFields")
    if not given or given == old["metadata"].get("managedFields"):
        return old
    return old | {"metadata": old["metadata"] | {"managedFields": [] if given == [{}] else given}}


def owners_of(obj: Object) -> list[Any]:
    """Return who owns what of an object."""
    return obj["metadata"].get("managedFields") or []


def keep_metadata(old: Object, after: Object) -> None:
    """Take the metadata from the object before that an update cannot change."""
    metadata = after["metadata"]
    for key in (*_KEPT, "name", "namespace", "resourceVersion", "managedFields"):
        if key in old["metadata"]:
            metadata[key] = old["metadata"][key]
        else:
            metadata.pop(key, None)


def is_same(old: Object, after: Object) -> bool:
    """Return whether an update changes nothing that counts."""
    return all(old.get(key) == after.get(key) for key in old.keys() | after.keys() if key != "metadata") and all(
        old["metadata"].get(key) == after["metadata"].get(key)
        for key in old["metadata"].keys() | after["metadata"].keys()
        if key not in {"managedFields", "resourceVersion", "generation"}
    )


def is_noted(kind: Kind, old: Object, after: Object, subresource: str) -> bool:
    """Return whether a Deployment's annotations change: they tell its controller something."""
    if kind.storage != ("apps", "deployments") or subresource:
        return False
    noted = [obj["metadata"].get("annotations") or {} for obj in (old, after)]
    return noted[0] != noted[1]
