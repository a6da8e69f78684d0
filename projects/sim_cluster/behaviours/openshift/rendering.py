"""MachineConfigs put together into the rendered one of a pool. Used by `pools`, and by the shape for what is there from the start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.label_selectors import selects
from projects.sim_cluster.behaviours.metadata import annotations_of, labels_of
from projects.sim_cluster.behaviours.openshift.releases import os_image_of
from projects.sim_cluster.behaviours.unit import owner_reference

API: Final = "machineconfiguration.openshift.io/v1"
GROUP: Final = "machineconfiguration.openshift.io"
ROLE: Final = f"{GROUP}/role"
VERSION: Final = f"{GROUP}/release-image-version"
_IGNITION: Final = {"version": "3.4.0"}
_LISTS: Final = ("kernelArguments", "extensions")
_KUBELET: Final = "/etc/kubernetes/kubelet.conf"


def machine_config(name: str, role: str, spec: Object) -> Object:
    """Return a MachineConfig of a role."""
    config = {"config": {"ignition": _IGNITION}} | spec
    return {
        "apiVersion": API,
        "kind": "MachineConfig",
        "metadata": {"name": name, "labels": {ROLE: role}},
        "spec": config,
    }


def base_configs(role: str, version: str) -> list[Object]:
    """Return the MachineConfigs that a version of OpenShift brings for a role."""
    base = machine_config(f"00-{role}", role, {"osImageURL": os_image_of(version)})
    base["metadata"]["annotations"] = {VERSION: version}
    return [
        base,
        *(
            machine_config(name, role, {})
            for name in (f"01-{role}-container-runtime", f"01-{role}-kubelet", f"99-{role}-ssh")
        ),
    ]


def kubelet_config(name: str, role: str, settings: Object) -> Object:
    """Return the MachineConfig that carries a kubelet's settings."""
    contents = {"source": "data:text/plain," + json.dumps(settings, sort_keys=True)}
    files = [{"path": _KUBELET, "mode": 420, "overwrite": True, "contents": contents}]
    return machine_config(name, role, {"config": {"ignition": _IGNITION, "storage": {"files": files}}})


def kubelet_settings(config: Object) -> Object:
    """Return the kubelet's settings that a rendered MachineConfig carries."""
    files = ((config["spec"].get("config") or {}).get("storage") or {}).get("files") or ()
    for file in files:
        if file["path"] == _KUBELET:
            settings: Object = json.loads(file["contents"]["source"].partition(",")[2])
            return settings
    return {}


def sources(pool: Object, configs: Iterable[Object]) -> list[Object]:
    """Return the MachineConfigs that a pool is made of, in the order in which they are merged."""
    selector = pool["spec"].get("machineConfigSelector")
    chosen = [
        each
        for each in configs
        if selects(selector, labels_of(each)) and not each["metadata"]["name"].startswith("rendered-")
    ]
    return sorted(chosen, key=lambda each: str(each["metadata"]["name"]))


def rendered(pool: Object, chosen: list[Object]) -> Object:
    """Return the rendered MachineConfig of a pool; its name says what is in it."""
    spec = _merged(chosen)
    digest = hashlib.md5(json.dumps(spec, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    version = next((found for each in chosen if (found := annotations_of(each).get(VERSION))), "")
    annotations = {f"{GROUP}/generated-by-controller-version": "simulated", VERSION: version}
    metadata: Object = {"name": f"rendered-{pool['metadata']['name']}-{digest}", "annotations": annotations}
    if "uid" in pool["metadata"]:
        metadata["ownerReferences"] = [owner_reference(pool)]
    return {"apiVersion": API, "kind": "MachineConfig", "metadata": metadata, "spec": spec}


def _merged(chosen: list[Object]) -> Object:
    spec: Object = {
        "config": {"ignition": _IGNITION},
        "kernelArguments": [],
        "extensions": [],
        "fips": False,
        "kernelType": "default",
    }
    for each in chosen:
        for key, value in each["spec"].items():
            if key in _LISTS:
                spec[key] = [*spec[key], *(value or ())]
            elif key == "config":
                spec["config"] = _merged_ignition(spec["config"], value)
            else:
                spec[key] = value
    return spec


def _merged_ignition(old: Object, new: Object) -> Object:
    merged = dict(old)
    for section, part, key in (("storage", "files", "path"), ("systemd", "units", "name"), ("passwd", "users", "name")):
        entries: dict[str, Any] = {}
        for config in (old, new):
            entries |= {entry[key]: entry for entry in (config.get(section) or {}).get(part) or ()}
        if entries:
            merged[section] = {part: list(entries.values())}
    return merged
