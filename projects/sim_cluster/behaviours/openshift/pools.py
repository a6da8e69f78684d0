"""MachineConfigPools: what their nodes should be configured with, node after node, as the machine config controller does."""

from __future__ import annotations

from functools import partial
from typing import Final

from projects.sim_cluster.behaviours.conditions import is_true, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.label_selectors import selects
from projects.sim_cluster.behaviours.metadata import annotations_of, labels_of
from projects.sim_cluster.behaviours.openshift.rendering import API, GROUP, rendered, sources
from projects.sim_cluster.behaviours.pods import share
from projects.sim_cluster.behaviours.resources import MACHINE_CONFIG_POOLS, MACHINE_CONFIGS, NODES
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every

CURRENT: Final = f"{GROUP}/currentConfig"
DESIRED: Final = f"{GROUP}/desiredConfig"
STATE: Final = f"{GROUP}/state"
DONE: Final = "Done"
_USUAL: Final = ("master", "worker")


def node_annotations(config: str) -> dict[str, str]:
    """Return the annotations of a node that is configured."""
    return {CURRENT: config, DESIRED: config, STATE: DONE}


def annotation(node: Object, name: str) -> str:
    """Return an annotation of a node, an empty text when there is none."""
    return str(annotations_of(node).get(name, ""))


class _Rendered:
    """What pools are made of: one that came with a configuration keeps it until something in its sources changes.

    The configurations of a captured cluster were rendered by the real controller, whose names for them are its own.
    """

    def __init__(self) -> None:
        self._adopted: dict[str, tuple[str, str]] = {}

    def name_of(self, pool: Object, ours: str) -> str:
        """Return the name of the configuration that a pool should have, given the one that we would render."""
        given = (pool["spec"].get("configuration") or {}).get("name") or ours
        rendered_from, name = self._adopted.setdefault(pool["metadata"]["uid"], (ours, given))
        return name if rendered_from == ours else ours


async def configure(known: _Rendered, world: World, pool: Object) -> None:
    """Render a pool's configuration, have as many nodes take it on as may be away, and count them."""
    if pool["metadata"].get("deletionTimestamp"):
        return
    chosen = sources(pool, world.cache(MACHINE_CONFIGS))
    if not chosen:
        return
    target = rendered(pool, chosen)
    name = known.name_of(pool, target["metadata"]["name"])
    if name == target["metadata"]["name"]:
        await world.ensure(MACHINE_CONFIGS, target)
    configuration = configuration_of(name, chosen)
    if (pool["spec"].get("configuration") or {}).get("name") != name:
        pool = await world.patch(MACHINE_CONFIG_POOLS, pool, {"spec": {"configuration": configuration}})
    if not pool["spec"].get("paused"):
        await _begin(world, pool, nodes_of(world, pool), name)
    await _report(world, pool, configuration)


def configuration_of(name: str, chosen: list[Object]) -> Object:
    """Return a rendered configuration as a pool names it."""
    return {
        "name": name,
        "source": [{"apiVersion": API, "kind": "MachineConfig", "name": each["metadata"]["name"]} for each in chosen],
    }


def nodes_of(world: World, pool: Object) -> list[Object]:
    """Return the nodes of a pool: a pool of one's own takes its nodes from the workers."""
    return [node for node in world.cache(NODES) if _pool_of(world, node) == pool["metadata"]["name"]]


def _pool_of(world: World, node: Object) -> str:
    fitting = {
        each["metadata"]["name"]
        for each in world.cache(MACHINE_CONFIG_POOLS)
        if selects(each["spec"].get("nodeSelector"), labels_of(node))
    }
    own = sorted(fitting - set(_USUAL))
    return next(iter([*({"master"} & fitting), *own, *fitting]), "")


def _is_away(node: Object) -> bool:
    updating = bool(annotation(node, CURRENT)) and annotation(node, STATE) != DONE
    return updating or bool(node["spec"].get("unschedulable")) or not is_true(node, "Ready")


def _has(node: Object, name: str) -> bool:
    """Return whether a node has a configuration; one without annotations is nobody's to configure."""
    current = annotation(node, CURRENT)
    return not current or (current == annotation(node, DESIRED) == name and annotation(node, STATE) == DONE)


async def _begin(world: World, pool: Object, nodes: list[Object], name: str) -> None:
    allowed = max(1, share(pool["spec"].get("maxUnavailable") or 1, len(nodes), up=False))
    away = sum(
        1
        for node in nodes
        if annotation(node, CURRENT) and (_is_away(node) or annotation(node, CURRENT) != annotation(node, DESIRED))
    )
    waiting = [node for node in nodes if annotation(node, CURRENT) and annotation(node, DESIRED) != name]
    for node in sorted(waiting, key=lambda each: str(each["metadata"]["name"]))[: max(0, allowed - away)]:
        world.tell(pool, "SetDesiredConfig", f"Targeted node {node['metadata']['name']} to MachineConfig {name}")
        await world.patch(NODES, node, {"metadata": {"annotations": {DESIRED: name}}})


async def _report(world: World, pool: Object, configuration: Object) -> None:
    nodes, name = nodes_of(world, pool), configuration["name"]
    updated = [node for node in nodes if _has(node, name)]
    ready = [node for node in updated if not _is_away(node)]
    all_done = len(updated) == len(nodes) == len(ready)
    status: Object = {
        "machineCount": len(nodes), "updatedMachineCount": len(updated), "readyMachineCount": len(ready),
        "unavailableMachineCount": sum(map(_is_away, nodes)), "degradedMachineCount": 0, "observedGeneration": pool["metadata"]["generation"],
        "conditions": conditions(pool, world.timestamp, name, updated=all_done),
    }  # fmt: skip
    if all_done or not (pool.get("status") or {}).get("configuration"):
        status["configuration"] = configuration
    await world.set_status(MACHINE_CONFIG_POOLS, pool, status)


def conditions(pool: Object, now: str, name: str, *, updated: bool) -> list[Object]:
    """Return the conditions of a pool."""
    updating = not updated and not pool["spec"].get("paused")
    said = {
        "Updated": (updated, f"All nodes are updated with MachineConfig {name}" if updated else ""),
        "Updating": (updating, f"All nodes are updating to MachineConfig {name}" if updating else ""),
        "RenderDegraded": (False, ""), "NodeDegraded": (False, ""), "Degraded": (False, ""),
    }  # fmt: skip
    wanted = [
        {"type": kind, "status": str(value), "reason": "", "message": message}
        for kind, (value, message) in said.items()
    ]
    return with_conditions(pool, now, *wanted)


def pool_behaviour() -> Behaviour:
    """Return the behaviour of pools."""
    return Behaviour(
        "machine config pools",
        MACHINE_CONFIG_POOLS,
        partial(configure, _Rendered()),
        manager="machine-config-controller",
        woken_by=(Wake(NODES, every(MACHINE_CONFIG_POOLS)), Wake(MACHINE_CONFIGS, every(MACHINE_CONFIG_POOLS))),
        component="machineconfigcontroller-nodecontroller",
    )
