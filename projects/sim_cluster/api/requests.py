"""What a request asks for beside its object, and what is answered. Made by `http` and by whoever calls `resources` in process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from projects.sim_cluster.api.identity import ADMINISTRATOR, User
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.store import Stored

PatchType = Literal["json", "merge", "strategic", "apply"]


@dataclass(frozen=True)
class WriteOptions:
    """Options of a create, an update or a patch."""

    manager: str = "unknown"
    by: User = ADMINISTRATOR
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False
    subresource: str = ""
    twice: tuple[str, ...] = ()  # fields that the body holds twice
    said: Object = field(default_factory=dict)  # what of all that the request itself says
    generated: str = ""  # the name that the server has made up
    internal: bool = False  # the server's own doing, or a part of what has been admitted: no webhook is asked


@dataclass(frozen=True)
class DeleteOptions:
    """Options of a delete. What nobody asks for, as the removal of garbage or after an eviction, need not be admitted."""

    by: User | None = None
    propagation: str = ""
    grace_seconds: int | None = None
    uid: str = ""
    version: str = ""
    dry_run: bool = False
    said: Object = field(default_factory=dict)  # what of all that the request itself says


@dataclass(frozen=True)
class ListOptions:
    """Options of a list and of a delete of a collection."""

    labels: str = ""
    fields: str = ""
    limit: int = 0
    continue_token: str = ""
    version: str = ""
    version_match: str = ""
    initial_events: bool = False


@dataclass
class Outcome:
    """What a request led to: the object to show, where it is stored if it is shown as that, warnings, whether it is new."""

    object: Object
    stored: Stored | None = None
    warnings: list[str] = field(default_factory=list)
    created: bool = False
    accepted: bool = False


@dataclass(frozen=True)
class Page:
    """A list, or a part of one."""

    kind: Kind
    items: list[Stored]
    version: int
    continue_token: str = ""
    remaining: int = 0
    warnings: tuple[str, ...] = ()
