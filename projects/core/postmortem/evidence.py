"""What of the cluster tells why a step failed: the objects, their owners and pods, events and logs, nodes and operators.

It starts from what the step had to do with and follows from each answer to the next question: up through owner
references, down to the pods of a workload that is not ready. Called by `capture`; the questions are asked by `reading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from projects.core.cluster import documents
from projects.core.cluster.api import Cluster, Object, Target
from projects.core.cluster.involved import Act, Involved
from projects.core.cluster.readiness import is_ready
from projects.core.cluster.session import connect_until
from projects.core.postmortem import surroundings
from projects.core.postmortem.reading import Reading

MOST_OBJECTS = 60
LOGGED_PODS = 10
LOG_LINES = 500
_PAGE = 200
_EVENTS = 100
_FIRST_ANSWER = 0.5
"""Which share of the time the first answer may take: a server that has not given one by then gives none."""
WAITED_FOR = "waited for"
_OWNS = "owns "
_RELATIONS: dict[Act, str] = {
    "wait": WAITED_FOR,
    "apply": "applied",
    "patch": "patched",
    "delete": "to be deleted",
    "read": "read",
    "exec": "ran a command in",
    "logs": "read the log of",
}
_OWNED = (
    ("Deployment", "apps/v1"),
    ("StatefulSet", "apps/v1"),
    ("DaemonSet", "apps/v1"),
    ("ReplicaSet", "apps/v1"),
    ("Job", "batch/v1"),
    ("Pod", "v1"),
)
_WORKLOADS = frozenset(kind for kind, _ in _OWNED if kind != "Pod") | {"ReplicationController"}


@dataclass(slots=True)
class Item:
    """An object that tells something.

    Attributes:
      thing: The object.
      relation: What the step has to do with it, in words.
      events: Its events.
      logs: The logs of its containers, by what they are called.
    """

    thing: Object
    relation: str
    events: list[Object] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The object as people write it."""
        metadata = self.thing["metadata"]
        return str(Target(str(self.thing.get("kind")), None, metadata["name"], metadata.get("namespace")))

    @property
    def is_owner(self) -> bool:
        """Whether it is there only because it owns something else."""
        return self.relation.startswith(_OWNS)


@dataclass(slots=True)
class Evidence:
    """What is found, in the order in which it was found.

    Args:
      reading: What asks the questions.
      involved: What the step had to do with, the most telling first.
    """

    reading: Reading
    involved: Sequence[Involved]
    items: dict[str, Item] = field(default_factory=dict)
    orphans: list[Object] = field(default_factory=list)
    """Events of objects that are not there any more."""
    nodes: list[Object] = field(default_factory=list)
    operators: dict[str, list[Object]] = field(default_factory=dict)
    _cluster: Cluster | None = None
    _logged: int = 0

    def gather(self) -> None:
        """Read as much as there is time for."""
        deadline = self.reading.deadline
        probe = deadline - self.reading.left * (1 - _FIRST_ANSWER)
        self.reading.ask("the cluster", partial(_connect, probe, deadline), self._begin)
        self.reading.run()

    @property
    def cluster(self) -> Cluster:
        """The cluster that has answered."""
        assert self._cluster is not None
        return self._cluster

    def _begin(self, cluster: Cluster) -> None:
        self._cluster = cluster
        for each in self.involved:
            self._ask_target(each)
        self.reading.ask("the conditions of the nodes", lambda: surroundings.nodes(cluster), self.nodes.extend)
        namespaces = sorted({each.target.namespace for each in self.involved if each.target.namespace})
        for kind, question in surroundings.operators(cluster, namespaces).items():
            self.reading.ask(f"the conditions of the {kind}", question, partial(self._add_operators, kind))

    def _add_operators(self, kind: str, found: list[Object]) -> None:
        if found:
            self.operators.setdefault(kind, []).extend(found)

    def _ask_target(self, involved: Involved) -> None:
        target, relation = involved.target, _RELATIONS[involved.act]
        subject = str(target)

        def gone() -> None:
            if involved.act == "delete":
                self.reading.missing.pop(subject, None)  # that is what was wanted
            if target.name:
                self.reading.ask(
                    f"the events of {subject}", lambda: _events_of_name(self.cluster, target), self.orphans.extend
                )

        def take(found: list[Object]) -> None:
            if not found and involved.act != "delete":
                self.reading.missing[subject] = "there are none"
            self._take(found, relation)

        self.reading.ask(subject, lambda: _read(self.cluster, target), take, otherwise=gone)

    def _take(self, found: Sequence[Object], relation: str) -> None:
        for thing in sorted(found, key=is_ready):
            uid = str(thing["metadata"].get("uid"))
            if (known := self.items.get(uid)) is not None:
                if known.is_owner and not relation.startswith(_OWNS):
                    known.relation = relation  # met before on the way up from what it owns
                    self._follow_down(known)
                continue
            if len(self.items) >= MOST_OBJECTS:
                self.reading.missing["more objects"] = f"only the first {MOST_OBJECTS} are kept"
                return
            documents.register_secret(thing)
            item = self.items[uid] = Item(thing, relation)
            self._follow(item)

    def _follow(self, item: Item) -> None:
        thing = item.thing
        self.reading.ask(f"the events of {item.name}", lambda: _events_of(self.cluster, thing), item.events.extend)
        for reference in thing["metadata"].get("ownerReferences") or []:
            if str(reference.get("uid")) not in self.items:
                owner = _target_of(reference, thing)
                self.reading.ask(
                    str(owner), partial(_read, self.cluster, owner), partial(self._take, relation=f"{_OWNS}{item.name}")
                )
        self._follow_down(item)

    def _follow_down(self, item: Item) -> None:
        if item.is_owner or is_ready(item.thing):
            return
        if item.thing.get("kind") == "Pod":
            self._follow_pod(item)
        elif item.thing["metadata"].get("namespace"):
            self._ask_owned(item)

    def _ask_owned(self, item: Item) -> None:
        """Ask for what a thing that is not ready has made: a workload's pods by its selector, anything else's by ownership."""
        thing, labels = item.thing, _selector(item.thing)
        by_labels = thing["kind"] in _WORKLOADS and labels is not None
        for kind, api_version in _OWNED:
            if by_labels and kind != "Pod" and (kind, thing["kind"]) != ("ReplicaSet", "Deployment"):
                continue
            target = Target(
                kind, api_version, namespace=thing["metadata"]["namespace"], labels=labels if by_labels else None
            )
            self.reading.ask(
                f"the {kind} objects of {item.name}",
                partial(_read, self.cluster, target),
                partial(self._take_owned, item, by_labels=by_labels),
            )

    def _take_owned(self, item: Item, found: list[Object], *, by_labels: bool) -> None:
        uid = item.thing["metadata"].get("uid")
        self._take([each for each in found if by_labels or _is_owned(each, uid)], f"made by {item.name}")

    def _follow_pod(self, item: Item) -> None:
        spec, namespace = item.thing["spec"], item.thing["metadata"]["namespace"]
        for volume in spec.get("volumes") or []:
            if claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
                target = Target("PersistentVolumeClaim", "v1", claim, namespace)
                self.reading.ask(
                    str(target),
                    partial(_read, self.cluster, target),
                    partial(self._take, relation=f"volume of {item.name}"),
                )
        logs = _logs_of(item.thing)
        if logs and self._logged >= LOGGED_PODS:
            self.reading.missing["more logs"] = f"only those of {LOGGED_PODS} pods are kept"
            return
        self._logged += bool(logs)
        for container, previous in logs:
            called = f"{container}.previous" if previous else container
            self.reading.ask(
                f"the log of {item.name} {called}",
                partial(self._log, item.thing, container, previous=previous),
                partial(item.logs.__setitem__, called),
            )

    def _log(self, pod: Object, container: str, *, previous: bool) -> str:
        metadata = pod["metadata"]
        return self.cluster.logs(
            metadata["name"], metadata["namespace"], container=container, previous=previous, tail_lines=LOG_LINES
        )


def _connect(probe: float, deadline: float) -> Cluster:
    """Return the cluster, which has answered by `probe` and has to go on answering until `deadline`."""
    connect_until(probe).json("GET", "/version", repeat=False)
    return Cluster(connect_until(deadline))


def _read(cluster: Cluster, target: Target) -> list[Object]:
    """Return the objects of a target, of a selector the first page."""
    if target.name:
        return [cluster.read(target)]
    return surroundings.first_page(cluster, target, _PAGE)


def _events_of(cluster: Cluster, thing: Object) -> list[Object]:
    metadata = thing["metadata"]
    return _events(cluster, metadata.get("namespace"), f"involvedObject.uid={metadata.get('uid')}")


def _events_of_name(cluster: Cluster, target: Target) -> list[Object]:
    located = cluster.located(target)
    chosen = f"involvedObject.kind={located.kind},involvedObject.name={located.name}"
    return _events(cluster, located.namespace, chosen)


def _events(cluster: Cluster, namespace: str | None, chosen: str) -> list[Object]:
    # What has no namespace has its events in the one called default.
    return surroundings.first_page(
        cluster, Target("Event", "v1", namespace=namespace or "default", fields=chosen), _EVENTS
    )


def _target_of(reference: Object, owned: Object) -> Target:
    namespace = owned["metadata"].get("namespace")
    return Target(str(reference["kind"]), str(reference["apiVersion"]), str(reference["name"]), namespace)


def _is_owned(thing: Object, uid: object) -> bool:
    return any(each.get("uid") == uid for each in thing["metadata"].get("ownerReferences") or [])


def _selector(thing: Object) -> str | None:
    labels = ((thing.get("spec") or {}).get("selector") or {}).get("matchLabels")
    return ",".join(f"{key}={value}" for key, value in labels.items()) if isinstance(labels, dict) else None


def _logs_of(pod: Object) -> list[tuple[str, bool]]:
    """Return which logs a pod has: containers by name, and whether it is that of the one before."""
    found = []
    status = pod.get("status") or {}
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state, last = each.get("state") or {}, each.get("lastState") or {}
        if "running" in state or "terminated" in state:
            found.append((str(each["name"]), False))
        if "terminated" in last:
            found.append((str(each["name"]), True))
    return found
