"""What a plan needs of the cluster: questions, each asked once. Gathered by `checking` from what the tasks would do.

What the plan makes itself is not asked for, and neither is what follows from that, such as the kinds of an operator that it
installs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from projects.core.cluster.session import STATE
from projects.core.execution.planned import PlannedTask
from projects.core.planning.questions import (
    Answers,
    DefaultStorageClassIsThere,
    Matches,
    MayDo,
    NamespaceIsThere,
    PullSecretIsThere,
    Question,
    SecretFileIsThere,
    Served,
    StorageClassIsThere,
)
from projects.core.planning.tree import Node, Plan
from projects.core.values.unknown import is_unknown

_VERBS: Mapping[str, tuple[str, ...]] = {
    "apply": ("patch", "create"),  # server-side apply is a PATCH, and needs both when the object is not there
    "patch": ("patch",),
    "delete": ("delete",),
    "exec": ("create",),
}
"""Verbs of the API that a task's verb takes, when it writes."""
_INERT = frozenset({"ClusterRole", "ClusterRoleBinding", "ConfigMap", "Namespace", "Role", "RoleBinding", "Secret"})
"""Kinds of which nothing else comes."""
_INERT_ALSO = frozenset({"Service", "ServiceAccount", "StorageClass", "LimitRange", "ResourceQuota"})
_OF_MACHINES = frozenset({"Machine", "MachineSet"})
_BRINGS_KINDS = frozenset({"Subscription", "CustomResourceDefinition"})


@dataclass(slots=True)
class _Made:
    """What a plan makes or changes itself."""

    kinds: set[str] = field(default_factory=set)
    objects: set[tuple[str, str | None, str]] = field(default_factory=set)

    def take(self, task: PlannedTask) -> None:
        """Remember what a task makes."""
        if task.verb not in ("apply", "patch"):
            return
        for each in task.objects:
            self.kinds.add(str(each["kind"]))
            if task.verb == "apply":
                self.objects.add((str(each["kind"]), each.get("namespace"), str(each.get("name"))))
        if not task.objects and task.verb == "apply":
            self.kinds.add("")  # a manifest that is not known

    def has(self, kind: str, name: str, namespace: str | None = None) -> bool:
        """Return whether it makes an object."""
        return (kind, namespace, name) in self.objects

    def may_bring(self, kind: str) -> bool:
        """Return whether objects of a kind may come of what it makes."""
        if kind == "Node":
            return bool(self.kinds & _OF_MACHINES)
        return kind in self.kinds or bool(self.kinds - _INERT - _INERT_ALSO)

    @property
    def brings_kinds(self) -> bool:
        """Whether it makes something that defines kinds."""
        return bool(self.kinds & _BRINGS_KINDS)


def needs(plan: Plan) -> dict[Question, list[str]]:
    """Return what a plan needs of the cluster, with the steps that need it."""
    nodes = [node for node in plan.everything() if not node.skipped_because]
    made = _Made()
    for node in nodes:
        for task in _tasks(node):
            made.take(task)
    found: dict[Question, list[str]] = {}
    for node in nodes:
        questions: list[Question] = [Answers()] if STATE in node.depends_on else []
        questions += [*_files(node), *(each for task in _tasks(node) for each in _of_task(task, made))]
        for each in questions:
            names = found.setdefault(each, [])
            if node.step.name not in names:
                names.append(node.step.name)
    return found


def _tasks(node: Node) -> Iterator[PlannedTask]:
    return (task for task in node.tasks if not task.skipped)


def _files(node: Node) -> Iterator[Question]:
    for note in node.notes:
        if note.kind == "secret":
            variable, _, file = note.what.removeprefix("$").partition("/")
            yield SecretFileIsThere(variable, file)


def _of_task(task: PlannedTask, made: _Made) -> Iterator[Question]:
    for each in task.objects:
        if not each.get("optional"):
            yield from _of_object(task, each, made)
    if task.verb == "apply":
        for manifest, target in zip(task.manifests, task.objects, strict=False):
            yield from _of_manifest(manifest, target.get("namespace"), made)


def _of_object(task: PlannedTask, target: Mapping[str, Any], made: _Made) -> Iterator[Question]:
    kind, version = str(target["kind"]), target.get("api_version")
    name, namespace = _known(target.get("name")), _known(target.get("namespace"))
    if not made.brings_kinds:
        yield Served(kind, version)
    if namespace and not made.has("Namespace", namespace) and task.verb != "delete":
        yield NamespaceIsThere(namespace)
    if kind in ("Namespace", "Project") and name and task.verb in ("patch", "get", "wait") and not made.has(kind, name):
        yield NamespaceIsThere(name)
    for verb in _VERBS.get(task.verb, ()):
        yield MayDo(verb, kind, version, name if verb != "create" else None, namespace, target.get("subresource"))
    labels = _known(target.get("labels"))
    if task.verb == "wait" and labels and not task.when and not made.may_bring(kind):
        yield Matches(kind, version, namespace, labels)


def _of_manifest(manifest: Mapping[str, Any], namespace: str | None, made: _Made) -> Iterator[Question]:
    for claim in _claims(manifest):
        yield from _of_claim(claim, made)
    for pod in _inside(manifest, "containers"):
        selector = pod.get("nodeSelector") or {}
        if selector and not is_unknown(selector) and not made.may_bring("Node"):
            yield Matches("Node", "v1", None, ",".join(f"{key}={value}" for key, value in sorted(selector.items())))
        for each in pod.get("imagePullSecrets") or []:
            name = _known(each.get("name"))
            if name and not made.has("Secret", name, namespace) and not is_unknown(namespace):
                yield PullSecretIsThere(name, namespace)


def _of_claim(spec: Mapping[str, Any], made: _Made) -> Iterator[Question]:
    if "storageClassName" not in spec:
        if "StorageClass" not in made.kinds:
            yield DefaultStorageClassIsThere()
    elif (name := _known(spec["storageClassName"])) and not made.has("StorageClass", name):
        yield StorageClassIsThere(name)


def _claims(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if manifest.get("kind") == "PersistentVolumeClaim":
        yield manifest.get("spec") or {}
    spec = manifest.get("spec")
    templates = spec.get("volumeClaimTemplates") if isinstance(spec, Mapping) else None
    for each in templates if isinstance(templates, list) else ():
        yield each.get("spec") or {}


def _inside(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings inside a document that have a key, such as the pod specs, which have containers."""
    members: Iterable[Any] = ()
    if isinstance(value, Mapping):
        if isinstance(value.get(key), list):
            yield value
        members = value.values()
    elif isinstance(value, list):
        members = value
    for member in members:
        yield from _inside(member, key)


def _known(value: Any) -> str | None:
    return None if value is None or is_unknown(value) else str(value)
