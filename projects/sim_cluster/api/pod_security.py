"""Pod Security admission: what the labels of a namespace say that pods in it must not ask for.

`writes` calls `PodSecurity.review` as one of its checks; which checks a level has is the matter of `pod_security_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from projects.sim_cluster.api.admission_requests import AdmissionRequest
from projects.sim_cluster.api.defaults import pod_templates
from projects.sim_cluster.api.errors import Cause, forbidden, invalid, invalid_value
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.pod_security_checks import violations
from projects.sim_cluster.api.pod_security_pods import LATEST, Violation
from projects.sim_cluster.api.security_notes import SECCOMP, SECCOMP_OF_CONTAINER
from projects.sim_cluster.api.store import Store

_PREFIX: Final = "pod-security.kubernetes.io/"
_LABELS: Final = frozenset(
    f"{_PREFIX}{mode}{part}" for mode in ("enforce", "audit", "warn") for part in ("", "-version")
)
_NAMESPACES: Final = ("", "namespaces")
_PODS: Final = ("", "pods")
_WORKLOADS: Final = frozenset({
    ("", "podtemplates"), ("", "replicationcontrollers"), ("apps", "deployments"), ("apps", "replicasets"), ("apps", "statefulsets"),
    ("apps", "daemonsets"), ("batch", "jobs"), ("batch", "cronjobs"),
})  # fmt: skip
_LOOKED_AT: Final = _WORKLOADS | {_NAMESPACES, _PODS}
_LEVELS: Final = ("privileged", "baseline", "restricted")  # each stricter than the one before
_VERSION: Final = re.compile(r"v1\.(0|[1-9][0-9]*)")
_MOST_PODS: Final = 3000  # that the real server looks at when a namespace gets a level


class _Level(NamedTuple):
    """A level at a version, as a label and its ``-version`` say it."""

    name: str = "privileged"
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"

    def broken(self, pod: Object) -> list[Violation]:
        """Return how a pod, or a template of one, breaks the level."""
        if self.name == "privileged":
            return []
        version = LATEST if self.version == "latest" else int(self.version.removeprefix("v1."))
        notes = (pod.get("metadata") or {}).get("annotations") or {}
        return violations(notes, pod["spec"], self.name, version)


@dataclass(frozen=True)
class _Policy:
    """What the labels of a namespace say. Nobody can read an audit log here, so that ``audit`` need only be valid."""

    enforce: _Level
    warn: _Level
    wrong: tuple[Cause, ...]

    @classmethod
    def of(cls, labels: dict[str, str]) -> _Policy:
        """Read labels. What is enforced is warned of too, where they do not say otherwise."""
        enforce = _level(labels, "enforce", _Level(), wrong="restricted")
        return cls(enforce, _level(labels, "warn", enforce, wrong="privileged"), tuple(_wrong(labels)))


def _level(labels: dict[str, str], mode: str, default: _Level, wrong: str) -> _Level:
    name = labels.get(f"{_PREFIX}{mode}")
    otherwise = default.version if name is None else "latest"
    version = labels.get(f"{_PREFIX}{mode}-version", otherwise)
    return _Level(
        default.name if name is None else name if name in _LEVELS else wrong,
        version if _VERSION.fullmatch(version) else "latest",
    )


def _wrong(labels: dict[str, str]) -> Iterator[Cause]:
    for mode in ("enforce", "audit", "warn"):
        level, version = labels.get(f"{_PREFIX}{mode}"), labels.get(f"{_PREFIX}{mode}-version")
        if level is not None and level not in _LEVELS:
            yield invalid_value(
                f"metadata.labels[{_PREFIX}{mode}]", shown(level), f"must be one of {', '.join(_LEVELS)}"
            )
        if version is not None and version != "latest" and not _VERSION.fullmatch(version):
            yield invalid_value(
                f"metadata.labels[{_PREFIX}{mode}-version]", shown(version), 'must be "latest" or "v1.x"'
            )


class PodSecurity:
    """Judges the pods, the workloads and the labels of namespaces that are written."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def review(self, asked: AdmissionRequest) -> Iterable[str]:
        """Refuse what a namespace does not allow; return what it warns of."""
        kind, before, after, subresource = asked.kind, asked.before, asked.after, asked.subresource
        if kind.storage not in _LOOKED_AT:
            return ()
        if kind.storage == _NAMESPACES:
            return () if subresource else self._namespace(kind, before, after)
        namespace = self.store.get(_NAMESPACES, "", asked.namespace)
        labels = (namespace.object["metadata"].get("labels") or {}) if namespace is not None else {}
        if _LABELS.isdisjoint(labels):
            return ()
        policy = _Policy.of(labels)
        if kind.storage == _PODS:
            return _pod(kind, policy, before, after)
        return () if subresource else _workload(kind, policy, after)

    def _namespace(self, kind: Kind, before: Object | None, after: Object) -> Iterable[str]:
        old, new = ((obj["metadata"].get("labels") or {}) if obj else {} for obj in (before, after))
        if old == new or (_LABELS.isdisjoint(old) and _LABELS.isdisjoint(new)):
            return ()
        known, policy = _Policy.of(old), _Policy.of(new)
        if policy.wrong and policy.wrong != known.wrong:
            raise invalid(kind, after["metadata"]["name"], policy.wrong)
        relaxed = _LEVELS.index(policy.enforce.name) <= _LEVELS.index(known.enforce.name)
        if before is None or (policy.enforce.version == known.enforce.version and relaxed):
            return ()
        return self._existing(after["metadata"]["name"], policy.enforce)

    def _existing(self, namespace: str, level: _Level) -> Iterator[str]:
        """Yield which pods of a namespace would not be let into it any more."""
        if level.name == "privileged":
            return
        pods = [stored.object for stored in self.store.list(_PODS, namespace)]
        if len(pods) > _MOST_PODS:
            yield f"new PodSecurity enforce level only checked against the first {_MOST_PODS} of {len(pods)} existing pods"
        names: dict[str, list[str]] = {}
        for pod in pods[:_MOST_PODS]:
            if found := level.broken(pod):
                names.setdefault(", ".join(each.reason for each in found), []).append(pod["metadata"]["name"])
        if names:
            yield f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{level}"'
        yield from sorted(f"{_and_others(pods_of)}: {reasons}" for reasons, pods_of in names.items())


def _and_others(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{min(names)} (and {others} other {'pod' if others == 1 else 'pods'})"


def _pod(kind: Kind, policy: _Policy, before: Object | None, after: Object) -> Iterable[str]:
    if before is not None and not _is_significant(before, after):
        return ()
    if found := policy.enforce.broken(after):
        raise forbidden(kind, after["metadata"]["name"], f'violates PodSecurity "{policy.enforce}": {_told(found)}')
    return _warnings(policy, after)


def _workload(kind: Kind, policy: _Policy, after: Object) -> Iterator[str]:
    for pod in pod_templates(after, kind):
        yield from _warnings(policy, pod)


def _warnings(policy: _Policy, pod: Object) -> Iterator[str]:
    if found := policy.warn.broken(pod):
        yield f'would violate PodSecurity "{policy.warn}": {_told(found)}'


def _told(found: list[Violation]) -> str:
    return ", ".join(f"{each.reason} ({each.detail})" for each in found)


def _is_significant(before: Object, after: Object) -> bool:
    """Return whether an update of a pod is one that is looked at: of its images, its containers or its seccomp annotations."""
    return bool(_looked_at(before) != _looked_at(after))


def _looked_at(pod: Object) -> Any:
    notes = pod["metadata"].get("annotations") or {}
    seccomp = {key: value for key, value in notes.items() if key == SECCOMP or key.startswith(SECCOMP_OF_CONTAINER)}
    fields = ("initContainers", "containers", "ephemeralContainers")
    return seccomp, [[(each["name"], each.get("image")) for each in pod["spec"].get(field) or ()] for field in fields]
