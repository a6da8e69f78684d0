"""How the tests bring more machines: a MachineSet like the one that is there, as a user copies it."""

import json

from tests.sim_cluster.talk import Client

MACHINES = "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api"


def add_machine_set(
    client: Client,
    name: str,
    replicas: int = 1,
    *,
    instance_type: str = "",
    taints: list[dict[str, str]] | None = None,
    annotations: dict[str, str] | None = None,
) -> str:
    """Make a MachineSet like the first one, but for what is given, and return its path."""
    base = client.get(f"{MACHINES}/machinesets")["items"][0]
    spec = json.loads(json.dumps(base["spec"]).replace(base["metadata"]["name"], name)) | {"replicas": replicas}
    template = spec["template"]["spec"]
    if instance_type:
        template["providerSpec"]["value"]["instanceType"] = instance_type
    if taints:
        template["taints"] = taints
    metadata = {"name": name, "annotations": annotations or {}}
    made = {"apiVersion": base["apiVersion"], "kind": "MachineSet", "metadata": metadata, "spec": spec}
    client.post(f"{MACHINES}/machinesets", made)
    return f"{MACHINES}/machinesets/{name}"


def machines_of(client: Client, name: str) -> list[str]:
    """Return the paths of the machines of a MachineSet."""
    chosen = f"labelSelector=machine.openshift.io%2Fcluster-api-machineset%3D{name}"
    found = client.get(f"{MACHINES}/machines?{chosen}")["items"]
    return [f"{MACHINES}/machines/{each['metadata']['name']}" for each in found]
