"""What a write asks to be admitted: what was there, what is to be there, who asks. Made by `writes` and `deletes`, judged by their checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from projects.sim_cluster.api.identity import User
from projects.sim_cluster.api.kinds import Kind, Object

Operation = Literal["CREATE", "UPDATE", "DELETE"]


class Asked(Protocol):
    """What there is to know of a request beside its objects."""

    @property
    def operation(self) -> str:
        """What is done."""
        ...

    @property
    def kind(self) -> Kind:
        """The kind by which it is done."""
        ...

    @property
    def subresource(self) -> str:
        """The part of an object that is written."""
        ...

    @property
    def by(self) -> User:
        """Who asks."""
        ...

    @property
    def namespace(self) -> str:
        """Where."""
        ...

    @property
    def name(self) -> str:
        """Of which object."""
        ...


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """One write of one object.

    Attributes:
      operation: What is done.
      kind: The kind by which it is done.
      before: The object that is there; None when it is created.
      after: The object that is to be there; of a delete, the one that goes.
      subresource: By which it is written; empty for the object itself.
      by: Who asks.
      dry_run: Whether nothing is stored.
    """

    operation: Operation
    kind: Kind
    before: Object | None
    after: Object
    subresource: str
    by: User
    dry_run: bool

    @property
    def name(self) -> str:
        """The name of the object."""
        return str(self.after["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace; empty when it is in none."""
        return str(self.after["metadata"].get("namespace", ""))

    def document(self) -> Object:
        """Return what CEL calls ``request``: the AdmissionRequest of ``admission.k8s.io/v1`` without its objects."""
        kind = self.kind
        head = {"group": kind.group, "version": kind.version}
        of, by = head | {"kind": kind.kind}, head | {"resource": kind.resource}
        asked: Object = {"kind": of, "resource": by, "requestKind": of, "requestResource": by, "name": self.name}
        asked |= {"operation": self.operation, "userInfo": self.by.as_info(), "dryRun": self.dry_run}
        optional = {
            "namespace": self.namespace,
            "subResource": self.subresource,
            "requestSubResource": self.subresource,
        }
        return asked | {key: value for key, value in optional.items() if value}


#: Refuses a write, or returns what it warns of.
Check = Callable[[AdmissionRequest], Iterable[str] | None]
