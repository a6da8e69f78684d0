"""`foresail.core.plan_operator`: which version of an operator to install, and how."""

from __future__ import annotations

from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils import operators
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result


class ActionModule(ForesailAction):
    """Choose, without touching anything."""

    NAME = "plan_operator"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Return the choice and the OperatorGroup that it needs."""
        choice = operators.choose(
            arguments["package"],
            channel=arguments["channel"],
            version=arguments["version"],
            csv_base_name=arguments["csv_base_name"],
            all_namespaces=arguments["all_namespaces"],
        )
        group = None
        if arguments["own_group"]:
            group = operators.operator_group(arguments["operator_groups"], arguments["namespace"], choice.install_mode)
        return {"changed": False, "channel": choice.channel, "csv": choice.csv, "operator_group": group}
