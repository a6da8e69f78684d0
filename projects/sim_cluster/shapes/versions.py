"""The version of a new cluster: its ClusterVersion, its ClusterOperators, its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.behaviours.openshift.cluster_versions import at_rest
from projects.sim_cluster.behaviours.openshift.image_streams import REGISTRY
from projects.sim_cluster.behaviours.openshift.releases import release, updates
from projects.sim_cluster.behaviours.openshift.routes import DOMAIN
from projects.sim_cluster.shapes.machines import INFRASTRUCTURE

Object = dict[str, Any]
_CONFIG: Final = "config.openshift.io/v1"
_OPERATORS: Final = (
    "authentication", "cluster-autoscaler", "console", "dns", "image-registry", "ingress", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "machine-api",
    "machine-config", "marketplace", "monitoring", "network", "node-tuning", "openshift-apiserver", "openshift-controller-manager",
    "operator-lifecycle-manager", "operator-lifecycle-manager-catalog", "service-ca", "storage",
)  # fmt: skip


def _config(kind: str, name: str, spec: Object, status: Object | None = None) -> Object:
    made = {"apiVersion": _CONFIG, "kind": kind, "metadata": {"name": name}, "spec": spec}
    return made | ({"status": status} if status else {})


def _condition(kind: str, status: str, now: str, message: str) -> Object:
    return {"type": kind, "status": status, "lastTransitionTime": now, "reason": "AsExpected", "message": message}


def cluster_version(version: str, now: str) -> Object:
    """Return the ClusterVersion of a cluster that was installed at a version."""
    desired, channel = release(version), "stable-" + version.rpartition(".")[0]
    entry = {
        "state": "Completed",
        "startedTime": now,
        "completionTime": now,
        "version": version,
        "image": desired["image"],
        "verified": False,
    }
    said = [
        *at_rest(version),
        *(
            {"type": kind, "status": "True", "reason": "", "message": ""}
            for kind in ("Upgradeable", "RetrievedUpdates")
        ),
    ]
    return _config("ClusterVersion", "version", {"channel": channel, "clusterID": "6f0f2f0a-1f1e-4c57-9d0e-000000000001"}, {
        "desired": desired, "observedGeneration": 1, "versionHash": "simulated", "availableUpdates": updates(version, channel), "history": [entry],
        "conditions": [{"lastTransitionTime": now} | each for each in said],
    })  # fmt: skip


def cluster_operators(version: str, now: str) -> Iterator[Object]:
    """Yield the ClusterOperators, all as they should be."""
    states = {"Available": "True", "Progressing": "False", "Degraded": "False", "Upgradeable": "True"}
    for name in _OPERATORS:
        conditions = [_condition(kind, status, now, "All is well") for kind, status in states.items()]
        status = {
            "conditions": conditions,
            "versions": [{"name": "operator", "version": version}],
            "relatedObjects": [],
        }
        yield _config("ClusterOperator", name, {}, status)


def configuration() -> Iterator[Object]:
    """Yield the cluster's configuration."""
    aws = {"type": "AWS", "aws": {"region": "us-east-1"}}
    yield _config("Infrastructure", "cluster", {"platformSpec": {"type": "AWS", "aws": {}}}, {
        "apiServerURL": "https://api.sim.example.com:6443", "infrastructureName": INFRASTRUCTURE, "platform": "AWS", "platformStatus": aws,
        "controlPlaneTopology": "External", "infrastructureTopology": "HighlyAvailable",
    })  # fmt: skip
    yield _config("Project", "cluster", {})
    yield _config("Ingress", "cluster", {"domain": DOMAIN})
    yield _config("Network", "cluster", {"networkType": "OVNKubernetes", "serviceNetwork": ["10.96.0.0/16"]})
    yield _config("OAuth", "cluster", {"identityProviders": []})
    yield _config("Console", "cluster", {}, {"consoleURL": f"https://console-openshift-console.{DOMAIN}"})
    yield _config("Image", "cluster", {}, {"internalRegistryHostname": REGISTRY})
    yield _config("DNS", "cluster", {"baseDomain": DOMAIN.partition(".")[2]})
    yield _config("Proxy", "cluster", {})
    yield _config("Scheduler", "cluster", {"mastersSchedulable": False})
    yield _config("FeatureGate", "cluster", {})
