"""What a behaviour knows of the cluster: the objects of one resource, kept up to date by a watch and by its own writes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

from projects.sim_cluster.behaviours.interface import Object

Key = tuple[str, str]
State = TypeVar("State", bound=Hashable)


def key_of(obj: Object) -> Key:
    """Return the namespace and the name of an object."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def controller_of(obj: Object) -> Object | None:
    """Return the reference to the controller of an object."""
    return next((owner for owner in obj["metadata"].get("ownerReferences") or () if owner.get("controller")), None)


class Cache:
    """The objects of one resource, by key, by owner and (pods) by node."""

    def __init__(self) -> None:
        self._objects: dict[Key, Object] = {}
        self._in_namespace: dict[str, dict[Key, None]] = {}
        self._owned: dict[str, set[Key]] = {}
        self._on_node: dict[str, set[Key]] = {}
        self._node_changes: Counter[str] = Counter()
        self._tallies: dict[Callable[[Object], Any], dict[str, Counter[Any]]] = {}
        self._gone: set[str] = set()
        self._gone_order: deque[str] = deque()

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._objects.values()))

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, namespace: str, name: str) -> Object | None:
        """Return an object, None when there is none."""
        return self._objects.get((namespace, name))

    def owned_by(self, owner: Object) -> list[Object]:
        """Return what refers to an owner, ordered by name."""
        return self._chosen(self._owned.get(owner["metadata"]["uid"], ()))

    def tally(self, owner: Object, state_of: Callable[[Object], State]) -> Counter[State]:
        """Return how many of an owner's objects are in which state; it is kept count of, so it costs nothing to ask often."""
        if state_of not in self._tallies:
            self._tallies[state_of] = {}
            for obj in self._objects.values():
                self._count(obj, state_of, 1)
        return self._tallies[state_of].get(owner["metadata"]["uid"], Counter())

    def _count(self, obj: Object, state_of: Callable[[Object], Any], number: int) -> None:
        state, tallies = state_of(obj), self._tallies[state_of]
        for owner in obj["metadata"].get("ownerReferences") or ():
            tally = tallies.setdefault(owner["uid"], Counter())
            tally[state] += number
            if not any(tally.values()):
                del tallies[owner["uid"]]

    def on_node(self, node: str) -> list[Object]:
        """Return the pods of a node."""
        return self._chosen(self._on_node.get(node, ()))

    def changes_on_node(self, node: str) -> int:
        """Return a number that grows with each change of a node's pods; without a change it is the same."""
        return self._node_changes[node]

    def in_namespace(self, namespace: str) -> list[Object]:
        """Return the objects of a namespace."""
        return [self._objects[key] for key in self._in_namespace.get(namespace, ())]

    def _chosen(self, keys: Iterable[Key]) -> list[Object]:
        return [self._objects[key] for key in sorted(keys)]

    def put(self, obj: Object) -> None:
        """Take in an object, unless a newer one is known or it is known to be gone."""
        key, metadata = key_of(obj), obj["metadata"]
        known = self._objects.get(key)
        if metadata["uid"] in self._gone:
            return
        if known is not None and int(known["metadata"]["resourceVersion"]) >= int(metadata["resourceVersion"]):
            return
        if known is not None:
            self._unindex(key, known)
        self._objects[key] = obj
        self._in_namespace.setdefault(key[0], {})[key] = None
        for owner in metadata.get("ownerReferences") or ():
            self._owned.setdefault(owner["uid"], set()).add(key)
        if node := (obj.get("spec") or {}).get("nodeName"):
            self._on_node.setdefault(node, set()).add(key)
            self._node_changes[node] += 1
        for state_of in self._tallies:
            self._count(obj, state_of, 1)

    def remove(self, obj: Object) -> None:
        """Forget an object that is gone."""
        uid, key = obj["metadata"]["uid"], key_of(obj)
        self._gone.add(uid)
        self._gone_order.append(uid)
        if len(self._gone_order) > 20_000:  # noqa: PLR2004 - far more than writes on the way
            self._gone.discard(self._gone_order.popleft())
        known = self._objects.get(key)
        if known is not None and known["metadata"]["uid"] == uid:
            self._unindex(key, known)
            del self._objects[key], self._in_namespace[key[0]][key]

    def _unindex(self, key: Key, obj: Object) -> None:
        for owner in obj["metadata"].get("ownerReferences") or ():
            self._owned.get(owner["uid"], set()).discard(key)
        if node := (obj.get("spec") or {}).get("nodeName"):
            self._on_node.get(node, set()).discard(key)
            self._node_changes[node] += 1
        for state_of in self._tallies:
            self._count(obj, state_of, -1)
