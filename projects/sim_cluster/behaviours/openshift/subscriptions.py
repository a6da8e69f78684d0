"""OLM, first half: a Subscription is resolved against its catalog and gets an InstallPlan."""

from __future__ import annotations

from typing import Any, Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.conditions import condition, with_conditions
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.openshift.package_labels import package_label
from projects.sim_cluster.behaviours.resources import (
    CATALOG_SOURCES,
    CLUSTER_SERVICE_VERSIONS,
    INSTALL_PLANS,
    PACKAGE_MANIFESTS,
    SUBSCRIPTIONS,
)
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every, of_namespace

_AVAILABLE: Final[Object] = {"type": "CatalogSourcesUnhealthy", "status": "False", "reason": "AllCatalogSourcesHealthy",
                             "message": "all available catalogsources are healthy"}  # fmt: skip


def package_of(world: World, subscription: Object) -> Object | None:
    """Return the package that a Subscription names."""
    spec = subscription["spec"]
    for package in world.cache(PACKAGE_MANIFESTS).in_namespace(spec.get("sourceNamespace", "")):
        if package["metadata"]["name"] == spec.get("name") and package["status"]["catalogSource"] == spec.get("source"):
            return package
    return None


def channel_of(package: Object, subscription: Object) -> Object | None:
    """Return the channel that a Subscription follows."""
    wanted = subscription["spec"].get("channel") or package["status"]["defaultChannel"]
    return next((channel for channel in package["status"]["channels"] if channel["name"] == wanted), None)


async def resolve(world: World, subscription: Object) -> float | None:
    """Take a Subscription to its next step: resolved, planned, installed, upgraded."""
    if subscription["metadata"].get("deletionTimestamp"):
        return None
    status = subscription.get("status") or {}
    if not status:
        await world.set_status(
            SUBSCRIPTIONS,
            subscription,
            {"lastUpdated": world.timestamp, "conditions": with_conditions(subscription, world.timestamp, _AVAILABLE)},
        )
        return world.timings.catalog_resolve
    chosen, problem = _choose(world, subscription)
    if problem:
        await _fail(world, subscription, problem)
        return None
    if not chosen:
        return None
    planned = _plan_of(world, subscription, chosen)
    if planned is None:
        planned = await _plan(world, subscription, chosen)
    await _report(world, subscription, chosen, planned)
    return None


def _choose(world: World, subscription: Object) -> tuple[str, str]:
    """Return the name of the version to install next, or what is wrong."""
    spec = subscription["spec"]
    where = f"catalog {spec.get('source')} in namespace {spec.get('sourceNamespace')} referenced by subscription {subscription['metadata']['name']}"
    if world.cache(CATALOG_SOURCES).get(spec.get("sourceNamespace", ""), spec.get("source", "")) is None:
        return (
            "",
            f"constraints not satisfiable: no operators found from {where}, subscription {subscription['metadata']['name']} exists",
        )
    package = package_of(world, subscription)
    name = f"subscription {subscription['metadata']['name']} exists"
    if package is None:
        return (
            "",
            f"constraints not satisfiable: no operators found in package {spec.get('name')} in the {where}, {name}",
        )
    channel = channel_of(package, subscription)
    if channel is None:
        return "", (f"constraints not satisfiable: no operators found in channel {spec.get('channel')} of package {spec.get('name')} "
                    f"in the {where}, {name}")  # fmt: skip
    names = [entry["name"] for entry in channel["entries"]]
    installed = (subscription.get("status") or {}).get("installedCSV")
    if installed is None and (starting := spec.get("startingCSV")):
        if starting not in names:
            return "", (f"constraints not satisfiable: no operators found with name {starting} in channel {channel['name']} of package "
                        f"{spec.get('name')} in the {where}, {name}")  # fmt: skip
        return starting, ""
    if installed in names[1:]:
        return names[names.index(installed) - 1], ""  # one version at a time, along the channel
    return channel["currentCSV"], ""


def _plan_of(world: World, subscription: Object, version: str) -> Object | None:
    uid = subscription["metadata"]["uid"]
    for plan in world.cache(INSTALL_PLANS).in_namespace(subscription["metadata"]["namespace"]):
        owners = [owner["uid"] for owner in plan["metadata"].get("ownerReferences") or ()]
        if uid in owners and version in plan["spec"]["clusterServiceVersionNames"]:
            return plan
    return None


async def _plan(world: World, subscription: Object, version: str) -> Object:
    metadata = subscription["metadata"]
    approval = subscription["spec"].get("installPlanApproval") or "Automatic"
    owner = {"apiVersion": subscription["apiVersion"], "kind": subscription["kind"], "name": metadata["name"], "uid": metadata["uid"],
             "controller": False, "blockOwnerDeletion": False}  # fmt: skip
    generation = (subscription.get("status") or {}).get("installPlanGeneration", 0) + 1
    return await world.create(INSTALL_PLANS, {
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "InstallPlan",
        "metadata": {"generateName": "install-", "namespace": metadata["namespace"], "ownerReferences": [owner],
                     "labels": {package_label(subscription["spec"]["name"], metadata["namespace"]): ""}},
        "spec": {"approval": approval, "approved": approval == "Automatic", "clusterServiceVersionNames": [version], "generation": generation},
    })  # fmt: skip


async def _report(world: World, subscription: Object, version: str, plan: Object) -> None:
    metadata = plan["metadata"]
    reference: dict[str, Any] = {
        "apiVersion": plan["apiVersion"],
        "kind": plan["kind"],
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }
    csv = world.cache(CLUSTER_SERVICE_VERSIONS).get(metadata["namespace"], version)
    phase = (plan.get("status") or {}).get("phase")
    conditions = _conditions(world, subscription, plan, phase)
    status: Object = {
        "currentCSV": version, "installPlanRef": reference, "installPlanGeneration": plan["spec"]["generation"],
        "installplan": {key: reference[key] for key in ("apiVersion", "kind", "name", "uid")} | {"uuid": metadata["uid"]},
        "state": "UpgradePending", "conditions": conditions,
    }  # fmt: skip
    if csv is not None and phase == "Complete":
        status |= {
            "installedCSV": version,
            "state": "AtLatestKnown",
        }  # until the next version of the channel is planned
    old = subscription.get("status") or {}
    if any(old.get(key) != value for key, value in status.items()):
        await world.set_status(SUBSCRIPTIONS, subscription, status | {"lastUpdated": world.timestamp})


def _conditions(world: World, subscription: Object, plan: Object, phase: str | None) -> list[Object]:
    pending = {"type": "InstallPlanPending", "status": "True", "reason": phase or "Installing"}
    told = condition(plan, "Installed")
    failed = {
        "type": "InstallPlanFailed",
        "status": "True",
        "reason": told.get("reason", ""),
        "message": told.get("message", ""),
    }
    wanted = {"Complete": [], "Failed": [failed]}.get(phase or "", [pending])
    gone = {"Complete": {"InstallPlanPending", "ResolutionFailed"}, "Failed": {"InstallPlanPending"}}.get(
        phase or "", set()
    )
    found = with_conditions(subscription, world.timestamp, _AVAILABLE, *wanted)
    return [entry for entry in found if entry["type"] not in gone]


async def _fail(world: World, subscription: Object, message: str) -> None:
    failed = {"type": "ResolutionFailed", "status": "True", "reason": "ConstraintsNotSatisfiable", "message": message}
    await world.set_status(
        SUBSCRIPTIONS, subscription, {"conditions": with_conditions(subscription, world.timestamp, _AVAILABLE, failed)}
    )


def _subscription_of(_world: World, plan: Object) -> list[Key]:
    owners = plan["metadata"].get("ownerReferences") or ()
    return [(plan["metadata"]["namespace"], owner["name"]) for owner in owners if owner["kind"] == "Subscription"]


SUBSCRIPTION: Final = Behaviour(
    "subscriptions",
    SUBSCRIPTIONS,
    resolve,
    manager="catalog",
    woken_by=(
        Wake(INSTALL_PLANS, _subscription_of),
        Wake(CLUSTER_SERVICE_VERSIONS, of_namespace(SUBSCRIPTIONS)),
        Wake(CATALOG_SOURCES, every(SUBSCRIPTIONS)),
        Wake(PACKAGE_MANIFESTS, every(SUBSCRIPTIONS)),
    ),
)
