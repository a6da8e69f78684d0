"""The annotations by which pods chose their AppArmor and seccomp profiles before there were fields for it.

`pod_warnings` tells that they are outdated; `admission` gives a new pod the AppArmor profiles that they name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projects.sim_cluster.api.kinds import Object

APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP: Final = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_OF_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"
_TYPES: Final = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}
_LOCAL: Final = "localhost/"
_OLD_APPARMOR: Final = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_OLD_SECCOMP: Final = 'non-functional in v1.27+; use the "seccompProfile" field instead'


def adopt(pod: Object) -> list[str]:
    """Give the containers of a new pod the AppArmor profiles that its annotations name; return the warnings about those."""
    warnings = []
    for container, key, profile in _noted(pod):
        if profile is None or profile != _of(pod["spec"], "appArmorProfile"):
            warnings.append(f"metadata.annotations[{key}]: {_OLD_APPARMOR}")
            if profile:
                container["securityContext"] = (container.get("securityContext") or {}) | {"appArmorProfile": profile}
    return warnings


def outdated(pod: Object, path: str) -> Iterator[str]:
    """Yield the warnings about the annotations of a pod, or of a template that stands at a path such as ``spec.template.``."""
    for _, key, _ in _noted(pod) if path else ():
        yield f"{path}metadata.annotations[{key}]: {_OLD_APPARMOR}"
    notes = _notes(pod)
    if SECCOMP in notes and _of(pod["spec"], "seccompProfile") is None:
        yield f"{path}metadata.annotations[{SECCOMP}]: {_OLD_SECCOMP}"
    for container in _containers(pod["spec"]):
        key = SECCOMP_OF_CONTAINER + str(container.get("name", ""))
        if key in notes and _of(container, "seccompProfile") is None:
            yield f"{path}metadata.annotations[{key}]: {_OLD_SECCOMP}"


def _noted(pod: Object) -> Iterator[tuple[Object, str, Object | None]]:
    """Yield the containers that have an annotation instead of a field, with its key and the profile that it names."""
    notes = _notes(pod)
    if not notes or (pod["spec"].get("os") or {}).get("name") == "windows":
        return
    for container in _containers(pod["spec"]):
        key = APPARMOR + str(container.get("name", ""))
        if key in notes and _of(container, "appArmorProfile") is None:
            yield container, key, _profile(notes[key])


def _profile(note: str) -> Object | None:
    if note.startswith(_LOCAL):
        return {"type": "Localhost", "localhostProfile": note.removeprefix(_LOCAL)}
    return {"type": _TYPES[note]} if note in _TYPES else None


def _notes(pod: Object) -> dict[str, str]:
    return (pod.get("metadata") or {}).get("annotations") or {}


def _of(holder: Object, field: str) -> Object | None:
    return (holder.get("securityContext") or {}).get(field)


def _containers(spec: Object) -> list[Object]:
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
