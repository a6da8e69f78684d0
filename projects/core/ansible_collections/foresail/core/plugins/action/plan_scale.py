"""`foresail.core.plan_scale`: how MachineSets have to change so that there are so many machines of a type."""

from __future__ import annotations

from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils import machine_sets
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result


class ActionModule(ForesailAction):
    """Plan, without touching anything."""

    NAME = "plan_scale"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Return the plan."""
        existing = arguments.pop("machine_sets")
        plan = machine_sets.plan(existing, machine_sets.Wanted(**arguments))
        return {
            "changed": False,
            "delete": plan.delete,
            "create": plan.create,
            "replicas": plan.replicas,
            "machine_sets": plan.machine_sets,
        }
