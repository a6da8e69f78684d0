"""Pod Security admission: what both APIs say of the same pods, workloads and labels of namespaces."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.sim_cluster.comparing import MAPS, PODS, Both, Step
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.insecure_pods import ALL, BARE, MANY, SECURE, pod
from tests.sim_cluster.talk import APPLY, JSON_PATCH, MERGE, STRATEGIC, Answer, Client

pytestmark = pytest.mark.envtest
_PREFIX = "pod-security.kubernetes.io/"
NAMESPACE = "/api/v1/namespaces/NS"
DRY = f"{PODS}?dryRun=All"
OLD_VERSIONS = ["v1.0", "v1.7", "v1.8", "v1.18", "v1.19", "v1.21", "v1.22", "v1.24", "v1.25", "v1.26", "v1.28", "v1.30", "v1.31", "v1.33", "v1.34"]  # fmt: skip


def labels(**modes: str) -> dict[str, str]:
    """Return labels of a namespace: ``enforce="baseline"``, ``enforce_version="v1.24"``."""
    return {f"{_PREFIX}{mode.replace('_', '-')}": value for mode, value in modes.items()}


def labelled(**modes: str) -> dict[str, Any]:
    return {"metadata": {"labels": labels(**modes)}}


Labelled = Callable[..., Both]


@pytest.fixture
def within(judge: Client, client: Client, new_name: Callable[[str], str]) -> Iterator[Labelled]:
    """Make a namespace with labels on both APIs."""
    made: list[Both] = []

    def make(**modes: str) -> Both:
        made.append(pair := Both((judge, client), new_name("secure")))
        for api in pair.apis:
            make_namespace(api, pair.namespace, labels(**modes))
        return pair

    yield make
    for pair in made:
        for api in pair.apis:
            api.ask("DELETE", f"/api/v1/namespaces/{pair.namespace}")


def workloads(template: dict[str, Any]) -> Iterator[Step]:
    """Yield how each kind of workload is created with a template."""
    template = {"metadata": {"labels": {"a": "b"}}, **template}
    chosen = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    once = {"metadata": {}, "spec": template["spec"] | {"restartPolicy": "Never"}}
    once["metadata"] = template["metadata"]
    apps, batch = "/apis/apps/v1/namespaces/NS", "/apis/batch/v1/namespaces/NS"
    for path, spec in (
        (f"{apps}/deployments", chosen),
        (f"{apps}/replicasets", chosen),
        (f"{apps}/daemonsets", chosen),
        (f"{apps}/statefulsets", chosen | {"serviceName": "s"}),
        (f"{NAMESPACE}/replicationcontrollers", {"selector": {"a": "b"}, "template": template}),
        (f"{batch}/cronjobs", {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": once}}}),
    ):
        yield "POST", f"{path}?dryRun=All", {"metadata": {"name": "w"}, "spec": spec}
    yield "POST", f"{NAMESPACE}/podtemplates?dryRun=All", {"metadata": {"name": "w"}, "template": template}


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_every_pod_is_judged_alike(within: Labelled, level: str) -> None:
    within(warn=level)([("POST", DRY, body) for body in ALL])
    within(enforce=level)([("POST", DRY, body) for body in ALL])


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_pinned_versions(within: Labelled, version: str) -> None:
    for level in ("restricted", "baseline"):
        within(warn=level, warn_version=version)([("POST", DRY, body) for body in MANY])


@pytest.mark.parametrize("version", ["v1.35", "v1.36", "v1.999"])
def test_versions_to_come_are_the_latest(within: Labelled, version: str) -> None:
    within(enforce="restricted", enforce_version=version)([("POST", DRY, body) for body in MANY])


def test_workloads_are_warned_of(within: Labelled) -> None:
    notes = {"annotations": {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}}
    for modes in (
        {"enforce": "restricted"},
        {"enforce": "restricted", "enforce_version": "v1.20"},
        {"enforce": "restricted", "enforce_version": "v1.20", "warn_version": "v1.7"},
        {"enforce": "restricted", "warn": "privileged"},
        {"enforce": "restricted", "warn": "baseline"},
        {"enforce": "baseline", "enforce_version": "v1.2", "audit": "restricted"},
        {"warn": "baseline", "enforce_version": "v1.20"},
        {"audit": "restricted"},
    ):
        both = within(**modes)
        both([*workloads({"spec": BARE}), *workloads({"spec": SECURE})])
        both(list(workloads({"metadata": {"labels": {"a": "b"}, **notes}, "spec": MANY[-1]["spec"]})))


def test_updates_of_workloads(within: Labelled) -> None:
    both = within(warn="restricted")
    *_, (_, path, job), (_, pods, template) = workloads({"spec": BARE})
    path, pods = (each.removesuffix("?dryRun=All") for each in (path, pods))
    applied = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": {"spec": BARE}}
    both([
        ("POST", path, job | {"spec": job["spec"] | {"suspend": True}}),
        ("PATCH", f"{path}/w?dryRun=All", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        ("PATCH", f"{path}/w?dryRun=All", {"spec": {"suspend": True}}, MERGE),
        ("PATCH", f"{path}/w/status?dryRun=All", {"status": {"lastScheduleTime": "2020-01-01T00:00:00Z"}}, MERGE),
        ("POST", pods, template),
        ("PUT", f"{pods}/w?dryRun=All", template),
        ("PATCH", f"{pods}/w?dryRun=All", {"template": {"spec": SECURE}}, STRATEGIC),
        ("PATCH", f"{pods}/x?fieldManager=m&dryRun=All", applied, APPLY),
    ])  # fmt: skip


def test_a_scale_is_not_looked_at(within: Labelled) -> None:
    both = within(warn="restricted")
    create, *_ = workloads({"spec": BARE | {"schedulerName": "nobody"}})
    path = create[1].removesuffix("?dryRun=All").replace("NS", both.namespace)
    for api in both.apis:
        assert "would violate" in api.ask("POST", path, create[2]).headers["warning"]
        for way in ("scale", "status"):
            answer = api.ask("PATCH", f"{path}/w/{way}", {"spec": {"replicas": 2}}, MERGE)
            assert (answer.status, answer.headers.get("warning")) == (200, None)


def test_updates_of_pods(within: Labelled) -> None:
    both = within()
    image = [{"op": "replace", "path": "/spec/containers/0/image", "value": "j"}]
    debug = {"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}}
    both([("POST", PODS, pod(BARE))])
    both([("PATCH", NAMESPACE, labelled(enforce="restricted"), MERGE)])
    until_enforced(both)
    both([
        ("PATCH", f"{PODS}/p", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        ("PATCH", f"{PODS}/p?dryRun=All", image, JSON_PATCH),
        ("PATCH", f"{PODS}/p?dryRun=All", {"metadata": {"annotations": {"a": "b"}}}, MERGE),
        ("PATCH", f"{PODS}/p?dryRun=All", {"spec": {"activeDeadlineSeconds": 9}}, MERGE),
        ("PATCH", f"{PODS}/p/ephemeralcontainers?dryRun=All", debug, STRATEGIC),
        ("PATCH", f"{PODS}/p/status?dryRun=All", {"status": {"phase": "Running"}}, MERGE),
        ("POST", f"{PODS}/p/eviction?dryRun=All", {"metadata": {"name": "p"}}),
        ("DELETE", f"{PODS}/p?gracePeriodSeconds=0"),
        ("POST", PODS, pod(SECURE)),
        ("PATCH", f"{PODS}/p?dryRun=All", image, JSON_PATCH),
        ("PATCH", f"{PODS}/p/ephemeralcontainers?dryRun=All", debug, STRATEGIC),
    ])  # fmt: skip


def until_enforced(both: Both) -> None:
    """Wait until the servers have noticed a label: the real one reads namespaces from a cache."""
    for api in both.apis:
        api.try_creating(PODS.replace("NS", both.namespace), pod(BARE, "other"), lambda answer: answer.status == 403)


def until_pods_are_known(both: Both, number: int) -> None:
    """Wait until a label would be answered by warnings of so many pods: the real server reads pods, too, from a cache."""
    path = NAMESPACE.replace("NS", both.namespace) + "?dryRun=All"
    for api in both.apis:
        api.ask_until(partial(_warns_of, number), "PATCH", path, labelled(enforce="restricted"), MERGE)


def _warns_of(number: int, answer: Answer) -> bool:
    told = re.findall(r'"[a-z](?: \(and (\d+) other pods?\))?: ', answer.headers.get("warning", ""))
    return sum(1 + int(others or 0) for others in told) == number


def test_existing_pods_are_told_of(within: Labelled) -> None:
    both = within()
    both([("POST", PODS, pod(spec, name)) for name, spec in (
        ("a", SECURE), ("c", BARE), ("b", BARE), ("d", {**SECURE, "hostNetwork": True}), ("e", {**BARE, "hostPID": True}),
        ("f", {**BARE, "hostPID": True}), ("g", BARE), ("h", {**BARE, "hostPID": True, "hostIPC": True}))])  # fmt: skip
    until_pods_are_known(both, 7)  # all but the first
    both([
        ("PATCH", f"{NAMESPACE}?dryRun=All", labelled(**modes), MERGE)
        for modes in (
            {"enforce": "restricted"}, {"enforce": "baseline"}, {"enforce": "privileged"}, {"warn": "restricted"},
            {"enforce": "restricted", "enforce_version": "v1.5"}, {"enforce_version": "v1.5"}, {"enforce": "restricted", "warn": "baseline"})
    ])  # fmt: skip
    both([
        ("PATCH", NAMESPACE, labelled(enforce=level, enforce_version=version), MERGE)
        for level, version in (
            ("restricted", "latest"), ("baseline", "latest"), ("baseline", "v1.20"), ("baseline", "v1.20"), ("restricted", "v1.20"),
            ("privileged", "v1.20"), ("baseline", "v1.19"))
    ])  # fmt: skip


def test_labels_that_say_nothing(both: Both) -> None:
    wrong = [
        {"enforce": "x"}, {"warn": "x"}, {"audit": "Baseline"}, {"enforce": ""}, {"enforce_version": "1.24"}, {"warn_version": "v1.024"},
        {"audit_version": "v2.0"}, {"warn": "y", "enforce_version": "v1", "enforce": "x", "audit_version": ""}, {"enforce_version": "v1.1.1"},
    ]  # fmt: skip
    both(
        [
            ("POST", "/api/v1/namespaces?dryRun=All", {"metadata": {"name": "wrong", **labelled(**modes)["metadata"]}})
            for modes in wrong
        ]
    )
    both([("PATCH", f"{NAMESPACE}?dryRun=All", labelled(**modes), MERGE) for modes in wrong])


def test_who_labels_no_namespace_is_told_nothing(both: Both) -> None:
    both([("POST", DRY, MANY[0]), *workloads({"spec": BARE})])


def test_refusals_tell_what_was_warned_of_before(within: Labelled) -> None:
    both = within(warn="baseline")
    doubtful = {**BARE, "hostPID": True, "volumes": [{"name": "v", "gitRepo": {"repository": "r"}}]}
    both([
        ("POST", PODS, pod(doubtful)),
        ("POST", PODS, pod(doubtful)),
        ("POST", PODS, pod(doubtful | {"restartPolicy": "x", "foo": 1})),
        ("POST", PODS, pod(doubtful | {"serviceAccountName": "x", "foo": 1})),
        ("POST", PODS, pod(doubtful | {"priorityClassName": "x", "foo": 1})),
        ("PATCH", f"{PODS}/p", {"spec": {"foo": 1, "hostPID": False}}, MERGE),
        ("PATCH", f"{PODS}/p", {"spec": {"foo": 1}, "metadata": {"resourceVersion": "1"}}, MERGE),
        ("PATCH", f"{PODS}/p?dryRun=All", {"spec": {"foo": 1}, "metadata": {"labels": {"x": "y"}}}, MERGE),
    ])  # fmt: skip


def test_an_update_of_a_workload_is_warned_of_if_more_than_its_metadata_changes(both: Both) -> None:
    doubtful = {**BARE, "volumes": [{"name": "v", "gitRepo": {"repository": "r"}}]}
    *_, (_, path, job), (_, pods, template) = workloads({"spec": doubtful})
    path, pods = (each.removesuffix("?dryRun=All") for each in (path, pods))
    both([
        ("POST", path, job | {"spec": job["spec"] | {"suspend": True}}),
        ("PATCH", f"{path}/w?dryRun=All", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        ("PATCH", f"{path}/w?dryRun=All", {"spec": {"schedule": "1 * * * *"}}, MERGE),
        ("POST", pods, template),
        ("PATCH", f"{pods}/w?dryRun=All", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        ("PUT", f"{pods}/w?dryRun=All", template),
        ("PATCH", f"{pods}/w?dryRun=All", {"template": {"spec": {"hostPID": True}}}, STRATEGIC),
    ])  # fmt: skip


@pytest.mark.parametrize(("number", "length"), [(60, 90), (9, 390), (12, 390), (30, 390), (18, 256), (2, 5000)])
def test_too_many_warnings_are_shortened(both: Both, number: int, length: int) -> None:
    unknown = {f"x{index:03}" + "y" * length: 1 for index in range(number)}
    both([("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "a"}, **unknown})])
