"""`foresail.core.get`: read objects."""

from __future__ import annotations

from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import (
    ForesailAction,
    Result,
    target_of,
    without_fields_of_others,
)
from projects.core.values.errors import NotFound


class ActionModule(ForesailAction):
    """Read one object, or those of a selector."""

    NAME = "get"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Read them; none is a failure only when it is required."""
        target = target_of(arguments)
        self.involve("read", target)
        cluster = self.cluster
        if target.name:
            found = cluster.read(target) if arguments["required"] else cluster.get(target)
            objects = [found] if found else []
        else:
            objects = cluster.snapshot(target)[0] if arguments["required"] else cluster.objects(target)
        if arguments["required"] and not objects:
            raise NotFound(f"there are no {target}")
        shown = [without_fields_of_others(each) for each in objects]
        return {"changed": False, "objects": shown, "object": shown[0] if shown else None}
