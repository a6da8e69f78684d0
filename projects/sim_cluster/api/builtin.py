"""Kubernetes' own kinds: what of the recorded API this one implements. Called once by `application`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.autoscalers_view import autoscaler_in_v1, autoscaler_in_v2
from projects.sim_cluster.api.events_view import events_in_core, events_in_group
from projects.sim_cluster.api.kinds import Convert, Kind, ScalePaths, Subresource
from projects.sim_cluster.api.recorded import Record
from projects.sim_cluster.api.schema import Schema

#: Kinds whose objects are stored as those of another kind.
_VIEWS: Final[dict[tuple[str, str, str], tuple[tuple[str, str], Convert | None, Convert | None]]] = {
    ("events.k8s.io", "events", "v1"): (("", "events"), events_in_group, events_in_core),
    ("autoscaling", "horizontalpodautoscalers", "v1"): (
        ("autoscaling", "horizontalpodautoscalers"), autoscaler_in_v1, autoscaler_in_v2,
    ),
}  # fmt: skip
_SELECTABLE: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("", "pods"): (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.nominatedNodeName",
    ),
    ("", "events"): (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
    ("", "namespaces"): ("status.phase",),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "secrets"): ("type",),
    ("", "services"): ("spec.clusterIP", "spec.type"),
    ("", "replicationcontrollers"): ("status.replicas",),
    ("apps", "replicasets"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
    ("certificates.k8s.io", "certificatesigningrequests"): ("spec.signerName",),
}  # fmt: skip


def builtin_kinds(record: Record) -> Iterator[Kind]:
    """Yield every kind of the record that is implemented."""
    for group in record.groups:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            for resource in version["resources"]:
                yield _kind(record, name, version["version"], resource)


def _kind(record: Record, group: str, version: str, resource: dict[str, Any]) -> Kind:
    key = (group, resource["resource"])
    kind = resource["responseKind"]["kind"]
    subresources = {
        s.name: s for s in (_subresource(group, version, entry) for entry in resource.get("subresources") or ())
    }
    storage, serve, store = _VIEWS.get((*key, version), (key, None, None))
    path = f"/apis/{group}/{version}/{resource['resource']}" if group else f"/api/{version}/{resource['resource']}"
    return Kind(
        group=group,
        version=version,
        resource=resource["resource"],
        kind=kind,
        namespaced=resource["scope"] == "Namespaced",
        schema=schema_of(record, group, version, kind),
        singular=resource["singularResource"],
        verbs=tuple(resource["verbs"]),
        short_names=tuple(resource.get("shortNames", ())),
        categories=tuple(resource.get("categories", ())),
        subresources=subresources,
        storage=storage,
        serve=serve,
        store=store,
        table=tuple(record.columns.get(path, ())),
        scale=ScalePaths(selector=".status.selector") if "scale" in subresources else None,
        selectable=_SELECTABLE.get(key, ()),
        list_kind=f"{kind}List",
        storage_hash=record.storage_hashes.get(path, ""),
    )


def _subresource(group: str, version: str, entry: dict[str, Any]) -> Subresource:
    shown = entry["responseKind"]
    own = (group, version) if not shown["version"] else (shown["group"], shown["version"])
    return Subresource(entry["subresource"], tuple(entry["verbs"]), (*own, shown["kind"]))


def schema_of(record: Record, group: str, version: str, kind: str) -> Schema:
    """Return the recorded schema of a kind."""
    return record.definitions.schema(record.definitions.by_kind[group, version, kind])
