"""Which objects a task acts on or waits for: lines of a command's `_ansible.events.jsonl`.

The action plugins write them before they act, so that they are there whatever becomes of the task, or of its process;
`postmortem` reads them when the command has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from projects.core.cluster.api import Target

Act = Literal["apply", "patch", "delete", "read", "wait", "exec", "logs"]
ACTS = "acts"
"""The outcome of such a line: the task acts, how it ends is told by a later one."""
MOST = 50
"""How many objects one task names at most."""

_KEYS = {
    "kind": "kind",
    "apiVersion": "api_version",
    "namespace": "namespace",
    "name": "name",
    "labels": "labels",
    "fields": "fields",
}


@dataclass(frozen=True, slots=True)
class Involved:
    """What a task does to the objects of a target."""

    act: Act
    target: Target

    def to_data(self) -> dict[str, str]:
        """Return it as an event holds it, without what is not said."""
        said = {key: getattr(self.target, field) for key, field in _KEYS.items()}
        return {"act": self.act, **{key: value for key, value in said.items() if value}}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self | None:
        """Return what an event says, None when it is not one of ours."""
        if data.get("act") not in get_args(Act) or not isinstance(data.get("kind"), str):
            return None
        said = {field: str(data[key]) for key, field in _KEYS.items() if data.get(key)}
        return cls(data["act"], Target(**said))
