"""OLM, second half, first step: an approved InstallPlan creates the operator's CRDs and its ClusterServiceVersion."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from projects.sim_cluster.behaviours.conditions import with_conditions
from projects.sim_cluster.behaviours.hooks import FAIL, HOLD, hook
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.openshift.package_labels import package_label, package_name
from projects.sim_cluster.behaviours.openshift.subscriptions import channel_of, package_of
from projects.sim_cluster.behaviours.resources import (
    CLUSTER_SERVICE_VERSIONS,
    CUSTOM_RESOURCES,
    INSTALL_PLANS,
    OPERATOR_GROUPS,
    PACKAGE_MANIFESTS,
    SUBSCRIPTIONS,
)
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, of_namespace


class Bundle(NamedTuple):
    """What an operator's image holds beside what its catalog shows."""

    definitions: tuple[Object, ...]
    deployment: str


Bundles = Callable[[str], Bundle | None]


async def carry_out(bundles: Bundles, world: World, plan: Object) -> float | None:
    """Take an InstallPlan to its next phase."""
    phase = (plan.get("status") or {}).get("phase")
    if phase in {"Complete", "Failed"} or plan["metadata"].get("deletionTimestamp"):
        return None
    if hook(plan, HOLD):
        return None
    if not plan["spec"].get("approved"):
        await world.set_status(INSTALL_PLANS, plan, {"phase": "RequiresApproval", "catalogSources": [], "plan": []})
        return None
    groups = world.cache(OPERATOR_GROUPS).in_namespace(plan["metadata"]["namespace"])
    if len(groups) != 1:
        await _refuse(world, plan, len(groups))
        return None
    if phase != "Installing" or "startTime" not in plan["status"]:
        await world.set_status(
            INSTALL_PLANS,
            plan,
            {"phase": "Installing", "startTime": world.timestamp, "catalogSources": [], "conditions": []},
        )
        return world.timings.install_plan_of(package_name(plan))
    if message := hook(plan, FAIL):
        await _fail(world, plan, message)
        return None
    if (
        left := seconds_of(plan["status"]["startTime"]) + world.timings.install_plan_of(package_name(plan)) - world.now
    ) > 0:
        return left
    return await _install(bundles, world, plan)


async def _refuse(world: World, plan: Object, groups: int) -> None:
    message = "no operator group found that is managing this namespace"
    if groups > 1:
        message = f"more than one operator group(s) are managing this namespace count={groups}"
    failed = {"type": "Installed", "status": "False", "reason": "InstallCheckFailed", "message": message}
    await world.set_status(INSTALL_PLANS, plan, {
        "phase": "Installing", "catalogSources": [], "plan": [], "conditions": with_conditions(plan, world.timestamp, failed),
    })  # fmt: skip


async def _fail(world: World, plan: Object, message: str) -> None:
    failed = {"type": "Installed", "status": "False", "reason": "InstallComponentFailed", "message": message}
    conditions = with_conditions(plan, world.timestamp, failed)
    await world.set_status(INSTALL_PLANS, plan, {"phase": "Failed", "message": message, "conditions": conditions})


async def _install(bundles: Bundles, world: World, plan: Object) -> float | None:
    owner = next((o for o in plan["metadata"].get("ownerReferences") or () if o["kind"] == "Subscription"), None)
    subscription = world.cache(SUBSCRIPTIONS).get(plan["metadata"]["namespace"], owner["name"]) if owner else None
    package = package_of(world, subscription) if subscription else None
    channel = channel_of(package, subscription) if package and subscription else None
    if channel is None or package is None:
        return world.timings.retry
    bundle = bundles(package["metadata"]["name"]) or _unknown_bundle(package, channel)
    for definition in bundle.definitions:
        await world.ensure(CUSTOM_RESOURCES, definition)
    for name in plan["spec"]["clusterServiceVersionNames"]:
        await world.ensure(CLUSTER_SERVICE_VERSIONS, _csv(plan, package, channel, name, bundle.deployment))
    done = {"type": "Installed", "status": "True"}
    steps = [{"resolving": name, "status": "Created", "resource": {"group": "operators.coreos.com", "kind": "ClusterServiceVersion",
              "name": name, "version": "v1alpha1"}} for name in plan["spec"]["clusterServiceVersionNames"]]  # fmt: skip
    await world.set_status(
        INSTALL_PLANS,
        plan,
        {"phase": "Complete", "plan": steps, "conditions": with_conditions(plan, world.timestamp, done)},
    )
    return None


def _unknown_bundle(package: Object, channel: Object) -> Bundle:
    """Return what is taken for the bundle of a package that nobody declared, such as one of a captured cluster."""
    owned = channel["currentCSVDesc"]["customresourcedefinitions"]["owned"]
    return Bundle(tuple(map(_definition, owned)), f"{package['metadata']['name']}-controller-manager")


def _definition(owned: Object) -> Object:
    """Return the CRD of a kind: any field is accepted, for a catalog entry says no more than names."""
    plural, _, group = owned["name"].partition(".")
    names = {
        "kind": owned["kind"],
        "plural": plural,
        "singular": owned["kind"].lower(),
        "listKind": f"{owned['kind']}List",
    }
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {
        "name": owned["version"],
        "served": True,
        "storage": True,
        "schema": schema,
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": owned["name"]},
        "spec": {"group": group, "scope": owned.get("scope", "Namespaced"), "names": names, "versions": [version]},
    }  # fmt: skip


def _csv(plan: Object, package: Object, channel: Object, name: str, deployment: str) -> Object:
    description, namespace = channel["currentCSVDesc"], plan["metadata"]["namespace"]
    names = [entry["name"] for entry in channel["entries"]]
    version = next((entry["version"] for entry in channel["entries"] if entry["name"] == name), description["version"])
    older = names[names.index(name) + 1 :] if name in names else []
    label = package_label(package["metadata"]["name"], namespace)
    return {
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion",
        "metadata": {"name": name, "namespace": namespace, "annotations": description["annotations"], "labels": {label: ""}},
        "spec": {
            "displayName": description["displayName"], "version": version, "provider": description["provider"],
            "description": description["description"], "installModes": description["installModes"],
            "customresourcedefinitions": description["customresourcedefinitions"],
            "relatedImages": [{"name": f"image-{index}", "image": image} for index, image in enumerate(description["relatedImages"])],
            "install": {"strategy": "deployment", "spec": {"deployments": [_deployment(package, description, deployment)]}},
        } | ({"replaces": older[0]} if older else {}),
    }  # fmt: skip


def _deployment(package: Object, description: Object, name: str) -> Object:
    labels = {"control-plane": "controller-manager", "app": package["metadata"]["name"]}
    container = {"name": "manager", "image": description["relatedImages"][0]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "name": name,
        "label": labels,
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }


def install_plan(bundles: Bundles) -> Behaviour:
    """Return the behaviour; `bundles` gives what is in the package of a name, None for one that nobody declared."""
    return Behaviour(
        "install plans",
        INSTALL_PLANS,
        partial(carry_out, bundles),
        manager="catalog",
        woken_by=(Wake(OPERATOR_GROUPS, of_namespace(INSTALL_PLANS)),),
        reads=(SUBSCRIPTIONS, PACKAGE_MANIFESTS, CLUSTER_SERVICE_VERSIONS, CUSTOM_RESOURCES),
    )
