"""`foresail.core.wait`: wait until objects are as they should be."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import (
    ForesailAction,
    Result,
    target_of,
    without_fields_of_others,
)
from projects.core.cluster.api import Target
from projects.core.cluster.conditions import Condition, Requirement
from projects.core.cluster.waiting import wait_for


class ActionModule(ForesailAction):
    """Wait by watching."""

    NAME = "wait"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Wait; in check mode nothing was made that could become ready, so there is nothing to wait for."""
        target = target_of(arguments)
        condition = Condition(
            until=arguments["until"],
            where=[Requirement.of(each) for each in arguments["where"]],
            unless=[Requirement.of(each) for each in arguments["unless"]],
            count=arguments["count"],
            names=None if arguments["names"] is None else frozenset(arguments["names"]),
        )
        if self.checking:
            return {"changed": False, "skipped": True, "msg": f"would wait for {target} {condition}", "objects": []}
        self.involve("wait", *_named(target, condition.names))
        began = time.monotonic()
        found = wait_for(self.cluster, target, condition, arguments["timeout"], await_kind=arguments["await_kind"])
        objects = [without_fields_of_others(each) for each in found]
        waited = round(time.monotonic() - began, 3)
        return {"changed": False, "objects": objects, "object": objects[0] if objects else None, "waited": waited}


def _named(target: Target, names: frozenset[str] | None) -> list[Target]:
    return [replace(target, name=name) for name in sorted(names)] if names else [target]
