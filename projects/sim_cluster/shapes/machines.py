"""The MachineSets of a new cluster, one for each machine type, with their Machines and ready Nodes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from projects.sim_cluster.behaviours.instance_types import size_of
from projects.sim_cluster.behaviours.node_objects import OPENSHIFT, node_status
from projects.sim_cluster.behaviours.openshift.machines import machine_of, node_of, provider_of, running_status
from projects.sim_cluster.behaviours.openshift.pools import node_annotations
from projects.sim_cluster.options import Settled

Object = dict[str, Any]
INFRASTRUCTURE: Final = "sim-x7k2p"
INSTANCE_TYPE: Final = "m6i.xlarge"
MACHINE_API: Final = "openshift-machine-api"
_ZONE: Final = "us-east-1a"


def machine_set(name: str, instance_type: str, replicas: int) -> Object:
    """Return a MachineSet of workers."""
    labels = {
        "machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE,
        "machine.openshift.io/cluster-api-machineset": name,
    }
    role = {f"machine.openshift.io/cluster-api-machine-{key}": "worker" for key in ("role", "type")}
    provider = {
        "apiVersion": "machine.openshift.io/v1beta1", "kind": "AWSMachineProviderConfig", "instanceType": instance_type,
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
        "metadata": {"name": name, "namespace": MACHINE_API, "labels": {"machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels | role}, "spec": {"lifecycleHooks": {}, "metadata": {}, "providerSpec": {"value": provider}}}},
    }  # fmt: skip


def _sets(options: Settled) -> Iterator[Object]:
    yield machine_set(f"{INFRASTRUCTURE}-worker-{_ZONE}", INSTANCE_TYPE, options.nodes)
    for kind, replicas in options.machines:
        yield machine_set(f"{INFRASTRUCTURE}-{kind.replace('.', '-')}-{_ZONE}", kind, replicas)


def machines(options: Settled, rendered: str, now: str) -> Iterator[Object]:
    """Yield the MachineSets, their nodes and their machines; `rendered` names the configuration that the nodes have."""
    owners, numbers = list(_sets(options)), count()
    yield from owners
    made = [(_named(owner, index), f"10.0.{number // 250 % 250}.{number % 250 + 4}")
            for owner in owners for index, number in zip(range(owner["spec"]["replicas"]), numbers, strict=False)]  # fmt: skip
    for machine, address in made:
        node = node_of(machine, address)
        node["metadata"]["annotations"] |= node_annotations(rendered)
        size = size_of(provider_of(machine)["instanceType"])
        yield node | {"status": node_status(node["metadata"]["name"], address, size, OPENSHIFT, now, ready=True)}
    for machine, address in made:
        yield machine | {"status": running_status(node_of(machine, address)["metadata"]["name"], address, now)}


def _named(owner: Object, index: int) -> Object:
    return machine_of(owner, f"{owner['metadata']['name']}-{index:05x}")
