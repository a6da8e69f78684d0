"""`foresail.core.operator_example`: an example of an operator's custom resources, as its CSV carries them."""

from __future__ import annotations

from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils import operators
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result


class ActionModule(ForesailAction):
    """Take an example out of a CSV."""

    NAME = "operator_example"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Return it as a manifest."""
        return {"changed": False, "manifest": operators.example(arguments["csv"], arguments["index"])}
