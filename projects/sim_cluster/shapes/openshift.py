"""What an OpenShift cluster on AWS starts with: its kinds, its configuration, one MachineSet with its nodes, its catalogs.

The control plane is hosted elsewhere (``controlPlaneTopology: External``), so every node is a worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.crds import kinds_of
from projects.sim_cluster.behaviours.instance_types import size_of
from projects.sim_cluster.behaviours.node_objects import OPENSHIFT, node_status
from projects.sim_cluster.behaviours.openshift.machines import machine_of, node_of, running_status
from projects.sim_cluster.packages.manifests import MARKETPLACE, catalog_objects
from projects.sim_cluster.packages.package import OperatorPackage
from projects.sim_cluster.shapes.definitions import AGGREGATED, CUSTOM, documents
from projects.sim_cluster.shapes.projects import GROUP as PROJECTS
from projects.sim_cluster.shapes.projects import as_view, serve_requests

Object = dict[str, Any]
VERSION: Final = "4.20.3"
INFRASTRUCTURE: Final = "sim-x7k2p"
INSTANCE_TYPE: Final = "m6i.xlarge"
_ZONE: Final = "us-east-1a"
_MACHINE_API: Final = "openshift-machine-api"
_CONFIG: Final = "config.openshift.io/v1"
_NAMESPACES: Final = (
    "openshift", "openshift-config", "openshift-apiserver", "openshift-operators", "openshift-ingress", "openshift-monitoring", "openshift-operator-lifecycle-manager",
    "openshift-machine-config-operator", _MACHINE_API, MARKETPLACE,
)  # fmt: skip
_OPERATORS: Final = (
    "authentication", "cluster-autoscaler", "console", "dns", "image-registry", "ingress", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "machine-api",
    "machine-config", "marketplace", "monitoring", "network", "node-tuning", "openshift-apiserver", "openshift-controller-manager",
    "operator-lifecycle-manager", "operator-lifecycle-manager-catalog", "service-ca", "storage",
)  # fmt: skip


def add_kinds(api: Api) -> None:
    """Serve the kinds that OpenShift's own API servers serve."""
    for document in documents(AGGREGATED):
        for kind in kinds_of(document, api.recorded.definitions):
            if kind.resource == "projects":
                api.registry.add(as_view(kind))
            elif kind.resource == "projectrequests":
                api.registry.add(replace(kind, verbs=("create",)))
            elif kind.resource == "packagemanifests":
                api.registry.add(replace(kind, verbs=("get", "list")))
            else:
                api.registry.add(kind)
    serve_requests(api)


def objects(nodes: int, now: str, packages: Sequence[OperatorPackage]) -> Iterator[Object]:
    """Yield everything, in the order in which it has to be created."""
    spaces = ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in _NAMESPACES)
    return chain(
        documents(CUSTOM),
        spaces,
        _configuration(now),
        _operators(now),
        _machines(nodes, now),
        _pools(nodes, now),
        _olm(packages, now),
        _templates(),
        _services(),
    )


def _condition(kind: str, status: str, now: str, message: str = "") -> Object:
    return {
        "type": kind,
        "status": status,
        "lastTransitionTime": now,
        "reason": "AsExpected",
        "message": message or "All is well",
    }


def _config(kind: str, name: str, spec: Object, status: Object | None = None) -> Object:
    return {"apiVersion": _CONFIG, "kind": kind, "metadata": {"name": name}, "spec": spec} | (
        {"status": status} if status else {}
    )


def _configuration(now: str) -> Iterator[Object]:
    image = "quay.io/openshift-release-dev/ocp-release@sha256:simulated"
    desired = {
        "version": VERSION,
        "image": image,
        "channels": ["stable-4.20"],
        "url": f"https://access.redhat.com/errata/{VERSION}",
    }
    yield _config("ClusterVersion", "version", {"channel": "stable-4.20", "clusterID": "6f0f2f0a-1f1e-4c57-9d0e-000000000001"}, {
        "desired": desired, "observedGeneration": 1, "versionHash": "simulated", "availableUpdates": None,
        "history": [{"state": "Completed", "startedTime": now, "completionTime": now, "version": VERSION, "image": image, "verified": False}],
        "conditions": [
            _condition("Available", "True", now, f"Done applying {VERSION}"),
            _condition("Failing", "False", now),
            _condition("Progressing", "False", now, f"Cluster version is {VERSION}"),
            _condition("Upgradeable", "True", now),
        ],
    })  # fmt: skip
    aws = {"type": "AWS", "aws": {"region": "us-east-1"}}
    yield _config("Infrastructure", "cluster", {"platformSpec": {"type": "AWS", "aws": {}}}, {
        "apiServerURL": "https://api.sim.example.com:6443", "infrastructureName": INFRASTRUCTURE, "platform": "AWS", "platformStatus": aws,
        "controlPlaneTopology": "External", "infrastructureTopology": "HighlyAvailable",
    })  # fmt: skip
    yield _config("Project", "cluster", {})
    yield _config("Ingress", "cluster", {"domain": "apps.sim.example.com"})
    yield _config("Network", "cluster", {"networkType": "OVNKubernetes", "serviceNetwork": ["10.96.0.0/16"]})


def _operators(now: str) -> Iterator[Object]:
    for name in _OPERATORS:
        conditions = [_condition("Available", "True", now), _condition("Progressing", "False", now), _condition("Degraded", "False", now),
                      _condition("Upgradeable", "True", now)]  # fmt: skip
        yield _config(
            "ClusterOperator",
            name,
            {},
            {"conditions": conditions, "versions": [{"name": "operator", "version": VERSION}]},
        )


def machine_set(replicas: int) -> Object:
    """Return the MachineSet of the workers."""
    name = f"{INFRASTRUCTURE}-worker-{_ZONE}"
    labels = {
        "machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE,
        "machine.openshift.io/cluster-api-machineset": name,
    }
    role = {f"machine.openshift.io/cluster-api-machine-{key}": "worker" for key in ("role", "type")}
    provider = {
        "apiVersion": "machine.openshift.io/v1beta1", "kind": "AWSMachineProviderConfig", "instanceType": INSTANCE_TYPE,
        "ami": {"id": "ami-0simulated"}, "placement": {"availabilityZone": _ZONE, "region": "us-east-1"},
        "blockDevices": [{"ebs": {"encrypted": True, "iops": 0, "kmsKey": {"arn": ""}, "volumeSize": 120, "volumeType": "gp3"}}],
        "credentialsSecret": {"name": "aws-cloud-credentials"}, "deviceIndex": 0, "iamInstanceProfile": {"id": f"{INFRASTRUCTURE}-worker-profile"},
        "metadata": {"creationTimestamp": None}, "metadataServiceOptions": {}, "userDataSecret": {"name": "worker-user-data"},
        "securityGroups": [{"filters": [{"name": "tag:Name", "values": [f"{INFRASTRUCTURE}-node"]}]}],
        "subnet": {"filters": [{"name": "tag:Name", "values": [f"{INFRASTRUCTURE}-subnet-private-{_ZONE}"]}]},
        "tags": [{"name": f"kubernetes.io/cluster/{INFRASTRUCTURE}", "value": "owned"}],
    }  # fmt: skip
    return {
        "apiVersion": "machine.openshift.io/v1beta1", "kind": "MachineSet",
        "metadata": {"name": name, "namespace": _MACHINE_API, "labels": {"machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels | role}, "spec": {"lifecycleHooks": {}, "metadata": {}, "providerSpec": {"value": provider}}}},
    }  # fmt: skip


def _machines(nodes: int, now: str) -> Iterator[Object]:
    owner = machine_set(nodes)
    yield owner
    for number in range(nodes):
        machine = machine_of(owner, f"{owner['metadata']['name']}-{number:05x}")
        made = node_of(machine, f"10.0.{number // 250 % 250}.{number % 250 + 4}")
        name, address = made["metadata"]["name"], f"10.0.{number // 250 % 250}.{number % 250 + 4}"
        yield made | {"status": node_status(name, address, size_of(INSTANCE_TYPE), OPENSHIFT, now, ready=True)}
        yield machine | {"status": running_status(name, address, now)}


def _pools(nodes: int, now: str) -> Iterator[Object]:
    for pool, count in (("master", 0), ("worker", nodes)):
        name = f"rendered-{pool}-5f0c9e1f2b3a4d5e6f708192a3b4c5d6"
        selector = {
            "matchExpressions": [{"key": "machineconfiguration.openshift.io/role", "operator": "In", "values": [pool]}]
        }
        spec = {"machineConfigSelector": selector, "nodeSelector": {"matchLabels": {f"node-role.kubernetes.io/{pool}": ""}},
                "paused": False, "configuration": {"name": name}}  # fmt: skip
        conditions = [
            _condition(kind, status, now)
            for kind, status in (("Updated", "True"), ("Updating", "False"), ("Degraded", "False"))
        ]
        status = {"configuration": {"name": name}, "machineCount": count, "readyMachineCount": count, "updatedMachineCount": count,
                  "unavailableMachineCount": 0, "degradedMachineCount": 0, "observedGeneration": 1, "conditions": conditions}  # fmt: skip
        label = {f"pools.operator.machineconfiguration.openshift.io/{pool}": ""}
        yield {"apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool",
               "metadata": {"name": pool, "labels": label}, "spec": spec, "status": status}  # fmt: skip


def _olm(packages: Sequence[OperatorPackage], now: str) -> Iterator[Object]:
    yield {"apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup",
           "metadata": {"name": "global-operators", "namespace": "openshift-operators"}, "spec": {}}  # fmt: skip
    yield from catalog_objects(packages, now)


def _templates() -> Iterator[Object]:
    project = {
        "apiVersion": f"{PROJECTS}/v1",
        "kind": "Project",
        "metadata": {"annotations": {}, "name": "${PROJECT_NAME}"},
        "spec": {},
        "status": {},
    }
    yield {"apiVersion": "template.openshift.io/v1", "kind": "Template", "metadata": {"name": "project-request", "namespace": "openshift-config"},
           "objects": [project], "parameters": [{"name": name} for name in ("PROJECT_NAME", "PROJECT_DISPLAYNAME", "PROJECT_DESCRIPTION",
                                                                            "PROJECT_ADMIN_USER", "PROJECT_REQUESTING_USER")]}  # fmt: skip


def _services() -> Iterator[Object]:
    yield {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "ebs.csi.aws.com", "allowVolumeExpansion": True,
           "metadata": {"name": "gp3-csi", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
           "volumeBindingMode": "WaitForFirstConsumer", "parameters": {"type": "gp3", "encrypted": "true"}}  # fmt: skip
