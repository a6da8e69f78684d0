"""OLM, second half, second step: a ClusterServiceVersion brings its Deployments up and replaces the one before it."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.conditions import is_true
from projects.sim_cluster.behaviours.hooks import FAIL, HOLD, hook
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.openshift.package_labels import package_name
from projects.sim_cluster.behaviours.resources import CLUSTER_SERVICE_VERSIONS, DEPLOYMENTS, OPERATOR_GROUPS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, of_namespace, owner_keys, owner_reference

_UNSUPPORTED: Final = {
    "OwnNamespace": "OwnNamespace InstallModeType not supported, cannot configure to watch own namespace",
    "AllNamespaces": "AllNamespaces InstallModeType not supported, cannot configure to watch all namespaces",
    "SingleNamespace": "SingleNamespace InstallModeType not supported, cannot configure to watch one namespace",
    "MultiNamespace": "MultiNamespace InstallModeType not supported, cannot configure to watch multiple namespaces",
}


async def bring_up(world: World, csv: Object) -> float | None:
    """Take a ClusterServiceVersion to its next phase: Pending, InstallReady, Installing, Succeeded."""
    if csv["metadata"].get("deletionTimestamp"):
        return None
    phase = (csv.get("status") or {}).get("phase")
    if hook(csv, HOLD) and phase != "Succeeded":
        return None
    if (message := hook(csv, FAIL)) and phase not in {None, "Failed"}:
        await _enter(world, csv, "Failed", "InstallComponentFailed", message)
        return None
    if phase not in {"Succeeded", "Failed"} and (problem := _unsupported(world, csv)):
        await _enter(world, csv, "Failed", "UnsupportedOperatorGroup", problem)
        return None
    match phase:
        case None:
            await _enter(world, csv, "Pending", "RequirementsUnknown", "requirements not yet checked")
        case "Pending":
            await _enter(world, csv, "InstallReady", "AllRequirementsMet", "all requirements found, attempting install")
        case "InstallReady":
            await _create_deployments(world, csv)
            await _enter(
                world, csv, "Installing", "InstallSucceeded", "waiting for install components to report healthy"
            )
        case "Installing":
            return await _finish(world, csv)
        case "Succeeded":
            await _create_deployments(world, csv)
    return None


def _unsupported(world: World, csv: Object) -> str:
    """Return why the operator group of the namespace does not suit the operator."""
    groups = world.cache(OPERATOR_GROUPS).in_namespace(csv["metadata"]["namespace"])
    if len(groups) != 1:
        return "csv created in namespace with multiple operatorgroups, can't pick one automatically" if groups else ""
    targets = (groups[0].get("spec") or {}).get("targetNamespaces") or []
    mode = "AllNamespaces" if not targets else "MultiNamespace" if len(targets) > 1 else "SingleNamespace"
    if targets == [csv["metadata"]["namespace"]]:
        mode = "OwnNamespace"
    modes = {entry["type"]: entry["supported"] for entry in csv["spec"].get("installModes") or ()}
    return "" if modes.get(mode, True) else _UNSUPPORTED[mode]


async def _enter(world: World, csv: Object, phase: str, reason: str, message: str) -> None:
    now = world.timestamp
    entry = {"phase": phase, "reason": reason, "message": message, "lastTransitionTime": now, "lastUpdateTime": now}
    history = [*((csv.get("status") or {}).get("conditions") or ()), entry]
    await world.set_status(CLUSTER_SERVICE_VERSIONS, csv, entry | {"conditions": history})


async def _create_deployments(world: World, csv: Object) -> None:
    """Make the operator's Deployments, or take them over from the version before."""
    owners = [owner_reference(csv)]
    for wanted in csv["spec"]["install"]["spec"]["deployments"]:
        found = world.cache(DEPLOYMENTS).get(csv["metadata"]["namespace"], wanted["name"])
        if found is None:
            metadata = {
                "name": wanted["name"],
                "namespace": csv["metadata"]["namespace"],
                "labels": wanted.get("label") or {},
            }
            made = {"metadata": metadata | {"ownerReferences": owners}, "spec": wanted["spec"]}
            await world.create(DEPLOYMENTS, {"apiVersion": "apps/v1", "kind": "Deployment"} | made)
        elif csv["status"]["phase"] != "Succeeded" and found["metadata"].get("ownerReferences") != owners:
            await world.patch(DEPLOYMENTS, found, {"metadata": {"ownerReferences": owners}, "spec": wanted["spec"]})


async def _finish(world: World, csv: Object) -> float | None:
    started = seconds_of(csv["status"]["lastTransitionTime"])
    if (left := started + world.timings.csv_install_of(package_name(csv)) - world.now) > 0:
        return left
    namespace = csv["metadata"]["namespace"]
    deployments = [
        world.cache(DEPLOYMENTS).get(namespace, wanted["name"])
        for wanted in csv["spec"]["install"]["spec"]["deployments"]
    ]
    if not all(deployment is not None and is_true(deployment, "Available") for deployment in deployments):
        return None
    await _enter(world, csv, "Succeeded", "InstallSucceeded", "install strategy completed with no errors")
    older = world.cache(CLUSTER_SERVICE_VERSIONS).get(namespace, csv["spec"].get("replaces", ""))
    if older is not None:
        await world.delete(CLUSTER_SERVICE_VERSIONS, older)
    return None


SERVICE_VERSION: Final = Behaviour(
    "service versions",
    CLUSTER_SERVICE_VERSIONS,
    bring_up,
    manager="olm",
    woken_by=(Wake(DEPLOYMENTS, owner_keys), Wake(OPERATOR_GROUPS, of_namespace(CLUSTER_SERVICE_VERSIONS))),
)
