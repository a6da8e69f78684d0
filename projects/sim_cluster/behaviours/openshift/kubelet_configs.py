"""KubeletConfigs: each becomes a MachineConfig of the pools that it selects, which rolls them."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.label_selectors import selects
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.openshift.rendering import kubelet_config
from projects.sim_cluster.behaviours.resources import KUBELET_CONFIGS, MACHINE_CONFIG_POOLS, MACHINE_CONFIGS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every, owner_reference

_NO_POOL: Final = "Error: could not find any MachineConfigPool set for KubeletConfig"


async def generate(world: World, config: Object) -> None:
    """Keep the MachineConfigs of a KubeletConfig; they go with it."""
    if config["metadata"].get("deletionTimestamp"):
        return
    selector = config["spec"].get("machineConfigPoolSelector")
    pools = [pool for pool in world.cache(MACHINE_CONFIG_POOLS) if selects(selector, labels_of(pool))]
    for pool in pools:
        role = pool["metadata"]["name"]
        wanted = kubelet_config(f"99-{role}-generated-kubelet", role, config["spec"].get("kubeletConfig") or {})
        wanted["metadata"]["ownerReferences"] = [owner_reference(config)]
        if not await world.ensure(MACHINE_CONFIGS, wanted):
            found = world.cache(MACHINE_CONFIGS).get("", wanted["metadata"]["name"])
            if found is not None and found["spec"] != wanted["spec"]:
                await world.patch(MACHINE_CONFIGS, found, {"spec": wanted["spec"]})
    await _report(world, config, found=bool(pools))


async def _report(world: World, config: Object, *, found: bool) -> None:
    generation = config["metadata"]["generation"]
    if (config.get("status") or {}).get("observedGeneration") == generation and _said(config) == found:
        return
    told = {"type": "Success", "message": "Success"} if found else {"type": "Failure", "message": _NO_POOL}
    condition = told | {"status": str(found), "lastTransitionTime": world.timestamp}
    before = (config.get("status") or {}).get("conditions") or []
    await world.set_status(
        KUBELET_CONFIGS, config, {"observedGeneration": generation, "conditions": [*before[-9:], condition]}
    )


def _said(config: Object) -> bool:
    return bool(config["status"]["conditions"][-1]["type"] == "Success")


KUBELET_CONFIG: Final = Behaviour(
    "kubelet configs",
    KUBELET_CONFIGS,
    generate,
    manager="machine-config-controller",
    woken_by=(Wake(MACHINE_CONFIG_POOLS, every(KUBELET_CONFIGS)),),
    reads=(MACHINE_CONFIGS,),
)
