from typing import Any

import pytest

from projects.core.cluster.conditions import Condition, Requirement
from projects.core.cluster.fields import field, steps
from projects.core.cluster.readiness import has_failed, is_ready, standing
from projects.core.values.errors import UsageError


def thing(kind: str, status: dict[str, Any] | None = None, *, name: str = "x", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "generation": 2}, "status": status or {}, **more}


def conditions(**values: str) -> dict[str, Any]:
    return {"conditions": [{"type": key, "status": value} for key, value in values.items()]}


DEPLOYED = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("document", "path", "found"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": {"b.c/d": 1}}, "a[b.c/d]", 1),
        ({"a": [{"type": "T", "status": "True"}]}, "a[T].status", "True"),
        ({"a": [{"name": "n", "v": 2}]}, "a.n.v", 2),
        ({"a": [5, 6]}, "a[1]", 6),
        ({"a": [5, 6]}, "a[7]", None),
        ({"a": "text"}, "a.b", None),
        ({}, "a.b.c", None),
    ],
)
def test_field(document: dict[str, Any], path: str, found: Any) -> None:
    assert field(document, path) == found


@pytest.mark.parametrize("path", ["", "..", "a]b["])
def test_wrong_path(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        steps(path)


@pytest.mark.parametrize(
    ("ready", "document"),
    [
        (True, thing("Deployment", DEPLOYED, spec={"replicas": 2})),
        (False, thing("Deployment", {**DEPLOYED, "observedGeneration": 1}, spec={"replicas": 2})),
        (False, thing("Deployment", {**DEPLOYED, "replicas": 3}, spec={"replicas": 2})),
        (False, thing("Deployment", {}, spec={"replicas": 1})),
        (
            True,
            thing(
                "MachineSet",
                {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 2},
                spec={"replicas": 1},
            ),
        ),
        (True, thing("StatefulSet", {"observedGeneration": 2, "replicas": 1, "readyReplicas": 1}, spec={})),
        (False, thing("DaemonSet", {"desiredNumberScheduled": 0})),
        (
            True,
            thing(
                "DaemonSet",
                {
                    "observedGeneration": 2,
                    "desiredNumberScheduled": 1,
                    "currentNumberScheduled": 1,
                    "numberReady": 1,
                    "updatedNumberScheduled": 1,
                },
            ),
        ),
        (True, thing("Pod", conditions(Ready="True"))),
        (False, thing("Pod", conditions(Ready="False"))),
        (True, thing("Pod", {"phase": "Succeeded"})),
        (True, thing("Job", conditions(Complete="True"))),
        (False, thing("Job", conditions(Failed="True"))),
        (True, thing("ClusterServiceVersion", {"phase": "Succeeded", "conditions": [{"phase": "Succeeded"}]})),
        (True, thing("Whatever", conditions(Available="True"))),
        (False, thing("Whatever", {"state": "pending"})),
        (True, thing("ConfigMap")),
    ],
)
def test_is_ready(ready: bool, document: dict[str, Any]) -> None:
    assert is_ready(document) is ready


def test_has_failed() -> None:
    failed = {
        "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}]
    }
    assert has_failed(thing("Job", failed)) == "Failed=True (BackoffLimitExceeded: too often)"
    csv = thing(
        "ClusterServiceVersion", {"phase": "Failed", "reason": "InstallCheckFailed", "message": "no deployment"}
    )
    assert has_failed(csv) == "phase Failed; InstallCheckFailed; no deployment"
    assert has_failed(thing("Pod", {"phase": "Pending"})) is None


def test_standing_says_what_is_wrong() -> None:
    pod = thing(
        "Pod",
        {
            "phase": "Pending",
            "conditions": [
                {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "unready: [c]"}
            ],
            "containerStatuses": [
                {
                    "name": "c",
                    "ready": False,
                    "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
                }
            ],
        },
    )
    assert (
        standing(pod)
        == "phase Pending; Ready=False (ContainersNotReady: unready: [c]); container c: ImagePullBackOff: no such image"
    )
    node = thing("Node", conditions(Ready="True", MemoryPressure="True"))
    assert standing(node) == "MemoryPressure=True"
    assert standing(thing("ConfigMap")) == "no status yet"
    gone = thing("Namespace", {"phase": "Terminating"})
    gone["metadata"] |= {"deletionTimestamp": "now", "finalizers": ["kubernetes"]}
    assert standing(gone) == "phase Terminating; being deleted, held by kubernetes"
    none = {"type": "MachineCreation", "status": "False", "reason": "MachineCreationFailed", "message": "no capacity"}
    machine = thing("Machine", {"phase": "Provisioning", "providerStatus": {"conditions": [none]}})
    assert standing(machine) == "phase Provisioning; MachineCreation=False (MachineCreationFailed: no capacity)"
    remaining = {
        "type": "NamespaceFinalizersRemaining",
        "status": "True",
        "reason": "SomeFinalizersRemain",
        "message": "x in 1",
    }
    failing = {
        "type": "NamespaceDeletionContentFailure",
        "status": "False",
        "reason": "ContentDeleted",
        "message": "fine",
    }
    stuck = thing("Namespace", {"phase": "Terminating", "conditions": [failing, remaining]})
    assert standing(stuck) == "phase Terminating; NamespaceFinalizersRemaining=True (SomeFinalizersRemain: x in 1)"
    assert standing(thing("DaemonSet", {"numberReady": 1, "desiredNumberScheduled": 3})) == "1 of 3 pods ready"


@pytest.mark.parametrize(
    ("document", "value", "holds"),
    [
        ({"path": "a", "equals": True}, "True", True),
        ({"path": "a", "equals": 3}, 3, True),
        ({"path": "a", "equals": "3"}, 3, True),
        ({"path": "a", "equals": "x"}, None, False),
        ({"path": "a", "any_of": ["x", "y"]}, "y", True),
        ({"path": "a", "exists": True}, {}, False),
        ({"path": "a", "exists": True}, 0, True),
        ({"path": "a", "exists": False}, None, True),
        ({"path": "a", "equal_to": "b"}, 7, True),
    ],
)
def test_requirement(document: dict[str, Any], value: Any, holds: bool) -> None:
    assert Requirement.of(document).holds({"a": value, "b": 7}) is holds


@pytest.mark.parametrize("document", [{"path": "a"}, {"path": "a", "equals": 1, "exists": True}])
def test_requirement_needs_one_word(document: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="needs one of equals"):
        Requirement.of(document)


def test_condition_all_and_at_least_one() -> None:
    ready, unready = thing("Pod", conditions(Ready="True"), name="a"), thing("Pod", {"phase": "Pending"}, name="b")
    assert Condition("ready").judge([ready]).done
    assert not Condition("ready").judge([]).done
    verdict = Condition("ready").judge([ready, unready])
    assert not verdict.done
    assert verdict.lacking == "not yet: b (phase Pending)"


def test_condition_count_is_exact() -> None:
    ready = [thing("Pod", conditions(Ready="True"), name=name) for name in "ab"]
    leaving = thing("Pod", {"phase": "Running"}, name="c")
    assert Condition("ready", count=2).judge(ready).done
    assert not Condition("ready", count=1).judge(ready).done
    assert not Condition("ready", count=2).judge([*ready, leaving]).done
    assert Condition("ready", count=0).judge([]).done


def test_condition_names() -> None:
    wanted = Condition("present", names=frozenset({"nfx"}))
    assert wanted.judge([thing("P", name="nfd")]).lacking == "not there: nfx (did you mean 'nfd'?)"
    assert wanted.judge([thing("P", name="nfd"), thing("P", name="nfx")]).done


def test_condition_unless() -> None:
    condition = Condition(unless=[Requirement("status.phase", ("Bad",), message="it went bad")])
    assert condition.judge([thing("P", {"phase": "Bad"})]).failed == "x: it went bad; phase Bad"


def test_condition_absent_by_uid() -> None:
    old = {"kind": "P", "metadata": {"name": "a", "uid": "1"}}
    new = {"kind": "P", "metadata": {"name": "a", "uid": "2"}}
    condition = Condition("absent", uids=frozenset({"1"}))
    assert condition.judge([new]).done
    assert condition.judge([old]).lacking == "still there: a (no status yet)"


@pytest.mark.parametrize(
    ("where", "thing", "said"),
    [
        ({"path": "data.a", "equals": "x"}, {"data": {"a": "y"}}, "data.a is y"),
        ({"path": "data.a", "equals": "x"}, {"data": {}}, "data.a is not set"),
        ({"path": "data.a", "exists": False}, {"data": {"a": ""}, "status": {}}, None),
        ({"path": "data.a", "exists": False}, {"data": {"a": [1, {"b": None}]}}, 'data.a is [1, {"b": null}]'),
        ({"path": "data.a", "equals": "x"}, {"data": {"a": "z" * 500}}, f"data.a is {'z' * 120}…"),
        ({"path": "data.a", "equal_to": "data.b"}, {"data": {"a": 1}}, "data.a is 1, data.b is not set"),
        ({"path": "data.a", "equals": "x"}, {"kind": "Secret", "data": {"a": "hidden"}}, "data.a is ********"),
        (
            {"path": "status.phase", "equals": "Bound"},
            {"kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}},
            "status.phase is Pending; phase Pending",
        ),
    ],
)
def test_what_is_lacking_says_what_is_there_instead(
    where: dict[str, Any], thing: dict[str, Any], said: str | None
) -> None:
    named = {"metadata": {"name": "x", "namespace": "n"}, **thing}
    verdict = Condition(where=[Requirement.of(where)]).judge([named])
    assert verdict.lacking == (f"not yet: n/x ({said})" if said else "")
    assert verdict.done == (said is None)


@pytest.mark.parametrize(
    ("ready", "spec", "status"),
    [
        (True, {"type": "ClusterIP"}, {"loadBalancer": {}}),
        (False, {"type": "LoadBalancer"}, {"loadBalancer": {}}),
        (True, {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}),
    ],
)
def test_a_service_is_ready_when_it_can_be_reached(ready: bool, spec: dict[str, Any], status: dict[str, Any]) -> None:
    assert is_ready({"kind": "Service", "metadata": {"name": "s"}, "spec": spec, "status": status}) == ready
