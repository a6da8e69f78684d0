"""What the server warns of in a pod that it accepts. Called by `writes` for every object that holds a pod's spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projects.sim_cluster.api.defaults import pod_path, pod_templates
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.quantities import amount
from projects.sim_cluster.api.security_notes import outdated

#: Sources of volumes that are no more, or will not be.
_OUTDATED: Final = {
    **dict.fromkeys(("cephfs", "rbd"), "v1.28, non-functional in v1.31+"),
    **dict.fromkeys(("quobyte", "flocker", "storageos"), "v1.22, non-functional in v1.25+"),
    "glusterfs": "v1.25, non-functional in v1.26+",
    "scaleIO": "v1.16, non-functional in v1.22+",
    "photonPersistentDisk": "v1.11, non-functional in v1.16+",
    "gitRepo": "v1.11, and disabled by default in v1.33+",
}


def pod_warnings(obj: Object, kind: Kind) -> Iterator[str]:
    """Yield the warnings about the pod spec in an object."""
    for pod in pod_templates(obj, kind):
        yield from outdated(pod, pod_path(kind).removesuffix("spec"))
        yield from _of_spec(pod["spec"], pod_path(kind))


def _of_spec(spec: Object, path: str) -> Iterator[str]:
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        yield f"{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            yield f'{path}.imagePullSecrets[{index}].name: invalid empty name ""'
    for index, volume in enumerate(spec.get("volumes") or ()):
        for source in _OUTDATED.keys() & volume.keys():
            field = "storageOS" if source == "storageos" else source
            yield f"{path}.volumes[{index}].{field}: deprecated in {_OUTDATED[source]}"
        if "projected" in volume and not any(volume["projected"].get("sources") or ()):
            yield f'volume "{volume.get("name", "")}" (Projected) has no sources provided'
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield from _of_container(container, f"{path}.{field}[{index}]")


def _of_container(container: Object, path: str) -> Iterator[str]:
    resources = container.get("resources") or {}
    for part in ("limits", "requests"):
        for name in ("memory", "ephemeral-storage"):
            given = (resources.get(part) or {}).get(name)
            if given is not None and (value := amount(given).value) != int(value):
                yield f'{path}.resources.{part}[{name}]: fractional byte value "{given}" is invalid, must be an integer'
    names: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name = variable.get("name", "")
        if name in names:
            yield f"{path}.env[{index}]: hides previous definition of {shown(name)}, which may be dropped when using apply"
        names.add(name)
    ports: dict[tuple[int, str], int] = {}
    for index, port in enumerate(container.get("ports") or ()):
        key = (port.get("containerPort", 0), port.get("protocol", "TCP"))
        if key in ports:
            yield f"{path}.ports[{index}]: duplicate port definition with {path}.ports[{ports[key]}]"
        ports.setdefault(key, index)
