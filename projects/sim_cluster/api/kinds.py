"""What kinds of objects the API serves. Filled from the record of the real API, from CRDs and by the cluster's shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from projects.sim_cluster.api.schema import Schema

Object = dict[str, Any]
Convert = Callable[[Object], Object]

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Subresource:
    """A subresource as discovery lists it."""

    name: str
    verbs: tuple[str, ...]
    kind: tuple[str, str, str]  # group, version, kind of what it answers


@dataclass(frozen=True)
class ScalePaths:
    """Where the numbers of ``/scale`` stand in an object."""

    spec: str = ".spec.replicas"
    status: str = ".status.replicas"
    selector: str = ""


@dataclass(frozen=True)
class Column:
    """A printer column that a CRD declares."""

    name: str
    type: str
    path: str
    priority: int = 0
    format: str = ""
    description: str = ""


@dataclass(frozen=True, eq=False)
class Kind:
    """One resource in one version.

    `storage` names where its objects lie: two kinds with the same one are two views of the same objects, and
    `serve` and `store` turn one into the other (Projects and Namespaces; the two Event kinds).
    """

    group: str
    version: str
    resource: str
    kind: str
    namespaced: bool
    schema: Schema
    singular: str = ""
    verbs: tuple[str, ...] = ALL_VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    custom: bool = False
    storage: tuple[str, str] = ("", "")
    serve: Convert | None = None
    store: Convert | None = None
    columns: tuple[Column, ...] = ()
    table: tuple[Mapping[str, Any], ...] = ()
    scale: ScalePaths | None = None
    selectable: tuple[str, ...] = ()
    list_kind: str = ""
    storage_hash: str = ""  # which version its objects are stored in, as legacy discovery says it
    deprecated: str = ""  # the warning that every request for it is answered with

    def __post_init__(self) -> None:
        if self.storage == ("", ""):
            object.__setattr__(self, "storage", (self.group, self.resource))

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The resource with its group, as messages name it."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def qualified_kind(self) -> str:
        """The kind with its group, as messages about invalid objects name it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def has_status(self) -> bool:
        """Whether the status is written through a subresource of its own."""
        return "status" in self.subresources

    def served(self, stored: Object) -> Object:
        """Return a stored object as this kind shows it."""
        if self.serve is not None:
            return self.serve(stored)
        if stored.get("apiVersion") == self.api_version and stored.get("kind") == self.kind:
            return stored
        return {"kind": self.kind, "apiVersion": self.api_version} | {
            key: value for key, value in stored.items() if key not in {"kind", "apiVersion"}
        }

    def stored(self, shown: Object) -> Object:
        """Return an object of this kind as it is stored."""
        return self.store(shown) if self.store is not None else shown


class Registry:
    """The kinds that are served now."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._views: dict[tuple[str, str], list[Kind]] = {}
        self.revision = 0  # changes with every change, so that what is computed from the kinds can be kept until then

    def add(self, kind: Kind) -> None:
        """Serve a kind, instead of the one that had its place."""
        self.remove(kind.group, kind.version, kind.resource)
        self._kinds[kind.group, kind.version, kind.resource] = kind
        self._views.setdefault(kind.storage, []).append(kind)
        self.revision += 1

    def remove(self, group: str, version: str, resource: str) -> None:
        """Stop serving a kind."""
        if (old := self._kinds.pop((group, version, resource), None)) is not None:
            self._views[old.storage].remove(old)
            self.revision += 1

    def find(self, group: str, version: str, resource: str) -> Kind | None:
        """Return the kind at a path."""
        return self._kinds.get((group, version, resource))

    def views(self, storage: tuple[str, str]) -> list[Kind]:
        """Return the kinds as which the objects of a storage are served."""
        return self._views.get(storage, [])

    def for_storage(self, storage: tuple[str, str]) -> Kind:
        """Return the kind as which the objects of a storage are stored."""
        views = self._views[storage]
        return next((kind for kind in views if kind.store is None and (kind.group, kind.resource) == storage), views[0])

    def of_object(self, api_version: str, kind: str) -> Kind | None:
        """Return the kind that an object says it is of."""
        group, _, version = api_version.rpartition("/")
        return next((k for k in self._kinds.values() if (k.group, k.version, k.kind) == (group, version, kind)), None)

    def has_group_version(self, group: str, version: str) -> bool:
        """Return whether anything is served in a version of a group."""
        return any(kind.group == group and kind.version == version for kind in self._kinds.values())

    def stored_kinds(self) -> Iterator[Kind]:
        """Yield one kind for every storage that can be listed."""
        for storage, views in self._views.items():
            if views and "list" in views[0].verbs:
                yield self.for_storage(storage)

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self._kinds.values()))
