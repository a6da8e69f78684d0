"""The ClusterVersion and its upgrades: operators take on a version one after the other, the machine config last.

What is declared of time: each operator takes `Timings.operator_update`, each node what `node_updates` needs.
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.conditions import condition, is_true, with_conditions
from projects.sim_cluster.behaviours.hooks import HOLD, hook
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import annotations_of
from projects.sim_cluster.behaviours.openshift.releases import os_image_of, release, updates
from projects.sim_cluster.behaviours.openshift.rendering import VERSION
from projects.sim_cluster.behaviours.resources import (
    CLUSTER_OPERATORS,
    CLUSTER_VERSIONS,
    MACHINE_CONFIG_POOLS,
    MACHINE_CONFIGS,
)
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every

_LAST: Final = "machine-config"
#: Operators that go first, in this order; the others follow by name, and the machine config is last.
_FIRST: Final = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "machine-api",
    "openshift-apiserver",
    "authentication",
)


async def follow(world: World, version: Object) -> float | None:
    """Take a ClusterVersion one step further: what it may be updated to, and the update that is asked for."""
    if not (version.get("status") or {}).get("history"):
        return None  # nothing is installed yet
    await _offer(world, version)
    desired, now_at = version["spec"].get("desiredUpdate") or {}, version["status"]["history"][0]
    if now_at["state"] == "Partial":
        return None if hook(version, HOLD) else await _go_on(world, version, now_at["version"])
    if not desired or _names(desired, version["status"]["desired"]):
        await _say(world, version, at_rest(now_at["version"]))
        return None
    target = next((each for each in version["status"].get("availableUpdates") or () if _names(desired, each)), None)
    if target is None and desired.get("force") and desired.get("version"):
        target = release(desired["version"])
    if target is None:
        await _say(world, version, _invalid(now_at["version"], desired))
        return None
    await _begin(world, version, target)
    return 0


def _names(desired: Object, candidate: Object) -> bool:
    keys = [key for key in ("version", "image") if desired.get(key)]
    return bool(keys) and all(desired[key] == candidate.get(key) for key in keys)


async def _offer(world: World, version: Object) -> None:
    channel, current = version["spec"].get("channel", ""), version["status"]["desired"]["version"]
    found = updates(current, channel)
    told = {"type": "RetrievedUpdates", "status": "True", "reason": "", "message": ""}
    if not channel:
        told |= {"status": "False", "reason": "NoChannel", "message": "The update channel has not been configured."}
    elif not found:
        message = f"Unable to retrieve available updates: currently reconciling cluster version {current} not found in the {channel!r} channel"
        told |= {"status": "False", "reason": "VersionNotFound", "message": message.replace("'", '"')}
    conditions = with_conditions(version, world.timestamp, told)
    await world.set_status(CLUSTER_VERSIONS, version, {"availableUpdates": found or None, "conditions": conditions})


def at_rest(version: str) -> list[Object]:
    """Return the conditions of a cluster that is at a version and goes nowhere."""
    return [
        {"type": "Available", "status": "True", "reason": "", "message": f"Done applying {version}"},
        {"type": "Failing", "status": "False", "reason": "", "message": ""},
        {"type": "Progressing", "status": "False", "reason": "", "message": f"Cluster version is {version}"},
        {"type": "Invalid", "status": "False", "reason": "", "message": ""},
    ]


def _invalid(version: str, desired: Object) -> list[Object]:
    why = "when image is empty the update must be an available update"
    message = f'The cluster version is invalid: spec.desiredUpdate.version: Invalid value: "{desired.get("version", "")}": {why}'
    stopped = f"Stopped at {version}: the cluster version is invalid"
    return [
        {"type": "Invalid", "status": "True", "reason": "InvalidClusterVersion", "message": message},
        {"type": "Progressing", "status": "False", "reason": "InvalidClusterVersion", "message": stopped},
    ]


async def _say(world: World, version: Object, said: list[Object]) -> None:
    found = world.cache(CLUSTER_VERSIONS).get("", version["metadata"]["name"]) or version
    conditions = with_conditions(found, world.timestamp, *said)
    status = {"conditions": conditions, "observedGeneration": version["metadata"]["generation"]}
    await world.set_status(CLUSTER_VERSIONS, found, status)


async def _begin(world: World, version: Object, target: Object) -> None:
    now = world.timestamp
    entry = {
        "state": "Partial",
        "startedTime": now,
        "completionTime": None,
        "version": target["version"],
        "image": target["image"],
        "verified": True,
    }
    await world.set_status(CLUSTER_VERSIONS, version, {
        "desired": {key: target[key] for key in ("version", "image", "url", "channels") if key in target},
        "history": [entry, *version["status"]["history"]],
        "conditions": with_conditions(version, now, *_working(target["version"], 0, 1, "")),
    })  # fmt: skip


def _working(target: str, done: int, total: int, waiting: str) -> list[Object]:
    message = f"Working towards {target}: {done} of {total} done ({100 * done // total}% complete)"
    return [
        {
            "type": "Progressing",
            "status": "True",
            "reason": "",
            "message": message + (f", waiting on {waiting}" if waiting else ""),
        },
        {"type": "Failing", "status": "False", "reason": "", "message": ""},
        {"type": "Invalid", "status": "False", "reason": "", "message": ""},
    ]


def _in_order(operators: list[Object]) -> list[Object]:
    def place(operator: Object) -> tuple[int, str]:
        name = operator["metadata"]["name"]
        return (_FIRST.index(name) if name in _FIRST else len(_FIRST) + (name == _LAST), name)

    return sorted(operators, key=place)


def version_of(operator: Object) -> str:
    """Return the version that a ClusterOperator is at."""
    versions = (operator.get("status") or {}).get("versions") or ()
    return next((str(each["version"]) for each in versions if each["name"] == "operator"), "")


async def _go_on(world: World, version: Object, target: str) -> float | None:
    operators = _in_order(list(world.cache(CLUSTER_OPERATORS)))
    waiting = [each for each in operators if version_of(each) != target]
    if not waiting:
        await _finish(world, version, target)
        return None
    operator = waiting[0]
    await _say(
        world, version, _working(target, len(operators) - len(waiting), len(operators), operator["metadata"]["name"])
    )
    progressing = condition(operator, "Progressing")
    if progressing.get("status") != "True":
        await _progress(world, operator, f"Working towards {target}")
        if operator["metadata"]["name"] == _LAST:
            await _change_machines(world, target)
        return world.timings.operator_update
    if (left := seconds_of(progressing["lastTransitionTime"]) + world.timings.operator_update - world.now) > 0:
        return left
    if operator["metadata"]["name"] == _LAST and not _machines_are_at(world, target):
        return None  # a pool's change wakes this
    await _arrive(world, operator, target)
    return 0


async def _progress(world: World, operator: Object, message: str) -> None:
    told = {"type": "Progressing", "status": "True", "reason": "RollingOut", "message": message}
    await world.set_status(
        CLUSTER_OPERATORS, operator, {"conditions": with_conditions(operator, world.timestamp, told)}
    )


async def _arrive(world: World, operator: Object, target: str) -> None:
    name = operator["metadata"]["name"]
    told = {"type": "Progressing", "status": "False", "reason": "AsExpected", "message": f"{name} is at {target}"}
    versions = [
        each | {"version": target} for each in (operator.get("status") or {}).get("versions") or [{"name": "operator"}]
    ]
    conditions = with_conditions(operator, world.timestamp, told)
    await world.set_status(CLUSTER_OPERATORS, operator, {"versions": versions, "conditions": conditions})


async def _change_machines(world: World, target: str) -> None:
    """Give the base MachineConfig of each role the operating system of a version; its pool does the rest."""
    for config in world.cache(MACHINE_CONFIGS):
        if config["metadata"]["name"].startswith("00-"):
            change = {"metadata": {"annotations": {VERSION: target}}, "spec": {"osImageURL": os_image_of(target)}}
            await world.patch(MACHINE_CONFIGS, config, change)


def _machines_are_at(world: World, target: str) -> bool:
    for pool in world.cache(MACHINE_CONFIG_POOLS):
        name = ((pool.get("status") or {}).get("configuration") or {}).get("name", "")
        config = world.cache(MACHINE_CONFIGS).get("", name)
        at = annotations_of(config).get(VERSION) if config else ""
        if at != target or not is_true(pool, "Updated"):
            return False
    return True


async def _finish(world: World, version: Object, target: str) -> None:
    found = world.cache(CLUSTER_VERSIONS).get("", version["metadata"]["name"]) or version
    first, *others = found["status"]["history"]
    done = first | {"state": "Completed", "completionTime": world.timestamp}
    conditions = with_conditions(found, world.timestamp, *at_rest(target))
    await world.set_status(CLUSTER_VERSIONS, found, {"history": [done, *others], "conditions": conditions})


CLUSTER_VERSION: Final = Behaviour(
    "cluster version",
    CLUSTER_VERSIONS,
    follow,
    manager="cluster-version-operator",
    woken_by=(Wake(CLUSTER_OPERATORS, every(CLUSTER_VERSIONS)), Wake(MACHINE_CONFIG_POOLS, every(CLUSTER_VERSIONS))),
    reads=(MACHINE_CONFIGS,),
    component="openshift-cluster-version",
)
