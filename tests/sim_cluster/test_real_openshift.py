"""OpenShift on a real API: the tests of its behaviours, its operators and its aggregated answers again, there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.behaviours.timings import Timings
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.packages import load_package
from tests.sim_cluster.conftest import talking_to
from tests.sim_cluster.talk import Client, named
from tests.sim_cluster.test_monitoring import (
    test_errors_are_prometheus_own,
    test_nodes_are_there_with_what_they_have,
    test_pods_are_counted_and_asked_for_what_they_request,
)
from tests.sim_cluster.test_openshift_aggregated import (
    test_a_binary_build_takes_what_is_uploaded,
    test_a_build_config_builds_at_once_and_when_asked,
    test_a_build_without_its_stream_waits_for_it,
    test_a_tag_can_be_set_and_taken_away,
    test_a_tag_is_imported_and_read_under_its_own_name,
    test_what_is_not_there_cannot_be_built,
    test_who_asks_is_told_who_they_are,
)
from tests.sim_cluster.test_openshift_hooks import (
    space,
    test_a_machine_can_fail_for_good,
    test_an_install_plan_fails_and_its_subscription_says_so,
    test_what_is_held_goes_on_when_it_is_let_go,
    test_without_capacity_a_machine_waits_and_comes_once_there_is_some,
)
from tests.sim_cluster.test_openshift_upgrades import (
    test_a_channel_offers_updates,
    test_a_kubelet_config_rolls_its_pool_node_by_node,
    test_a_paused_pool_waits,
    test_an_upgrade_goes_through_the_operators_and_then_the_nodes,
    test_what_is_not_offered_is_refused_in_words,
)
from tests.sim_cluster.test_operator_packages import (
    gpus,
    test_a_gpu_that_fell_off_is_no_longer_allocatable,
    test_a_policy_must_have_its_fields_and_only_one_counts,
    test_a_users_operator_is_installed_works_and_stops,
    test_gpu_nodes_are_labelled_and_offer_their_gpus,
    test_time_slicing_multiplies_what_a_node_offers,
    widgets,
)
from tests.sim_cluster.test_real_api import control_plane

__all__ = [
    "control_plane",
    "gpus",
    "space",
    "test_a_binary_build_takes_what_is_uploaded",
    "test_a_build_config_builds_at_once_and_when_asked",
    "test_a_build_without_its_stream_waits_for_it",
    "test_a_channel_offers_updates",
    "test_a_gpu_that_fell_off_is_no_longer_allocatable",
    "test_a_kubelet_config_rolls_its_pool_node_by_node",
    "test_a_machine_can_fail_for_good",
    "test_a_paused_pool_waits",
    "test_a_policy_must_have_its_fields_and_only_one_counts",
    "test_a_tag_can_be_set_and_taken_away",
    "test_a_tag_is_imported_and_read_under_its_own_name",
    "test_a_users_operator_is_installed_works_and_stops",
    "test_an_install_plan_fails_and_its_subscription_says_so",
    "test_an_upgrade_goes_through_the_operators_and_then_the_nodes",
    "test_errors_are_prometheus_own",
    "test_gpu_nodes_are_labelled_and_offer_their_gpus",
    "test_nodes_are_there_with_what_they_have",
    "test_pods_are_counted_and_asked_for_what_they_request",
    "test_time_slicing_multiplies_what_a_node_offers",
    "test_what_is_held_goes_on_when_it_is_let_go",
    "test_what_is_not_offered_is_refused_in_words",
    "test_what_is_not_there_cannot_be_built",
    "test_who_asks_is_told_who_they_are",
    "test_without_capacity_a_machine_waits_and_comes_once_there_is_some",
    "widgets",
]
pytestmark = [pytest.mark.envtest, pytest.mark.usefixtures("control_plane")]


@pytest.fixture(scope="module")
def openshift(control_plane: None, widgets: Path) -> Iterator[Client]:
    """A raw client of OpenShift on the real API."""
    settings = Settings(timings=Timings(operator_update=6, node_reboot=12))
    packages = (load_package(str(widgets)),)
    with talking_to(ClusterOptions(api="real", nodes=2, packages=packages, settings=settings)) as made:
        yield made


@pytest.fixture(scope="module")
def cluster(openshift: Client) -> Client:
    """The same, under the name that other tests know it by."""
    return openshift


PROJECTS = "/apis/project.openshift.io/v1"


def test_a_namespace_has_its_project_and_goes_with_it(openshift: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("mirrored")
    openshift.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": {"a": "b"}}})
    made = openshift.until(f"{PROJECTS}/projects/{name}", lambda obj: obj.get("status", {}).get("phase") == "Active")
    assert made["metadata"]["labels"]["a"] == "b"
    openshift.merge(f"/api/v1/namespaces/{name}", {"metadata": {"labels": {"a": None, "c": "d"}}})
    openshift.until(
        f"{PROJECTS}/projects/{name}",
        lambda obj: obj["metadata"]["labels"].get("c") == "d" and "a" not in obj["metadata"]["labels"],
    )
    openshift.ask("DELETE", f"{PROJECTS}/projects/{name}")
    openshift.gone(named("/api/v1/namespaces", name))
    openshift.gone(named(f"{PROJECTS}/projects", name))


def test_a_namespace_that_is_deleted_takes_its_project_along(openshift: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("mirrored")
    openshift.post("/api/v1/namespaces", {"metadata": {"name": name}})
    openshift.until(f"{PROJECTS}/projects/{name}", lambda obj: "status" in obj)
    openshift.ask("DELETE", f"/api/v1/namespaces/{name}")
    openshift.gone(named(f"{PROJECTS}/projects", name))


def test_a_project_that_is_asked_for_comes(openshift: Client, new_name: Callable[[str], str]) -> None:
    asked, made = new_name("asked"), new_name("made")
    kind = {"apiVersion": "project.openshift.io/v1"}
    openshift.post(
        f"{PROJECTS}/projectrequests",
        kind | {"kind": "ProjectRequest", "metadata": {"name": asked}, "displayName": "Mine"},
    )
    openshift.post(f"{PROJECTS}/projects", kind | {"kind": "Project", "metadata": {"name": made}})
    for name in (asked, made):
        openshift.until(f"{PROJECTS}/projects/{name}", lambda obj: obj.get("status", {}).get("phase") == "Active")
    assert (
        openshift.get(f"/api/v1/namespaces/{asked}")["metadata"]["annotations"]["openshift.io/display-name"] == "Mine"
    )
    openshift.until(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{asked}/rolebindings/admin", lambda obj: True)
    openshift.get(f"/api/v1/namespaces/{made}")
