"""The operators that the cluster's catalogs offer, as data, and the objects that show them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Object = dict[str, Any]
MARKETPLACE: Final = "openshift-marketplace"
_MODES: Final = ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")


@dataclass(frozen=True)
class Channel:
    """A channel: the name of its versions without the version, and the versions, newest first."""

    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class OwnedKind:
    """A kind that an operator brings."""

    api: str
    kind: str
    plural: str
    example: Object = field(default_factory=dict)
    namespaced: bool = True


@dataclass(frozen=True)
class OperatorPackage:
    """An operator as a catalog shows it."""

    name: str
    csv: str  # names of its versions are <csv>.v<version>
    display: str
    provider: str
    channels: tuple[Channel, ...]
    modes: frozenset[str]
    owned: tuple[OwnedKind, ...]
    images: tuple[str, ...]
    namespace: str = ""

    @property
    def default_channel(self) -> str:
        """The channel that is taken when none is asked for."""
        return self.channels[0].name


@dataclass(frozen=True)
class Catalog:
    """A CatalogSource and what it offers."""

    name: str
    display: str
    publisher: str
    packages: tuple[OperatorPackage, ...]


CATALOGS: Final = (
    Catalog("certified-operators", "Certified Operators", "Red Hat", (
        OperatorPackage(
            "gpu-operator-certified", "gpu-operator-certified", "NVIDIA GPU Operator", "NVIDIA Corporation",
            (Channel("v25.10", ("25.10.0",)), Channel("v25.3", ("25.3.4", "25.3.2", "25.3.0")), Channel("stable", ("25.10.0", "25.3.4"))),
            frozenset({"OwnNamespace", "SingleNamespace"}),
            (OwnedKind("nvidia.com/v1", "ClusterPolicy", "clusterpolicies", namespaced=False, example={
                "metadata": {"name": "gpu-cluster-policy"},
                "spec": {"operator": {"defaultRuntime": "crio"}, "driver": {"enabled": True}, "toolkit": {"enabled": True},
                         "devicePlugin": {"enabled": True}, "dcgm": {"enabled": True}, "dcgmExporter": {"enabled": True},
                         "gfd": {"enabled": True}, "migManager": {"enabled": True}, "daemonsets": {}, "nodeStatusExporter": {"enabled": True}},
            }),
             OwnedKind("nvidia.com/v1alpha1", "NVIDIADriver", "nvidiadrivers", namespaced=False,
                       example={"metadata": {"name": "demo-driver"}, "spec": {"driverType": "gpu", "nodeSelector": {}}})),
            ("nvcr.io/nvidia/gpu-operator:v25.10.0", "nvcr.io/nvidia/k8s-device-plugin:v0.18.0"), "nvidia-gpu-operator",
        ),
    )),
    Catalog("redhat-operators", "Red Hat Operators", "Red Hat", (
        OperatorPackage(
            "nfd", "nfd", "Node Feature Discovery Operator", "Red Hat",
            (Channel("stable", ("4.20.0-202510211040", "4.20.0-202509230952")),),
            frozenset({"OwnNamespace", "SingleNamespace", "AllNamespaces"}),
            (OwnedKind("nfd.openshift.io/v1", "NodeFeatureDiscovery", "nodefeaturediscoveries", example={
                "metadata": {"name": "nfd-instance", "namespace": "openshift-nfd"},
                "spec": {"operand": {"image": "registry.redhat.io/openshift4/ose-node-feature-discovery-rhel9:v4.20", "servicePort": 12000},
                         "workerConfig": {"configData": "core:\n  sleepInterval: 60s\n"}},
            }),
             OwnedKind("nfd.openshift.io/v1alpha1", "NodeFeatureRule", "nodefeaturerules", namespaced=False)),
            ("registry.redhat.io/openshift4/ose-cluster-nfd-rhel9-operator:v4.20",), "openshift-nfd",
        ),
        OperatorPackage(
            "example-operator", "example-operator", "Example Operator", "Foresail",
            (Channel("stable", ("1.2.0", "1.1.0", "1.0.0")), Channel("fast", ("2.0.0", "1.2.0"))),
            frozenset(_MODES),
            (OwnedKind("example.foresail.io/v1", "Example", "examples", example={"metadata": {"name": "example"}, "spec": {"size": 1}}),),
            ("quay.io/foresail/example-operator:v1.2.0",),
        ),
    )),
)  # fmt: skip


def catalog_objects(now: str) -> Iterator[Object]:
    """Yield the CatalogSources and the PackageManifests of all catalogs."""
    for catalog in CATALOGS:
        yield _source(catalog, now)
        for package in catalog.packages:
            yield _manifest(catalog, package)


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
        "catalogSourcePublisher": catalog.publisher, "packageName": package.name, "defaultChannel": package.default_channel,
        "provider": {"name": package.provider}, "channels": channels,
    }  # fmt: skip
    return {"apiVersion": "packages.operators.coreos.com/v1", "kind": "PackageManifest", "spec": {}, "status": status,
            "metadata": {"name": package.name, "namespace": MARKETPLACE, "labels": {k: v.replace(" ", "-") for k, v in labels.items()}}}  # fmt: skip


def _channel(package: OperatorPackage, channel: Channel) -> Object:
    entries = [{"name": f"{package.csv}.v{version}", "version": version} for version in channel.versions]
    return {
        "name": channel.name,
        "currentCSV": entries[0]["name"],
        "currentCSVDesc": _description(package, channel.versions[0]),
        "entries": entries,
    }


def _description(package: OperatorPackage, version: str) -> Object:
    examples = [
        {"apiVersion": owned.api, "kind": owned.kind, **owned.example} for owned in package.owned if owned.example
    ]
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
        for kind in package.owned
    ]  # fmt: skip
    return {
        "displayName": package.display, "version": version, "annotations": annotations, "provider": {"name": package.provider},
        "description": f"{package.display}, simulated.", "installModes": [{"type": mode, "supported": mode in package.modes} for mode in _MODES],
        "customresourcedefinitions": {"owned": owned}, "relatedImages": list(package.images), "minKubeVersion": "1.27.0",
    }  # fmt: skip
