import copy
from typing import Any

import pytest

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.machine_sets import (
    NAME_LABEL,
    Wanted,
    derive,
    machine_type,
    plan,
)
from projects.core.values.errors import NotFound, UsageError

AWS = {
    "kind": "AWSMachineProviderConfig",
    "instanceType": "m6i.xlarge",
    "blockDevices": [{"ebs": {"volumeSize": 120, "volumeType": "gp3"}}],
}
IBM = {"kind": "IBMCloudMachineProviderSpec", "profile": "bx2-4x16"}


def machine_set(
    name: str, provider: dict[str, Any] | None = None, *, replicas: int = 1, role: str = "worker"
) -> dict[str, Any]:
    labels = {NAME_LABEL: name, "machine.openshift.io/cluster-api-machine-role": role}
    return {
        "apiVersion": "machine.openshift.io/v1beta1",
        "kind": "MachineSet",
        "metadata": {
            "name": name,
            "namespace": "openshift-machine-api",
            "uid": "u",
            "resourceVersion": "7",
            "annotations": {"machine.openshift.io/vCPU": "4", "mine": "kept"},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {NAME_LABEL: name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"providerSpec": {"value": copy.deepcopy(provider or AWS)}},
            },
        },
        "status": {"replicas": replicas},
    }


def with_type(name: str, instance_type: str, replicas: int) -> dict[str, Any]:
    return machine_set(name, AWS | {"instanceType": instance_type}, replicas=replicas)


def test_nothing_to_do() -> None:
    found = plan([with_type("a", "m6i.xlarge", 3)], Wanted("m6i.xlarge", 3))
    assert (found.create, found.delete, found.replicas, found.machine_sets) == (None, None, {}, ["a"])


@pytest.mark.parametrize(("scale", "replicas"), [(7, {"a": 5}), (4, {"a": 2}), (2, {"a": 0})])
def test_the_first_one_is_scaled(scale: int, replicas: dict[str, int]) -> None:
    sets = [with_type("b", "m6i.xlarge", 1), with_type("a", "m6i.xlarge", 3), with_type("c", "m6i.xlarge", 1)]
    found = plan(sets, Wanted("m6i.xlarge", scale))
    assert found.replicas == replicas
    assert found.machine_sets == ["a", "b", "c"]


def test_others_are_not_reduced_without_force() -> None:
    sets = [with_type("a", "m6i.xlarge", 0), with_type("b", "m6i.xlarge", 2), with_type("c", "m6i.xlarge", 0)]
    with pytest.raises(UsageError, match=r"more than 1 machines of m6i\.xlarge without a: b \(2\)") as caught:
        plan(sets, Wanted("m6i.xlarge", 1))
    assert "--force" in str(caught.value.hint)
    assert plan(sets, Wanted("m6i.xlarge", 1, force=True)).replicas == {"b": 0, "a": 1}


def test_a_new_one_is_derived() -> None:
    base = machine_set("cluster-worker-us-east-1a", replicas=3)
    before = copy.deepcopy(base)
    found = plan(
        [machine_set("cluster-infra", role="infra"), base],
        Wanted("g5.2xlarge", 2, taint={"key": "gpu", "value": "", "effect": "NoSchedule"}, spot=True, disk_size=300),
    )
    made = found.create
    assert made is not None
    assert base == before
    name = "cluster-worker-us-east-1a-g5-2xlarge"
    assert found.machine_sets == [name]
    assert made["metadata"] == {
        "name": name,
        "namespace": "openshift-machine-api",
        "labels": {},
        "annotations": {"mine": "kept"},
    }
    assert "status" not in made
    spec = made["spec"]
    assert spec["replicas"] == 2
    assert spec["selector"]["matchLabels"][NAME_LABEL] == spec["template"]["metadata"]["labels"][NAME_LABEL] == name
    machine = spec["template"]["spec"]
    assert machine["taints"] == [{"key": "gpu", "value": "", "effect": "NoSchedule"}]
    value = machine["providerSpec"]["value"]
    assert value["instanceType"] == "g5.2xlarge"
    assert value["spotMarketOptions"] == {}
    assert value["blockDevices"][0]["ebs"] == {"volumeSize": 300, "volumeType": "gp3"}


def test_shape_of_ibm_cloud() -> None:
    base = machine_set("w", IBM)
    assert machine_type(base) == "bx2-4x16"
    made = derive(base, Wanted("gx3-16x80x1l4", 1, ibm=True))
    assert made["spec"]["template"]["spec"]["providerSpec"]["value"]["profile"] == "gx3-16x80x1l4"
    for wanted in (Wanted("x", 1, spot=True), Wanted("x", 1, disk_size=9)):
        with pytest.raises(UsageError, match="neither spot instances nor a disk size"):
            derive(base, wanted)
    with pytest.raises(UsageError, match="another cloud than IBM's"):
        derive(base, Wanted("x", 1, ibm=False))
    with pytest.raises(UsageError, match="GCPMachineProviderSpec; those of AWS and of IBM Cloud"):
        derive(machine_set("g", {"kind": "GCPMachineProviderSpec", "machineType": "n2"}), Wanted("x", 1))


def test_one_of_the_wrong_type_is_in_the_way() -> None:
    found = plan([machine_set("a"), machine_set("gpus")], Wanted("g5.xlarge", 1, name="gpus", base_machineset="a"))
    assert found.delete == "gpus"
    assert found.create is not None
    assert found.create["metadata"]["name"] == "gpus"


def test_bases() -> None:
    with pytest.raises(NotFound, match="no MachineSet workre") as caught:
        plan([machine_set("worker")], Wanted("x", 1, base_machineset="workre"))
    assert caught.value.hint == "did you mean 'worker'?"
    with pytest.raises(NotFound, match="no MachineSet of workers"):
        plan([machine_set("i", role="infra")], Wanted("x", 1))
    assert plan([], Wanted("x", 0)).create is None


def test_long_names_are_cut_and_stay_different() -> None:
    base = machine_set("a-very-long-cluster-name-with-a-suffix-worker-us-east-1a")
    names = [derive(base, Wanted(kind, 1))["metadata"]["name"] for kind in ("m6i.xlarge", "m6i.2xlarge")]
    assert len(set(names)) == 2
    assert all(len(name) <= 52 for name in names)
