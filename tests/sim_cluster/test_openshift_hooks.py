"""What makes OpenShift's behaviours go wrong, as faults use it: annotations, seen through HTTP."""

from collections.abc import Callable

import pytest

from projects.sim_cluster.behaviours.hooks import FAIL, HOLD, NO_CAPACITY
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.machine_sets import MACHINES, add_machine_set, machines_of
from tests.sim_cluster.olm import OLM, group, subscribe, succeeded
from tests.sim_cluster.talk import Client, named, says

NONE_LEFT = "InsufficientInstanceCapacity: We currently do not have sufficient p5.48xlarge capacity"


def annotate(client: Client, path: str, name: str, value: str | None) -> None:
    client.merge(path, {"metadata": {"annotations": {name: value}}})


def machine_set(client: Client, name: str, hooks: dict[str, str]) -> str:
    path = add_machine_set(client, name, annotations=hooks)
    client.until(path, says("replicas", 1))
    return machines_of(client, name)[0]


def test_without_capacity_a_machine_waits_and_comes_once_there_is_some(
    openshift: Client, new_name: Callable[[str], str]
) -> None:
    name = new_name("scarce")
    machine = machine_set(openshift, name, {NO_CAPACITY: NONE_LEFT})
    waiting = openshift.until(machine, lambda obj: obj.get("status", {}).get("providerStatus"))
    assert waiting["status"]["phase"] == "Provisioning"
    assert NONE_LEFT in waiting["status"]["providerStatus"]["conditions"][0]["message"]
    chosen = f"involvedObject.name%3D{waiting['metadata']['name']}%2Creason%3DFailedCreate"
    events = f"/api/v1/namespaces/openshift-machine-api/events?fieldSelector={chosen}"
    told = next(openshift.watch(f"{events}&watch=1&timeoutSeconds=100", 120))["object"]
    assert (told["type"], NONE_LEFT in told["message"]) == ("Warning", True)
    annotate(openshift, f"{MACHINES}/machinesets/{name}", NO_CAPACITY, None)
    joined = openshift.until(machine, says("phase", "Running"))["status"]["nodeRef"]["name"]
    openshift.ask("DELETE", f"{MACHINES}/machinesets/{name}")
    openshift.gone(named("/api/v1/nodes", joined))  # what comes next may count nodes


def test_a_machine_can_fail_for_good(openshift: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("failing")
    machine = machine_set(openshift, name, {NO_CAPACITY: NONE_LEFT})
    annotate(openshift, machine, FAIL, "yes")
    annotate(openshift, machine, NO_CAPACITY, NONE_LEFT)
    failed = openshift.until(machine, says("phase", "Failed"))
    assert failed["status"]["errorReason"] == "CreateError"
    openshift.ask("DELETE", f"{MACHINES}/machinesets/{name}")


@pytest.fixture
def space(openshift: Client, new_name: Callable[[str], str]) -> str:
    made = make_namespace(openshift, new_name("hooks"))
    group(openshift, made)
    return made


def planned(client: Client, subscription: str) -> str:
    found = client.until(subscription, lambda obj: "installPlanRef" in obj.get("status", {}))
    return f"{subscription.rpartition('/subscriptions/')[0]}/installplans/{found['status']['installPlanRef']['name']}"


def test_an_install_plan_fails_and_its_subscription_says_so(openshift: Client, space: str) -> None:
    subscription = subscribe(openshift, space, installPlanApproval="Manual")
    plan = planned(openshift, subscription)
    annotate(openshift, plan, FAIL, "bundle unpacking failed")
    openshift.merge(plan, {"spec": {"approved": True}})
    openshift.until(plan, says("phase", "Failed"))
    found = openshift.until(
        subscription, lambda obj: any(c["type"] == "InstallPlanFailed" for c in obj["status"]["conditions"])
    )
    told = next(c for c in found["status"]["conditions"] if c["type"] == "InstallPlanFailed")
    assert (told["reason"], told["message"]) == ("InstallComponentFailed", "bundle unpacking failed")
    assert not openshift.get(f"{OLM}/v1alpha1/namespaces/{space}/clusterserviceversions")["items"]


def test_what_is_held_goes_on_when_it_is_let_go(openshift: Client, space: str) -> None:
    subscription = subscribe(openshift, space, installPlanApproval="Manual")
    plan = planned(openshift, subscription)
    annotate(openshift, plan, HOLD, "for now")
    openshift.merge(plan, {"spec": {"approved": True}})
    later = subscribe_elsewhere(openshift, space)
    succeeded(openshift, later, "example-operator.v1.2.0")
    assert openshift.get(plan)["status"]["phase"] == "RequiresApproval"
    annotate(openshift, plan, HOLD, None)
    succeeded(openshift, space, "example-operator.v1.2.0")


def subscribe_elsewhere(client: Client, space: str) -> str:
    """Install the same operator in another namespace, so that a test knows how long it takes when nothing holds it."""
    other = make_namespace(client, f"{space}-b")
    group(client, other)
    subscribe(client, other)
    return other
