"""`foresail.core.plan_project_template`: the template of new projects, with an annotation set or removed."""

from __future__ import annotations

from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils import project_templates
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result


class ActionModule(ForesailAction):
    """Edit the template, without applying it."""

    NAME = "plan_project_template"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Return the manifest, or None when there is nothing to change."""
        manifest = project_templates.annotated(arguments["template"], arguments["key"], arguments["value"])
        return {"changed": False, "manifest": manifest}
