"""Namespaces: what each one starts with, and how it is emptied before it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.conditions import with_conditions
from projects.sim_cluster.behaviours.interface import Object, RefusedError, Resource
from projects.sim_cluster.behaviours.resources import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World

Discover = Callable[[], Iterable[Resource]]
OPENSHIFT_ACCOUNTS: Final = ("builder", "deployer")
"""The service accounts that a namespace of OpenShift has besides Kubernetes' own."""
ROOT_CA: Final = "kube-root-ca.crt"
"""The ConfigMap that every namespace holds."""
_AGAIN: Final = 2.0
_CA_NOTE: Final = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal "
    "service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)
_CONTENT: Final = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


def namespace_content(accounts: Iterable[str], authority: str) -> Behaviour:
    """Return the behaviour that gives every namespace its service accounts and the cluster's CA."""
    names = tuple(accounts)

    async def fill(world: World, namespace: Object) -> None:
        if namespace["metadata"].get("deletionTimestamp"):
            return
        space = namespace["metadata"]["name"]
        for name in names:
            await world.ensure(
                SERVICE_ACCOUNTS,
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": space}},
            )
        metadata = {
            "name": ROOT_CA,
            "namespace": space,
            "annotations": {"kubernetes.io/description": _CA_NOTE},
        }
        await world.ensure(
            CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": authority}}
        )

    def of_namespace(_world: World, obj: Object) -> Iterable[Key]:
        """Wake the namespace of what every one has, so that what is deleted comes back."""
        return [("", obj["metadata"]["namespace"])] if obj["metadata"]["name"] in {*names, ROOT_CA} else []

    woken = (Wake(SERVICE_ACCOUNTS, of_namespace), Wake(CONFIG_MAPS, of_namespace))
    return Behaviour("namespace content", NAMESPACES, fill, woken_by=woken)


def namespace_draining(discover: Discover) -> Behaviour:
    """Return the behaviour that empties namespaces; `discover` says which namespaced resources there are."""

    async def drain(world: World, namespace: Object) -> float | None:
        if not namespace["metadata"].get("deletionTimestamp"):
            return None
        name = namespace["metadata"]["name"]
        left: dict[Resource, list[Object]] = {}
        for resource in discover():
            if remaining := await _empty(world, resource, name):
                left[resource] = remaining
        if left:
            await _say_what_is_left(world, namespace, left)
            return _AGAIN
        finalizers = [entry for entry in (namespace.get("spec") or {}).get("finalizers") or () if entry != "kubernetes"]
        await world.patch(NAMESPACES, namespace, {"spec": {"finalizers": finalizers}}, "finalize")
        return None

    return Behaviour("namespace draining", NAMESPACES, drain)


async def _empty(world: World, resource: Resource, namespace: str) -> list[Object]:
    """Delete what a namespace holds of a resource; return what is still there."""
    try:
        for obj in await world.cluster.list(resource, namespace):
            if not obj["metadata"].get("deletionTimestamp"):
                await world.delete(resource, obj)
        return await world.cluster.list(resource, namespace)
    except RefusedError as refused:
        if refused.reason in {"NotFound", "MethodNotAllowed"}:  # the kind went away meanwhile, or cannot be deleted
            return []
        raise


async def _say_what_is_left(world: World, namespace: Object, left: dict[Resource, list[Object]]) -> None:
    named = ", ".join(
        f"{_qualified(resource)} has {len(objects)} resource instances" for resource, objects in sorted(left.items())
    )
    held: dict[str, int] = {}
    for obj in (obj for objects in left.values() for obj in objects):
        for finalizer in obj["metadata"].get("finalizers") or ():
            held[finalizer] = held.get(finalizer, 0) + 1
    finalizers = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(held.items()))
    wanted = [
        {"type": kind, "status": "False", "reason": reason, "message": message} for kind, reason, message in _CONTENT
    ]
    wanted.append({"type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain",
                   "message": f"Some resources are remaining: {named}"})  # fmt: skip
    wanted.append({"type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain",
                   "message": f"Some content in the namespace has finalizers remaining: {finalizers}"} if held else
                  {"type": "NamespaceFinalizersRemaining", "status": "False", "reason": "ContentHasNoFinalizers",
                   "message": "All content-preserving finalizers finished"})  # fmt: skip
    await world.set_status(NAMESPACES, namespace, {"conditions": with_conditions(namespace, world.timestamp, *wanted)})


def _qualified(resource: Resource) -> str:
    return f"{resource.name}.{resource.group}" if resource.group else f"{resource.name}."
