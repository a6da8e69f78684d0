"""Projects on an API where they are kept as custom resources: each namespace has its Project, and each Project its namespace.

OpenShift's own API server shows namespaces as Projects; the simulated API does the same, and then nothing here acts. Where
the kind is a CustomResourceDefinition instead, Projects mirror namespaces: they are owned by theirs, so that they go with
it, and hold a finalizer, so that a Project that is deleted takes its namespace along.
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.interface import Object, Resource
from projects.sim_cluster.behaviours.metadata import annotations_of
from projects.sim_cluster.behaviours.resources import CUSTOM_RESOURCES, NAMESPACES, ROLE_BINDINGS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every

PROJECTS: Final = Resource("project.openshift.io", "v1", "projects")
REQUESTS: Final = Resource("project.openshift.io", "v1", "projectrequests")
FINALIZER: Final = "rehearsal.foresail.io/namespace"
_MIRRORED: Final = ("labels", "annotations")


def _are_custom(world: World) -> bool:
    return world.cache(CUSTOM_RESOURCES).get("", f"{PROJECTS.name}.{PROJECTS.group}") is not None


async def show(world: World, namespace: Object) -> None:
    """Keep the Project of a namespace."""
    if not _are_custom(world):
        return
    metadata = namespace["metadata"]
    status = {"phase": (namespace.get("status") or {}).get("phase", "Active")}
    found = world.cache(PROJECTS).get("", metadata["name"])
    if found is None:
        if metadata.get("deletionTimestamp"):
            return
        await world.ensure(PROJECTS, _project(namespace) | {"status": status})
        return
    wanted = _metadata(namespace)
    changed = {
        key: _change(found["metadata"].get(key), value)
        for key, value in wanted.items()
        if found["metadata"].get(key) != value
    }
    patch: Object = {"metadata": changed} if changed else {}
    if found.get("status") != status:
        patch["status"] = status
    if patch:
        await world.patch(PROJECTS, found, patch)


def _metadata(namespace: Object) -> Object:
    metadata = namespace["metadata"]
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": metadata["name"], "uid": metadata["uid"]}
    return {key: metadata[key] for key in _MIRRORED if metadata.get(key)} | {
        "ownerReferences": [owner],
        "finalizers": [FINALIZER],
    }


def _change(old: object, new: object) -> object:
    """Return what makes one value of another by a merge."""
    return {**dict.fromkeys(old), **new} if isinstance(old, dict) and isinstance(new, dict) else new


def _project(namespace: Object) -> Object:
    metadata = _metadata(namespace) | {"name": namespace["metadata"]["name"]}
    return {
        "apiVersion": "project.openshift.io/v1",
        "kind": "Project",
        "metadata": metadata,
        "spec": {"finalizers": ["kubernetes"]},
    }


async def stand_for(world: World, project: Object) -> None:
    """Give a Project that was made as such its namespace, and take the namespace of one that is deleted along."""
    if not _are_custom(world):
        return
    metadata = project["metadata"]
    namespace = world.cache(NAMESPACES).get("", metadata["name"])
    if not metadata.get("deletionTimestamp"):
        if namespace is None and not metadata.get("ownerReferences"):
            await world.ensure(NAMESPACES, _namespace(metadata["name"], metadata))
        return
    if namespace is None:
        if FINALIZER in (metadata.get("finalizers") or ()):
            left = [name for name in metadata["finalizers"] if name != FINALIZER]
            await world.patch(PROJECTS, project, {"metadata": {"finalizers": left}})
    elif not namespace["metadata"].get("deletionTimestamp"):
        await world.delete(NAMESPACES, namespace)


def _namespace(name: str, metadata: Object) -> Object:
    kept = {key: metadata[key] for key in _MIRRORED if metadata.get(key)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name} | kept}


async def grant(world: World, request: Object) -> None:
    """Carry out a ProjectRequest, and remove it: it is a question, not a thing."""
    name = request["metadata"]["name"]
    annotations = {
        "openshift.io/description": request.get("description", ""),
        "openshift.io/display-name": request.get("displayName", ""),
        **annotations_of(request),
    }
    if await world.ensure(NAMESPACES, _namespace(name, {"annotations": annotations})):
        await world.ensure(ROLE_BINDINGS, {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "admin", "namespace": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:masters"}],
        })  # fmt: skip
    await world.delete(REQUESTS, request)


def _same_name(_world: World, obj: Object) -> list[Key]:
    return [("", obj["metadata"]["name"])]


def project_behaviours() -> list[Behaviour]:
    """Return the behaviours of projects."""
    woken = (Wake(PROJECTS, _same_name), Wake(CUSTOM_RESOURCES, _when_projects_come))
    return [
        Behaviour("namespaces as projects", NAMESPACES, show, manager="openshift-apiserver", woken_by=woken),
        Behaviour(
            "projects", PROJECTS, stand_for, manager="openshift-apiserver", woken_by=(Wake(NAMESPACES, _same_name),)
        ),
        Behaviour(
            "project requests", REQUESTS, grant, manager="openshift-apiserver", reads=(NAMESPACES, ROLE_BINDINGS)
        ),
    ]


def _when_projects_come(world: World, definition: Object) -> list[Key]:
    return (
        list(every(NAMESPACES)(world, definition))
        if definition["metadata"]["name"] == f"{PROJECTS.name}.{PROJECTS.group}"
        else []
    )
