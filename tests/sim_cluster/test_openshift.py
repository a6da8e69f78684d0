"""OpenShift's behaviours, seen through HTTP."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.machine_sets import MACHINES, add_machine_set
from tests.sim_cluster.olm import OLM, group, subscribe, succeeded
from tests.sim_cluster.talk import MERGE, Client, named, says

PACKAGES = "/apis/packages.operators.coreos.com/v1/namespaces/openshift-marketplace/packagemanifests"


def ready_nodes(client: Client) -> set[str]:
    return {
        node["metadata"]["name"]
        for node in client.get("/api/v1/nodes")["items"]
        if any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
    }


def test_machine_sets_bring_and_take_nodes(openshift: Client) -> None:
    name = openshift.get(f"{MACHINES}/machinesets")["items"][0]["metadata"]["name"]
    path, before = f"{MACHINES}/machinesets/{name}", ready_nodes(openshift)
    assert len(before) == 3
    openshift.merge(f"{path}/scale", {"spec": {"replicas": 5}})
    openshift.until(path, lambda obj: obj["status"].get("readyReplicas") == 5 == obj["status"].get("availableReplicas"))
    fresh = ready_nodes(openshift) - before
    machines = openshift.get(f"{MACHINES}/machines")["items"]
    assert len(fresh) == 2
    assert {machine["status"]["nodeRef"]["name"] for machine in machines} == before | fresh
    openshift.merge(path, {"spec": {"replicas": 3}})
    openshift.until(path, lambda obj: obj["status"].get("replicas") == 3)
    for machine in machines:
        if machine["status"]["nodeRef"]["name"] in fresh:
            openshift.gone(f"/api/v1/nodes?fieldSelector=metadata.name%3D{machine['status']['nodeRef']['name']}")
    assert ready_nodes(openshift) == before


def test_machines_of_another_type(openshift: Client) -> None:
    taint = {"key": "gpu", "value": "1", "effect": "NoSchedule"}
    path = add_machine_set(openshift, "gpus", instance_type="g5.2xlarge", taints=[taint])
    openshift.until(path, says("readyReplicas", 1))
    nodes = openshift.get("/api/v1/nodes?labelSelector=node.kubernetes.io%2Finstance-type%3Dg5.2xlarge")["items"]
    assert len(nodes) == 1
    assert nodes[0]["spec"]["taints"][0] == taint  # real controllers add theirs for a moment
    openshift.ask("DELETE", path)
    openshift.gone("/api/v1/nodes?labelSelector=node.kubernetes.io%2Finstance-type%3Dg5.2xlarge")


@pytest.fixture
def space(openshift: Client, new_name: Callable[[str], str]) -> str:
    return make_namespace(openshift, new_name("olm"))


def plan_of(client: Client, subscription: str) -> str:
    found = client.until(subscription, lambda obj: "installPlanRef" in obj.get("status", {}))
    name: str = found["status"]["installPlanRef"]["name"]
    return subscription.rpartition("/subscriptions/")[0] + "/installplans/" + name


def is_planned(name: str, subscription: Any) -> bool:
    status = subscription.get("status", {})
    return status.get("currentCSV") == name and "installPlanRef" in status


def test_an_automatic_subscription_ends_installed(openshift: Client, space: str) -> None:
    group(openshift, space)
    path = subscribe(openshift, space)
    done = openshift.until(path, lambda obj: obj.get("status", {}).get("installedCSV"))
    assert done["status"]["state"] == "AtLatestKnown"
    csv = succeeded(openshift, space, done["status"]["installedCSV"])
    assert [c["phase"] for c in csv["status"]["conditions"]] == ["Pending", "InstallReady", "Installing", "Succeeded"]
    assert json.loads(csv["metadata"]["annotations"]["alm-examples"])[0]["kind"] == "Example"
    examples = f"/apis/example.foresail.io/v1/namespaces/{space}/examples"
    openshift.post(examples, json.loads(csv["metadata"]["annotations"]["alm-examples"])[0])
    deployments = openshift.get(f"/apis/apps/v1/namespaces/{space}/deployments")["items"]
    assert deployments[0]["status"]["availableReplicas"] == 1


def test_a_manual_plan_waits_and_a_starting_version_is_upgraded_step_by_step(openshift: Client, space: str) -> None:
    group(openshift, space)
    path = subscribe(openshift, space, installPlanApproval="Manual", startingCSV="example-operator.v1.0.0")
    installed: list[str] = []
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        name = f"example-operator.v{version}"
        openshift.until(path, partial(is_planned, name))
        plan = plan_of(openshift, path)
        found = openshift.until(plan, lambda obj: obj.get("status", {}).get("phase") == "RequiresApproval")
        assert found["spec"] == {
            "approval": "Manual",
            "approved": False,
            "clusterServiceVersionNames": [name],
            "generation": len(installed) + 1,
        }
        openshift.merge(plan, {"spec": {"approved": True}})
        succeeded(openshift, space, name)
        installed.append(name)
    openshift.until(
        path,
        lambda obj: obj["status"].get("state") == "AtLatestKnown" and obj["status"]["installedCSV"].endswith("1.2.0"),
    )
    versions = f"{OLM}/v1alpha1/namespaces/{space}/clusterserviceversions"
    openshift.gone(
        named(versions, "example-operator.v1.1.0")
    )  # which goes after the one that replaces it has succeeded
    assert [csv["metadata"]["name"] for csv in openshift.get(versions)["items"]] == ["example-operator.v1.2.0"]


def test_without_an_operator_group_nothing_is_installed(openshift: Client, space: str) -> None:
    plan = plan_of(openshift, subscribe(openshift, space))
    found = openshift.until(plan, lambda obj: obj.get("status", {}).get("conditions"))
    condition = found["status"]["conditions"][0]
    assert (condition["reason"], condition["message"]) == (
        "InstallCheckFailed",
        "no operator group found that is managing this namespace",
    )
    group(openshift, space)
    openshift.until(plan, lambda obj: obj["status"]["phase"] == "Complete")


def test_an_install_mode_that_is_not_supported_fails(openshift: Client, space: str) -> None:
    group(openshift, space)
    subscribe(openshift, space, name="gpu-operator-certified", source="certified-operators", channel="v25.3")
    path = f"{OLM}/v1alpha1/namespaces/{space}/clusterserviceversions/gpu-operator-certified.v25.3.4"
    failed = openshift.until(path, lambda obj: obj.get("status", {}).get("phase") == "Failed")
    assert failed["status"]["reason"] == "UnsupportedOperatorGroup"
    assert "AllNamespaces InstallModeType not supported" in failed["status"]["message"]


@pytest.mark.parametrize(("wrong", "said"), [
    ({"source": "no-such"}, "no operators found from catalog no-such in namespace openshift-marketplace"),
    ({"name": "no-such"}, "no operators found in package no-such"), ({"channel": "no-such"}, "no operators found in channel no-such of package"),
    ({"startingCSV": "no-such"}, "no operators found with name no-such in channel stable"),
])  # fmt: skip
def test_what_cannot_be_resolved_is_said(openshift: Client, space: str, wrong: dict[str, str], said: str) -> None:
    path = subscribe(openshift, space, **wrong)
    found = openshift.until(
        path, lambda obj: any(c["type"] == "ResolutionFailed" for c in obj.get("status", {}).get("conditions", ()))
    )
    assert said in next(c["message"] for c in found["status"]["conditions"] if c["type"] == "ResolutionFailed")


def test_packages_are_read_only_and_whole(openshift: Client) -> None:
    packages = openshift.get(PACKAGES)["items"]
    assert {package["metadata"]["name"] for package in packages} == {
        "gpu-operator-certified",
        "nfd",
        "example-operator",
    }
    for package in packages:
        assert package["status"]["defaultChannel"] in {channel["name"] for channel in package["status"]["channels"]}
        for channel in package["status"]["channels"]:
            assert channel["currentCSV"] == channel["entries"][0]["name"]
            assert channel["currentCSVDesc"]["installModes"]
    assert openshift.ask("DELETE", f"{PACKAGES}/nfd").status == 405


def test_projects_are_namespaces(openshift: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("project")
    request = {
        "apiVersion": "project.openshift.io/v1",
        "kind": "ProjectRequest",
        "metadata": {"name": name},
        "displayName": "Mine",
    }
    made = openshift.post("/apis/project.openshift.io/v1/projectrequests", request)
    assert (made["kind"], made["metadata"]["annotations"]["openshift.io/display-name"]) == ("Project", "Mine")
    path = f"/apis/project.openshift.io/v1/projects/{name}"
    openshift.merge(path, {"metadata": {"annotations": {"a/b": "4.10"}}})
    assert openshift.get(f"/api/v1/namespaces/{name}")["metadata"]["annotations"]["a/b"] == "4.10"
    assert (
        openshift.get(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/rolebindings")["items"][0]["metadata"][
            "name"
        ]
        == "admin"
    )
    assert name in {
        project["metadata"]["name"] for project in openshift.get("/apis/project.openshift.io/v1/projects")["items"]
    }
    assert openshift.ask("DELETE", path).status == 200
    openshift.gone(f"/api/v1/namespaces?fieldSelector=metadata.name%3D{name}")


def test_routes_are_admitted(openshift: Client, space: str) -> None:
    routes = f"/apis/route.openshift.io/v1/namespaces/{space}/routes"
    openshift.post(
        routes,
        {
            "apiVersion": "route.openshift.io/v1",
            "kind": "Route",
            "metadata": {"name": "r"},
            "spec": {"to": {"kind": "Service", "name": "s"}},
        },
    )
    route = openshift.until(f"{routes}/r", lambda obj: obj.get("status", {}).get("ingress"))
    assert route["status"]["ingress"][0]["host"] == route["spec"]["host"] == f"r-{space}.apps.sim.example.com"


def test_the_project_template_can_be_edited(openshift: Client) -> None:
    path = "/apis/template.openshift.io/v1/namespaces/openshift-config/templates/project-request"
    objects = openshift.get(path)["objects"]
    objects[0]["metadata"]["annotations"]["a/b"] = "c"
    answer = openshift.ask("PATCH", path, {"objects": objects}, MERGE)
    assert answer.body["objects"][0]["metadata"]["annotations"] == {"a/b": "c"}
    openshift.merge(
        "/apis/config.openshift.io/v1/projects/cluster",
        {"spec": {"projectRequestTemplate": {"name": "project-request"}}},
    )


def test_a_catalog_that_is_made_gets_ready(openshift: Client, space: str) -> None:
    sources = f"{OLM}/v1alpha1/namespaces/{space}/catalogsources"
    spec = {"sourceType": "grpc", "image": "quay.io/me/catalog:latest", "displayName": "Mine"}
    openshift.post(
        sources,
        {
            "apiVersion": "operators.coreos.com/v1alpha1",
            "kind": "CatalogSource",
            "metadata": {"name": "mine"},
            "spec": spec,
        },
    )
    found = openshift.until(
        f"{sources}/mine",
        lambda obj: obj.get("status", {}).get("connectionState", {}).get("lastObservedState") == "READY",
    )
    assert found["status"]["registryService"]["serviceName"] == "mine"


def test_fields_are_those_of_the_real_kinds(openshift: Client, space: str) -> None:
    made = {"apiVersion": "operators.coreos.com/v1alpha1", "kind": "Subscription", "metadata": {"name": "wrong"}}
    spec = {"name": "nfd", "source": "redhat-operators", "sourceNamespace": "openshift-marketplace", "channel": 4.10}
    path = f"{OLM}/v1alpha1/namespaces/{space}/subscriptions?fieldValidation=Strict"
    wrong = openshift.ask("POST", path, made | {"spec": spec})
    assert (wrong.status, wrong.body["details"]["causes"][0]["field"]) == (422, "spec.channel")
    unknown = openshift.ask("POST", path, made | {"spec": spec | {"channel": "stable", "approval": "Manual"}})
    assert (unknown.status, 'unknown field "spec.approval"' in unknown.body["message"]) == (400, True)
