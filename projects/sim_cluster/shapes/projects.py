"""Projects: namespaces under another name, and the requests that make them. Registered with the API by `openshift`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.kinds import Kind
from projects.sim_cluster.api.requests import Outcome, WriteOptions
from projects.sim_cluster.behaviours.metadata import annotations_of

Object = dict[str, Any]
GROUP: Final = "project.openshift.io"
_API: Final = f"{GROUP}/v1"


def project_of(namespace: Object) -> Object:
    """Return a namespace as the Project of its name."""
    return namespace | {"apiVersion": _API, "kind": "Project"}


def namespace_of(project: Object) -> Object:
    """Return a Project as the namespace that is stored."""
    return project | {"apiVersion": "v1", "kind": "Namespace"}


def as_view(kind: Kind) -> Kind:
    """Return the Project kind as a view of the stored namespaces."""
    return replace(kind, storage=("", "namespaces"), serve=project_of, store=namespace_of)


def serve_requests(api: Api) -> None:
    """Answer the creation of Projects and ProjectRequests."""
    api.resources.answerers[GROUP, "projects"] = lambda _space, obj, options: _create(api, obj, options)
    api.resources.answerers[GROUP, "projectrequests"] = lambda _space, obj, options: _request(api, obj, options)


async def _create(api: Api, obj: Object, options: WriteOptions) -> Outcome:
    kind = api.registry.find("", "v1", "namespaces")
    assert kind is not None
    done = await api.resources.create(kind, "", {"metadata": obj["metadata"]}, options)
    return Outcome(project_of(done.object), created=True)


async def _request(api: Api, obj: Object, options: WriteOptions) -> Outcome:
    annotations = {
        "openshift.io/description": obj.get("description", ""),
        "openshift.io/display-name": obj.get("displayName", ""),
        "openshift.io/requester": options.by.name,
    }
    metadata = obj["metadata"] | {"annotations": {**annotations_of(obj), **annotations}}
    done = await _create(api, {"metadata": metadata}, options)
    bindings = api.registry.find("rbac.authorization.k8s.io", "v1", "rolebindings")
    if bindings is not None and not options.dry_run:
        name = done.object["metadata"]["name"]
        await api.resources.create(bindings, name, {
            "metadata": {"name": "admin", "namespace": name},
            "roleRef": {"kind": "ClusterRole", "name": "admin"},
            "subjects": [{"kind": "User", "name": options.by.name}],
        }, options)  # fmt: skip
    return done
