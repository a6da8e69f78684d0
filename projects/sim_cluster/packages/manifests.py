"""The objects that show the cluster's catalogs: CatalogSources and PackageManifests. Used by `shapes.openshift`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from projects.sim_cluster.packages.package import ALL_MODES, Channel, OperatorPackage

Object = dict[str, Any]
MARKETPLACE: Final = "openshift-marketplace"


@dataclass(frozen=True)
class Catalog:
    """A CatalogSource."""

    name: str
    display: str
    publisher: str


CATALOGS: Final = (
    Catalog("certified-operators", "Certified Operators", "Red Hat"),
    Catalog("community-operators", "Community Operators", "Red Hat"),
    Catalog("redhat-marketplace", "Red Hat Marketplace", "Red Hat"),
    Catalog("redhat-operators", "Red Hat Operators", "Red Hat"),
)


def catalog_objects(packages: Iterable[OperatorPackage], now: str) -> Iterator[Object]:
    """Yield the CatalogSources, also those that only a package names, and the PackageManifests."""
    known = {catalog.name: catalog for catalog in CATALOGS}
    wanted = list(packages)
    for package in wanted:
        known.setdefault(package.catalog, Catalog(package.catalog, package.catalog, package.provider))
    for catalog in known.values():
        yield _source(catalog, now)
    for package in wanted:
        yield _manifest(known[package.catalog], package)


def _source(catalog: Catalog, now: str) -> Object:
    return {
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "CatalogSource",
        "metadata": {"name": catalog.name, "namespace": MARKETPLACE},
        "spec": {"sourceType": "grpc", "displayName": catalog.display, "publisher": catalog.publisher,
                 "image": f"registry.redhat.io/redhat/{catalog.name.removesuffix('s')}-index:v4.20", "priority": -200},
        "status": {"connectionState": {"address": f"{catalog.name}.{MARKETPLACE}.svc:50051", "lastObservedState": "READY", "lastConnect": now}},
    }  # fmt: skip


def _manifest(catalog: Catalog, package: OperatorPackage) -> Object:
    labels = {"catalog": catalog.name, "catalog-namespace": MARKETPLACE, "provider": package.provider,
              "operatorframework.io/arch.amd64": "supported", "operatorframework.io/os.linux": "supported"}  # fmt: skip
    channels = [_channel(package, channel) for channel in package.channels]
    status = {
        "catalogSource": catalog.name, "catalogSourceDisplayName": catalog.display, "catalogSourceNamespace": MARKETPLACE,
        "catalogSourcePublisher": catalog.publisher, "packageName": package.name, "defaultChannel": package.channels[0].name,
        "provider": {"name": package.provider}, "channels": channels,
    }  # fmt: skip
    return {"apiVersion": "packages.operators.coreos.com/v1", "kind": "PackageManifest", "spec": {}, "status": status,
            "metadata": {"name": package.name, "namespace": MARKETPLACE, "labels": {k: v.replace(" ", "-") for k, v in labels.items()}}}  # fmt: skip


def _channel(package: OperatorPackage, channel: Channel) -> Object:
    entries = [{"name": f"{package.csv_name}.v{version}", "version": version} for version in channel.versions]
    return {
        "name": channel.name,
        "currentCSV": entries[0]["name"],
        "currentCSVDesc": _description(package, channel.versions[0]),
        "entries": entries,
    }


def _description(package: OperatorPackage, version: str) -> Object:
    examples = [{"apiVersion": kind.api, "kind": kind.kind, **kind.example} for kind in package.kinds if kind.example]
    annotations = {
        "alm-examples": json.dumps(examples, indent=2),
        "capabilities": "Full Lifecycle",
        "categories": "OpenShift Optional",
    }
    if package.namespace:
        annotations["operatorframework.io/suggested-namespace"] = package.namespace
    owned = [
        {"name": f"{kind.plural}.{kind.api.split('/')[0]}", "kind": kind.kind, "version": kind.api.split("/")[1], "displayName": kind.kind,
         "scope": "Namespaced" if kind.namespaced else "Cluster"}
        for kind in package.kinds
    ]  # fmt: skip
    return {
        "displayName": package.display, "version": version, "annotations": annotations, "provider": {"name": package.provider},
        "description": f"{package.display}, simulated.", "installModes": [{"type": mode, "supported": mode in package.modes} for mode in ALL_MODES],
        "customresourcedefinitions": {"owned": owned}, "relatedImages": [package.image or f"quay.io/foresail/{package.name}:v{version}"], "minKubeVersion": "1.27.0",
    }  # fmt: skip
