"""How MachineSets have to change so that there are so many machines of one type. Called by the action `plan_scale`.

Pure functions over the objects: nothing here speaks to the cluster.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from projects.core.values.errors import NotFound, UsageError
from projects.core.values.nearest import did_you_mean

Object = dict[str, Any]
Platform = Literal["AWS", "IBM"]

NAME_LABEL = "machine.openshift.io/cluster-api-machineset"
_ROLE_LABEL = "machine.openshift.io/cluster-api-machine-role"
_TYPE_FIELDS: dict[Platform, str] = {"AWS": "instanceType", "IBM": "profile"}
# What the autoscaler and the provider wrote about the base's machine type.
_TYPE_ANNOTATIONS = ("machine.openshift.io/", "capacity.cluster-autoscaler.kubernetes.io/")
_LONGEST_NAME = 52  # a machine's name has a suffix of its own, and has to fit into a label of 63


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as the arguments of ``cluster set_scale`` say."""

    instance_type: str
    scale: int
    base_machineset: str = ""
    force: bool = False
    taint: Mapping[str, str] | None = None
    name: str = ""
    spot: bool = False
    disk_size: int | None = None
    ibm: bool | None = None


@dataclass(slots=True)
class Plan:
    """What to do: a MachineSet to delete first, one to make, replicas to set, and whose machines to wait for."""

    delete: str | None = None
    create: Object | None = None
    replicas: dict[str, int] = field(default_factory=dict)
    machine_sets: list[str] = field(default_factory=list)


def plan(machine_sets: Sequence[Object], wanted: Wanted) -> Plan:
    """Return how to get to the wanted number of machines.

    Where MachineSets of the type exist the first is scaled, and the others are left alone, unless there are more
    machines than wanted without the first, and `force` is given. Otherwise one is derived from a worker's.

    Raises:
      UsageError: other MachineSets would have to be reduced without `force`; the type cannot be had from the base.
      NotFound: there is no base.
    """
    ordered = sorted(machine_sets, key=lambda each: str(each["metadata"]["name"]))
    same = [each for each in ordered if machine_type(each) == wanted.instance_type]
    if same:
        return _scaled(same, wanted)
    if not wanted.scale:
        return Plan()
    base = _base(ordered, wanted)
    made = derive(base, wanted)
    name = made["metadata"]["name"]
    taken = any(each["metadata"]["name"] == name for each in ordered)
    return Plan(delete=name if taken else None, create=made, machine_sets=[name])


def machine_type(machine_set: Object) -> str | None:
    """Return the type of a MachineSet's machines, or None on a cloud that is not known here."""
    value = _provider(machine_set)
    return next((str(value[key]) for key in _TYPE_FIELDS.values() if value.get(key)), None)


def platform(machine_set: Object) -> Platform | None:
    """Return the cloud of a MachineSet, or None when it is not known here."""
    value = _provider(machine_set)
    kind = str(value.get("kind", ""))
    if kind.startswith("AWS") or "instanceType" in value:
        return "AWS"
    if kind.startswith("IBM") or "profile" in value:
        return "IBM"
    return None


def derive(base: Object, wanted: Wanted) -> Object:
    """Return a new MachineSet: the base with another name, type, number, and the taint, disk and price model asked for.

    Raises:
      UsageError: the base's cloud cannot give that.
    """
    cloud = _checked_platform(base, wanted)
    name = wanted.name or _name(base["metadata"]["name"], wanted.instance_type)
    made: Object = {
        "apiVersion": base["apiVersion"],
        "kind": base["kind"],
        "metadata": {
            "name": name,
            "namespace": base["metadata"]["namespace"],
            "labels": dict(base["metadata"].get("labels") or {}),
        },
        "spec": copy.deepcopy(base["spec"]),
    }
    if annotations := _kept_annotations(base["metadata"]):
        made["metadata"]["annotations"] = annotations
    spec = made["spec"]
    spec["replicas"] = wanted.scale
    spec["selector"].setdefault("matchLabels", {})[NAME_LABEL] = name
    spec["template"].setdefault("metadata", {}).setdefault("labels", {})[NAME_LABEL] = name
    machine = spec["template"].setdefault("spec", {})
    if wanted.taint:
        machine["taints"] = [*(machine.get("taints") or []), dict(wanted.taint)]
    _shape(machine["providerSpec"]["value"], cloud, wanted)
    return made


def _scaled(same: Sequence[Object], wanted: Wanted) -> Plan:
    first, *others = same
    names = [str(each["metadata"]["name"]) for each in same]
    replicas = [int(each["spec"].get("replicas", 1)) for each in (first, *others)]
    if sum(replicas) == wanted.scale:
        return Plan(machine_sets=names)
    for_the_first = wanted.scale - sum(replicas[1:])
    if for_the_first >= 0:
        return Plan(replicas={names[0]: for_the_first}, machine_sets=names)
    if not wanted.force:
        busy = ", ".join(f"{name} ({count})" for name, count in zip(names[1:], replicas[1:], strict=True) if count)
        raise UsageError(
            f"there would be more than {wanted.scale} machines of {wanted.instance_type} without {names[0]}: {busy}",
            hint="--force reduces the other MachineSets to zero",
        )
    reduced = {name: 0 for name, count in zip(names[1:], replicas[1:], strict=True) if count}
    return Plan(replicas={**reduced, names[0]: wanted.scale}, machine_sets=names)


def _base(ordered: Sequence[Object], wanted: Wanted) -> Object:
    named = {str(each["metadata"]["name"]): each for each in ordered}
    if wanted.base_machineset:
        if wanted.base_machineset not in named:
            hint = did_you_mean(wanted.base_machineset, named)
            raise NotFound(f"there is no MachineSet {wanted.base_machineset} to start from", hint=hint)
        return named[wanted.base_machineset]
    workers = [each for each in ordered if _labels_of_machines(each).get(_ROLE_LABEL, "worker") == "worker"]
    if not workers:
        raise NotFound("there is no MachineSet of workers to start from", hint="name one with --base_machineset")
    return max(workers, key=lambda each: bool(each["spec"].get("replicas", 1)))


def _checked_platform(base: Object, wanted: Wanted) -> Platform:
    cloud = platform(base)
    name = base["metadata"]["name"]
    if cloud is None:
        kind = _provider(base).get("kind", "an unknown kind")
        raise UsageError(f"the MachineSet {name} is of {kind}; those of AWS and of IBM Cloud can be derived from")
    if wanted.ibm is not None and wanted.ibm != (cloud == "IBM"):
        asked = "IBM Cloud" if wanted.ibm else "another cloud than IBM's"
        raise UsageError(f"asked for {asked}, but the MachineSet {name} is of {cloud}")
    if cloud == "IBM" and (wanted.spot or wanted.disk_size):
        raise UsageError("MachineSets of IBM Cloud know neither spot instances nor a disk size")
    return cloud


def _shape(value: Object, cloud: Platform, wanted: Wanted) -> None:
    value[_TYPE_FIELDS[cloud]] = wanted.instance_type
    if wanted.spot:
        value["spotMarketOptions"] = {}
    else:
        value.pop("spotMarketOptions", None)
    if wanted.disk_size:
        devices = value.get("blockDevices") or [{"ebs": {}}]
        devices[0].setdefault("ebs", {})["volumeSize"] = wanted.disk_size
        value["blockDevices"] = devices


def _provider(machine_set: Object) -> Object:
    machine = (machine_set["spec"].get("template") or {}).get("spec") or {}
    return (machine.get("providerSpec") or {}).get("value") or {}


def _labels_of_machines(machine_set: Object) -> Object:
    metadata = (machine_set["spec"].get("template") or {}).get("metadata") or {}
    return metadata.get("labels") or {}


def _kept_annotations(metadata: Object) -> Object:
    return {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if not key.startswith((*_TYPE_ANNOTATIONS, "kubectl.kubernetes.io/"))
    }


def _name(base: str, instance_type: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", f"{base}-{instance_type}".lower()).strip("-")
    if len(name) <= _LONGEST_NAME:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: _LONGEST_NAME - 7].rstrip('-')}-{mark}"
