"""The MachineConfigs and the pools of a new cluster: rendered, and taken on by every node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.behaviours.openshift.pools import conditions, configuration_of
from projects.sim_cluster.behaviours.openshift.rendering import API, GROUP, ROLE, base_configs, rendered
from projects.sim_cluster.options import Settled

Object = dict[str, Any]
_ROLES: Final = ("master", "worker")


def pool(role: str) -> Object:
    """Return the pool of a role."""
    selector = {"matchExpressions": [{"key": ROLE, "operator": "In", "values": [role]}]}
    labels = {f"pools.operator.machineconfiguration.openshift.io/{role}": "", f"{GROUP}/mco-built-in": ""}
    spec = {
        "machineConfigSelector": selector,
        "nodeSelector": {"matchLabels": {f"node-role.kubernetes.io/{role}": ""}},
        "paused": False,
    }
    return {"apiVersion": API, "kind": "MachineConfigPool", "metadata": {"name": role, "labels": labels}, "spec": spec}


def rendered_name(role: str, version: str) -> str:
    """Return the name of the configuration that the nodes of a role start with."""
    return str(rendered(pool(role), base_configs(role, version))["metadata"]["name"])


def machine_configuration(options: Settled, now: str) -> Iterator[Object]:
    """Yield the MachineConfigs, then the pools."""
    for role in _ROLES:
        configs = base_configs(role, options.version)
        yield from configs
        yield rendered(pool(role), configs)
    for role in _ROLES:
        yield _pool(role, options.all_nodes if role == "worker" else 0, options.version, now)


def _pool(role: str, count: int, version: str, now: str) -> Object:
    made = pool(role)
    configs = base_configs(role, version)
    configuration = configuration_of(rendered(made, configs)["metadata"]["name"], configs)
    status = {
        "configuration": configuration, "machineCount": count, "readyMachineCount": count, "updatedMachineCount": count,
        "unavailableMachineCount": 0, "degradedMachineCount": 0, "observedGeneration": 1,
        "conditions": conditions(made, now, configuration["name"], updated=True),
    }  # fmt: skip
    return made | {"spec": made["spec"] | {"configuration": configuration}, "status": status}
