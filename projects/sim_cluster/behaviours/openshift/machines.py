"""MachineSets → Machines → Nodes, as the machine API plays them on AWS."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Final

from projects.sim_cluster.behaviours.cache import Key, controller_of, key_of
from projects.sim_cluster.behaviours.conditions import condition, is_true, with_conditions
from projects.sim_cluster.behaviours.hooks import FAIL, HOLD, NO_CAPACITY, hook
from projects.sim_cluster.behaviours.instance_types import size_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.node_objects import MACHINE_TYPE, OPENSHIFT, node, node_status
from projects.sim_cluster.behaviours.openshift.pools import node_annotations
from projects.sim_cluster.behaviours.resources import MACHINE_CONFIG_POOLS, MACHINE_SETS, MACHINES, NODES
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, owner_keys, owner_reference

_FIRST_RETRY: Final = 10.0
_LAST_RETRY: Final = 1000.0
FINALIZER: Final = "machine.machine.openshift.io"
ANNOTATION: Final = "machine.openshift.io/machine"
_NUMBERS: Final = itertools.count(0)


def machine_of(machine_set: Object, name: str = "") -> Object:
    """Return a machine of a set, named or to be named by the API."""
    template = machine_set["spec"]["template"]
    metadata: dict[str, Any] = {"namespace": machine_set["metadata"]["namespace"], "finalizers": [FINALIZER]}
    metadata |= {"name": name} if name else {"generateName": f"{machine_set['metadata']['name']}-"}
    provider = template["spec"]["providerSpec"]["value"]
    placement = provider.get("placement") or {}
    labels = {
        "instance-type": provider.get("instanceType", ""),
        "region": placement.get("region", ""),
        "zone": placement.get("availabilityZone", ""),
    }
    made = template.get("metadata") or {}
    metadata["labels"] = (made.get("labels") or {}) | {
        f"machine.openshift.io/{key}": value for key, value in labels.items()
    }
    if "uid" in machine_set["metadata"]:
        metadata["ownerReferences"] = [owner_reference(machine_set)]
    return {"apiVersion": machine_set["apiVersion"], "kind": "Machine", "metadata": metadata, "spec": template["spec"]}


def provider_of(machine: Object) -> Object:
    """Return what a machine asks of the cloud."""
    return dict((machine["spec"].get("providerSpec") or {}).get("value") or {})


def node_of(machine: Object, address: str) -> Object:
    """Return the node that a machine becomes."""
    kind = provider_of(machine).get("instanceType", "")
    placement = provider_of(machine).get("placement") or {}
    name = f"ip-{address.replace('.', '-')}.ec2.internal"
    labels = {
        "node-role.kubernetes.io/worker": "", MACHINE_TYPE: kind, "beta.kubernetes.io/instance-type": kind,
        "node.openshift.io/os_id": "rhel", "topology.kubernetes.io/region": placement.get("region", ""),
        "topology.kubernetes.io/zone": placement.get("availabilityZone", ""),
    }  # fmt: skip
    made = node(name, labels | ((machine["spec"].get("metadata") or {}).get("labels") or {}))
    made["metadata"]["annotations"] = {ANNOTATION: f"{machine['metadata']['namespace']}/{machine['metadata']['name']}"}
    made["spec"] = {
        "providerID": f"aws:///{placement.get('availabilityZone', '')}/i-{machine['metadata']['name'][-5:]:0>17}"
    }
    if taints := machine["spec"].get("taints"):
        made["spec"]["taints"] = taints
    return made


def running_status(node_name: str, address: str, now: str) -> Object:
    """Return the status of a machine whose node has joined."""
    return {
        "phase": "Running", "lastUpdated": now, "nodeRef": {"kind": "Node", "name": node_name},
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "InternalDNS", "address": node_name}],
        "providerStatus": {"instanceState": "running"},
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in ("Drainable", "InstanceExists", "Terminable")],
    }  # fmt: skip


async def keep_machines(world: World, machine_set: Object) -> None:
    """Make or delete the machines that are missing or too many, and count the others."""
    if machine_set["metadata"].get("deletionTimestamp"):
        return
    await _adopt(world, machine_set)
    machines = [m for m in world.cache(MACHINES).owned_by(machine_set) if not m["metadata"].get("deletionTimestamp")]
    wanted = machine_set["spec"].get("replicas", 1)
    machines += [await world.create(MACHINES, machine_of(machine_set)) for _ in range(wanted - len(machines))]
    for machine in sorted(machines, key=_first_to_go)[: max(0, len(machines) - wanted)]:
        await world.delete(MACHINES, machine)
    await _count(world, machine_set)


async def _adopt(world: World, machine_set: Object) -> None:
    """Take over machines without an owner that the selector matches, as those of the installer are."""
    wanted = (machine_set["spec"].get("selector") or {}).get("matchLabels") or {}
    for machine in world.cache(MACHINES).in_namespace(machine_set["metadata"]["namespace"]):
        labels = labels_of(machine)
        if (
            not machine["metadata"].get("ownerReferences")
            and wanted
            and all(labels.get(k) == v for k, v in wanted.items())
        ):
            await world.patch(MACHINES, machine, {"metadata": {"ownerReferences": [owner_reference(machine_set)]}})


def _first_to_go(machine: Object) -> tuple[bool, float]:
    """Machines that do not run yet go first, then the youngest."""
    runs = (machine.get("status") or {}).get("phase") == "Running"
    return runs, -seconds_of(machine["metadata"]["creationTimestamp"])


async def _count(world: World, machine_set: Object) -> None:
    machines = [m for m in world.cache(MACHINES).owned_by(machine_set) if not m["metadata"].get("deletionTimestamp")]
    ready = sum(1 for machine in machines if _node_is_ready(world, machine))
    await world.set_status(MACHINE_SETS, machine_set, {
        "replicas": len(machines), "fullyLabeledReplicas": len(machines) or None, "readyReplicas": ready or None,
        "availableReplicas": ready or None, "observedGeneration": machine_set["metadata"]["generation"],
        "labelSelector": ",".join(f"{k}={v}" for k, v in ((machine_set["spec"].get("selector") or {}).get("matchLabels") or {}).items()),
    })  # fmt: skip


def _node(world: World, machine: Object) -> Object | None:
    reference = (machine.get("status") or {}).get("nodeRef") or {}
    return world.cache(NODES).get("", reference["name"]) if reference else None


def _node_is_ready(world: World, machine: Object) -> bool:
    found = _node(world, machine)
    return found is not None and is_true(found, "Ready")


async def live(world: World, machine: Object) -> float | None:
    """Take a machine to its next phase: Provisioning, Provisioned, Running, Deleting."""
    if machine["metadata"].get("deletionTimestamp"):
        return await _delete(world, machine)
    status = machine.get("status") or {}
    if not status.get("phase"):
        await world.set_status(MACHINES, machine, {"phase": "Provisioning", "lastUpdated": world.timestamp})
        return world.timings.machine_provision
    if hook(machine, HOLD) or status["phase"] not in {"Provisioning", "Provisioned"}:
        return None
    if status["phase"] == "Provisioning" and (missing := _missing_capacity(world, machine)):
        return await _no_capacity(world, machine, missing)
    provisioning = status["phase"] == "Provisioning"
    wanted = world.timings.machine_provision if provisioning else world.timings.node_join
    if (left := seconds_of(status["lastUpdated"]) + wanted - world.now) > 0:
        return left
    return await (_provision if provisioning else _join)(world, machine)


def _missing_capacity(world: World, machine: Object) -> str:
    owner = controller_of(machine)
    machine_set = world.cache(MACHINE_SETS).get(machine["metadata"]["namespace"], owner["name"]) if owner else None
    return hook(machine, NO_CAPACITY) or (hook(machine_set, NO_CAPACITY) if machine_set else "")


async def _no_capacity(world: World, machine: Object, message: str) -> float | None:
    """Say that the provider has no such machine, and try again later and later, as the machine controller does."""
    if (left := _until_next_try(world, machine)) > 0:
        return left
    told = f"error creating EC2 instance: {message}"
    world.tell(
        machine,
        "FailedCreate",
        f"{machine['metadata']['name']}: reconciler failed to Create machine: {told}",
        type="Warning",
    )
    failed = {"type": "MachineCreation", "status": "False", "reason": "MachineCreationFailed", "message": told}
    absent = {
        "type": "InstanceExists",
        "status": "False",
        "severity": "Warning",
        "reason": "InstanceNotCreated",
        "message": "Instance has not been created",
    }
    status: Object = {
        "providerStatus": {"conditions": [failed]},
        "conditions": with_conditions(machine, world.timestamp, absent),
    }
    if hook(machine, FAIL):
        status |= {"phase": "Failed", "errorReason": "CreateError", "errorMessage": told}
    await world.set_status(MACHINES, machine, status | {"lastUpdated": world.timestamp})
    return None


def _until_next_try(world: World, machine: Object) -> float:
    if condition(machine, "InstanceExists").get("status") != "False":
        return 0
    last = seconds_of(machine["status"]["lastUpdated"])
    waited = last - seconds_of(machine["metadata"]["creationTimestamp"])
    return last + min(max(waited, _FIRST_RETRY), _LAST_RETRY) - world.now


async def _provision(world: World, machine: Object) -> float:
    address = next(each for each in map(_address, _NUMBERS) if not _is_taken(world, machine, each))
    made = node_of(machine, address)
    made["metadata"]["annotations"] |= _configured(world)
    size = size_of(provider_of(machine).get("instanceType", ""))
    name = made["metadata"]["name"]
    await world.ensure(
        NODES, made | {"status": node_status(name, address, size, OPENSHIFT, world.timestamp, ready=False)}
    )
    await world.patch(MACHINES, machine, {"spec": {"providerID": made["spec"]["providerID"]}})
    await world.set_status(MACHINES, machine, running_status(name, address, world.timestamp) | {"phase": "Provisioned"})
    return world.timings.node_join


def _address(number: int) -> str:
    return f"10.0.{128 + number // 250 % 120}.{number % 250 + 4}"


def _is_taken(world: World, machine: Object, address: str) -> bool:
    """Return whether a node of that address is there already: a loaded cluster has nodes that were not counted here."""
    return world.cache(NODES).get("", node_of(machine, address)["metadata"]["name"]) is not None


def _configured(world: World) -> dict[str, str]:
    """Return the annotations of a node that boots with what the workers have."""
    pool = world.cache(MACHINE_CONFIG_POOLS).get("", "worker") or {}
    name = ((pool.get("status") or {}).get("configuration") or {}).get("name")
    return node_annotations(name) if name else {}


async def _join(world: World, machine: Object) -> float | None:
    found = _node(world, machine)
    if found is None:
        return world.timings.retry
    size = size_of(provider_of(machine).get("instanceType", ""))
    address = found["status"]["addresses"][0]["address"]
    await world.set_status(
        NODES, found, node_status(found["metadata"]["name"], address, size, OPENSHIFT, world.timestamp, ready=True)
    )
    await world.set_status(MACHINES, machine, {"phase": "Running", "lastUpdated": world.timestamp})
    return None


async def _delete(world: World, machine: Object) -> float | None:
    if FINALIZER not in (machine["metadata"].get("finalizers") or ()):
        return None
    await world.set_status(MACHINES, machine, {"phase": "Deleting"})
    left = seconds_of(machine["metadata"]["deletionTimestamp"]) + world.timings.machine_delete - world.now
    if left > 0:
        return left
    if (found := _node(world, machine)) is not None:
        await world.delete(NODES, found)
    finalizers = [name for name in machine["metadata"]["finalizers"] if name != FINALIZER]
    await world.patch(MACHINES, machine, {"metadata": {"finalizers": finalizers}})
    return None


def _machines_of_node(world: World, changed: Object) -> Iterable[Key]:
    return [
        (owner["metadata"]["namespace"], owner["metadata"]["name"])
        for owner in world.cache(MACHINE_SETS)
        if any(
            ((m.get("status") or {}).get("nodeRef") or {}).get("name") == changed["metadata"]["name"]
            for m in world.cache(MACHINES).owned_by(owner)
        )
    ]


MACHINE_SET: Final = Behaviour(
    "machine sets", MACHINE_SETS, keep_machines, woken_by=(Wake(MACHINES, owner_keys), Wake(NODES, _machines_of_node))
)


def _machines_of_set(world: World, machine_set: Object) -> Iterable[Key]:
    """Wake what is not running yet: a fault of the set may have begun or ended."""
    machines = world.cache(MACHINES).owned_by(machine_set)
    return [key_of(machine) for machine in machines if (machine.get("status") or {}).get("phase") == "Provisioning"]


MACHINE: Final = Behaviour(
    "machines",
    MACHINES,
    live,
    manager="machine-controller-manager",
    woken_by=(Wake(MACHINE_SETS, _machines_of_set),),
    reads=(NODES, MACHINE_CONFIG_POOLS),
    component="awscontroller",
)
