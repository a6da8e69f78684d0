"""What a run has left on the cluster: objects that were made while it ran and are still there. Called by `playing`.

What the cluster makes of its own accord is not the run's: what has an owner goes with it, Kubernetes' own controllers tidy
up after themselves, and nodes come and go with their machines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from projects.core.cluster.session import Session
from projects.core.values.errors import NotFound
from projects.rehearsal.clusters import RehearsedCluster

CLUSTER_SCOPED = ""
"""The namespace of what has none."""
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_OWN_KINDS = frozenset({
    "ComponentStatus", "Endpoints", "EndpointSlice", "Event", "Lease", "Node", "NodeMetrics", "PackageManifest", "PodMetrics", "Project",
})  # fmt: skip
"""Kinds of which Kubernetes and OpenShift make and remove the objects; a Project is its namespace under another name."""
_ACCOUNTS = frozenset({"default", "builder", "deployer"})
"""Service accounts that every namespace gets; having no field of anybody's, they do not say from whom."""
_CONTROLLERS = frozenset({"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kwok", "fault"})
_SETTLE_S = 120.0
_PAGE = 500


@dataclass(frozen=True, slots=True, order=True)
class Leftover:
    """An object that is left.

    Attributes:
      namespace: Where; empty for what has no namespace.
      kind: Its kind.
      name: Its name.
      terminating: Whether it was deleted, and does not go.
    """

    namespace: str
    kind: str
    name: str
    terminating: bool = False


Snapshot = Mapping[str, dict[str, Any]]


def snapshot(session: Session) -> Snapshot:
    """Return the metadata and the kinds of all objects of a cluster, by uid."""
    with ThreadPoolExecutor(4) as pool:
        lists = pool.map(lambda each: _listed(session, *each), list(_resources(session)))
        return {each["metadata"]["uid"]: each for listed in lists for each in listed}


def left_since(cluster: RehearsedCluster, before: Snapshot) -> tuple[Leftover, ...]:
    """Return what is left, once the cluster has had its time to remove what was deleted.

    Args:
      cluster: The cluster.
      before: What was there before the run.
    """
    deadline = cluster.now() + _SETTLE_S
    while True:
        now = snapshot(cluster.session)
        made = {uid: each for uid, each in now.items() if uid not in before}
        left = sorted(_leftover(each) for each in made.values() if _is_the_runs(each, now))
        if not any(each["metadata"].get("deletionTimestamp") for each in made.values()) or cluster.now() >= deadline:
            return tuple(left)
        cluster.wait(deadline - cluster.now())


def _leftover(found: dict[str, Any]) -> Leftover:
    metadata = found["metadata"]
    return Leftover(
        metadata.get("namespace", CLUSTER_SCOPED),
        found["kind"],
        metadata["name"],
        bool(metadata.get("deletionTimestamp")),
    )


def _is_the_runs(found: dict[str, Any], now: Snapshot) -> bool:
    metadata = found["metadata"]
    if found["kind"] in _OWN_KINDS or any(owner["uid"] in now for owner in metadata.get("ownerReferences") or ()):
        return False
    if found["kind"] == "ServiceAccount" and metadata["name"] in _ACCOUNTS:
        return False
    managers = {each.get("manager", "") for each in metadata.get("managedFields") or ()}
    return not managers or bool(managers - _CONTROLLERS)


def _resources(session: Session) -> Iterator[tuple[str, str]]:
    """Yield the kind and the path of every resource that can be listed, in the version that its group prefers."""
    for root in ("/api", "/apis"):
        groups = session.json("GET", root, headers={"Accept": _DISCOVERY})["items"]
        for group in groups:
            version = group["versions"][0]
            name = group["metadata"].get("name", "")
            base = f"/apis/{name}/{version['version']}" if name else f"/api/{version['version']}"
            for resource in version.get("resources") or ():
                kind = resource["responseKind"]["kind"]
                if {"list", "delete"} <= set(resource["verbs"]) and kind not in _OWN_KINDS:
                    yield kind, f"{base}/{resource['resource']}"


def _listed(session: Session, kind: str, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": _PAGE}
    while True:
        try:
            page = session.json("GET", path, query, headers={"Accept": _METADATA})
        except NotFound:
            return []  # a kind whose definition went away meanwhile has no objects
        found += [{"kind": kind, "metadata": each["metadata"]} for each in page.get("items") or ()]
        if not (more := page["metadata"].get("continue")):
            return found
        query["continue"] = more
