import json
from typing import Any

import pytest

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.operators import (
    choose,
    example,
    operator_group,
)
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.project_templates import annotated, built_in
from projects.core.values.errors import Conflict, Invalid, NotFound, UsageError


def package(*, entries: bool = True, own: bool = True) -> dict[str, Any]:
    modes = [{"type": "OwnNamespace", "supported": own}, {"type": "AllNamespaces", "supported": True}]
    stable: dict[str, Any] = {
        "name": "stable",
        "currentCSV": "gpu.v2.1.0",
        "currentCSVDesc": {"version": "2.1.0", "installModes": modes},
    }
    if entries:
        stable["entries"] = [{"name": "gpu.v2.1.0", "version": "2.1.0"}, {"name": "gpu-old.v2.0.0", "version": "2.0.0"}]
    channels = [{"name": "alpha", "currentCSV": "gpu.v3.0.0"}, stable]
    return {"metadata": {"name": "gpu"}, "status": {"defaultChannel": "stable", "channels": channels}}


@pytest.mark.parametrize(
    ("asked", "channel", "csv"),
    [
        ({}, "stable", "gpu.v2.1.0"),
        ({"channel": "alpha"}, "alpha", "gpu.v3.0.0"),
        ({"channel": "stable", "version": "2.0.0"}, "stable", "gpu-old.v2.0.0"),
        ({"channel": "stable", "version": "2.1.0"}, "stable", "gpu.v2.1.0"),
        ({"channel": "stable", "version": "1.9", "csv_base_name": "gpu-certified"}, "stable", "gpu-certified.v1.9"),
    ],
)
def test_choose(asked: dict[str, Any], channel: str, csv: str) -> None:
    chosen = choose(package(), **asked)
    assert (chosen.channel, chosen.csv, chosen.install_mode) == (channel, csv, "OwnNamespace")


def test_an_older_olm_lists_no_versions() -> None:
    assert choose(package(entries=False), channel="stable", version="1.2.3").csv == "gpu.v1.2.3"


@pytest.mark.parametrize(
    ("asked", "said", "hint"),
    [
        ({"channel": "?"}, r"the channels of gpu are: alpha, stable \(default\)", "--channel"),
        ({"channel": "stabel"}, "gpu has no channel stabel", "'stable'"),
        ({"channel": "stable", "version": "2.0.1"}, "channel stable of gpu has no version 2.0.1", "2.0.0"),
    ],
)
def test_wrong_choices(asked: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        choose(package(), **asked)
    assert hint in str(caught.value.hint)


def test_install_modes() -> None:
    with pytest.raises(
        UsageError, match="gpu cannot be installed as OwnNamespace; it supports AllNamespaces"
    ) as caught:
        choose(package(own=False))
    assert "--all_namespaces" in str(caught.value.hint)
    assert choose(package(own=False), all_namespaces=True).install_mode == "AllNamespaces"


def group(name: str, *targets: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"targetNamespaces": list(targets)} if targets else {}}


def test_operator_group() -> None:
    made = operator_group([], "gpu", "OwnNamespace")
    assert made is not None
    assert made["spec"] == {"targetNamespaces": ["gpu"]}
    everywhere = operator_group([], "gpu", "AllNamespaces")
    assert everywhere is not None
    assert everywhere["spec"] == {}
    assert operator_group([group("gpu", "gpu")], "gpu", "OwnNamespace") is None
    assert operator_group([group("gpu")], "gpu", "AllNamespaces") is None
    with pytest.raises(
        Conflict, match="the namespace gpu has the OperatorGroup theirs of somebody else, which watches all namespaces"
    ):
        operator_group([group("theirs")], "gpu", "OwnNamespace")
    with pytest.raises(Conflict, match="the OperatorGroup gpu watches gpu, which is not what is asked for"):
        operator_group([group("gpu", "gpu")], "gpu", "AllNamespaces")


def test_examples() -> None:
    examples = json.dumps([{"kind": "A"}, {"kind": "B"}])
    csv = {"metadata": {"name": "gpu.v1", "annotations": {"alm-examples": examples}}}
    assert example(csv, 1) == {"kind": "B"}
    with pytest.raises(NotFound, match="no example 2 of its custom resources; there are: 0: A, 1: B"):
        example(csv, 2)
    with pytest.raises(NotFound, match="there are: none"):
        example({"metadata": {"name": "x"}}, 0)
    with pytest.raises(Invalid, match="not JSON"):
        example({"metadata": {"name": "x", "annotations": {"alm-examples": "{"}}}, 0)


def test_project_template() -> None:
    made = annotated(None, "a/b", "4.10")
    assert made is not None
    assert made["objects"][0]["metadata"]["annotations"]["a/b"] == "4.10"
    assert built_in()["objects"][0]["metadata"]["annotations"].get("a/b") is None
    made["metadata"]["resourceVersion"] = "1"
    removed = annotated(made, "a/b", None)
    assert removed is not None
    assert removed["objects"] == built_in()["objects"]
    assert removed["metadata"] == {"name": "project-request", "namespace": "openshift-config"}
    assert annotated(None, "a/b", None) is None
