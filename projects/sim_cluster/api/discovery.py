"""What the API says it serves: legacy and aggregated discovery, versions, root paths. Called by `http`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from projects.sim_cluster.api.kinds import Kind, Object, Registry, Subresource

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def _by_group(registry: Registry) -> dict[str, dict[str, list[Kind]]]:
    groups: dict[str, dict[str, list[Kind]]] = {}
    for kind in registry:
        groups.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
    return groups


def _group(name: str, versions: Iterable[str]) -> Object:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def api_versions(address: str) -> Object:
    """Return ``/api``."""
    return {"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]}  # fmt: skip


def group_list(registry: Registry) -> Object:
    """Return ``/apis``."""
    groups = [_group(name, versions) for name, versions in _by_group(registry).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> Object | None:
    """Return ``/apis/GROUP``."""
    versions = _by_group(registry).get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def resource_list(registry: Registry, group_name: str, version: str) -> Object | None:
    """Return ``/api/v1`` or ``/apis/GROUP/VERSION``."""
    kinds = _by_group(registry).get(group_name, {}).get(version)
    if kinds is None:
        return None
    entries = [entry for kind in kinds for entry in _resource(kind)]
    api_version = f"{group_name}/{version}" if group_name else version
    head = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group_name else {})  # as the real ones are
    return head | {"groupVersion": api_version, "resources": entries}


def _resource(kind: Kind) -> Iterable[Object]:
    entry: Object = {"name": kind.resource, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
                     "verbs": list(kind.verbs)}  # fmt: skip
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.storage_hash:
        entry["storageVersionHash"] = kind.storage_hash
    yield entry
    for subresource in kind.subresources.values():
        yield _subresource(kind, subresource)


def _subresource(kind: Kind, subresource: Subresource) -> Object:
    group_name, version, name = subresource.kind
    entry: Object = {"name": f"{kind.resource}/{subresource.name}", "singularName": "", "namespaced": kind.namespaced}
    if (group_name, version) != (kind.group, kind.version):
        entry |= {"group": group_name, "version": version}
    return entry | {"kind": name, "verbs": list(subresource.verbs)}


def aggregated(registry: Registry, *, legacy: bool) -> Object:
    """Return the aggregated discovery of ``/api`` (legacy) or ``/apis``."""
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [_aggregated_version(v, kinds) for v, kinds in versions.items()],
        }
        for name, versions in _by_group(registry).items()
        if (name == "") == legacy
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_version(version: str, kinds: list[Kind]) -> Object:
    return {"version": version, "resources": [_aggregated_resource(kind) for kind in kinds], "freshness": "Current"}


def _shown_kind(kind: Kind, group_name: str, version: str, name: str) -> Object:
    same = (group_name, version) == (kind.group, kind.version)
    return {"group": "" if same else group_name, "version": "" if same else version, "kind": name}


def _aggregated_resource(kind: Kind) -> Object:
    entry: dict[str, Any] = {
        "resource": kind.resource,
        "responseKind": _shown_kind(kind, kind.group, kind.version, kind.kind),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [
            {"subresource": sub.name, "responseKind": _shown_kind(kind, *sub.kind), "verbs": list(sub.verbs)}
            for sub in kind.subresources.values()
        ]
    return entry


#: Root paths of a real API server that are not served here.
_NOT_SERVED: Final = ("/metrics", "/debug")


def root_paths(registry: Registry, recorded: Iterable[str]) -> Object:
    """Return ``/``."""
    paths = {path for path in recorded if not path.startswith(_NOT_SERVED)}
    for kind in registry:
        if kind.group:
            paths |= {f"/apis/{kind.group}", f"/apis/{kind.group}/{kind.version}"}
    return {"paths": sorted(paths)}
