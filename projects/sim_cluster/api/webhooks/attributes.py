"""What admission is told of a request. Made by `writes`, `resources` and `subresources`; read by the other modules here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from projects.sim_cluster.api.identity import User
from projects.sim_cluster.api.kinds import Kind, Object

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


class Form(NamedTuple):
    """Of which group, version and kind an object is."""

    group: str
    version: str
    kind: str


@dataclass
class Attributes:
    """A request, as admission sees it.

    Attributes:
      kind: The resource that the request is about.
      operation: What it does.
      by: Who makes it.
      namespace: Where; of a namespace its own name, as the server takes its path.
      name: Of the object; empty when it has none yet, or when a collection is deleted.
      object: What is asked for; None when something is deleted.
      old: What there is; None when something is created.
      subresource: Of which it is a write.
      form: Of what the objects are, when they are not of the kind itself.
      dry_run: Whether nothing is to happen.
      options: The options of the request, as a document.
    """

    kind: Kind
    operation: Operation
    by: User
    namespace: str
    name: str
    object: Object | None
    old: Object | None = None
    subresource: str = ""
    form: Form | None = None
    dry_run: bool = False
    options: Object | None = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind.storage == ("", "namespaces") and not self.namespace:
            self.namespace = self.name

    def form_as(self, kind: Kind) -> Form:
        """Return of what the objects are when they are shown as another version of the resource."""
        return self.form or Form(kind.group, kind.version, kind.kind)

    def shown_as(self, kind: Kind, obj: Object | None) -> Object | None:
        """Return an object as another version of the resource has it."""
        if obj is None or self.form is not None or kind is self.kind:
            return obj
        return kind.served(self.kind.stored(obj))

    def shown_back(self, kind: Kind, obj: Object) -> Object:
        """Return an object of another version of the resource as one of this."""
        return obj if self.form is not None or kind is self.kind else self.kind.served(kind.stored(obj))
