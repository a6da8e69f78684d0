"""`foresail.core.patch`: change a part of an object."""

from __future__ import annotations

from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import (
    ForesailAction,
    Result,
    shown_change,
    target_of,
    without_fields_of_others,
)
from projects.core.cluster.documents import register_secret
from projects.core.values.errors import UsageError


class ActionModule(ForesailAction):
    """Patch one object."""

    NAME = "patch"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Patch it; the diff says what changed."""
        target = target_of(arguments)
        if not target.name:
            raise UsageError("foresail.core.patch changes one object: give its name")
        wanted = list if arguments["type"] == "json" else dict
        if not isinstance(arguments["patch"], wanted):
            found = type(arguments["patch"]).__name__
            raise UsageError(f"a {arguments['type']} patch is a {wanted.__name__}, found a {found}")
        self.involve("patch", target)
        if isinstance(arguments["patch"], dict):
            register_secret({**arguments["patch"], "kind": target.kind})
        change = self.cluster.patch(
            target,
            arguments["patch"],
            kind=arguments["type"],
            subresource=arguments["subresource"],
            dry_run=self.checking,
        )
        shown = shown_change(change, target)
        after = without_fields_of_others(change.after)
        return {**shown, "object": after, "objects": [after]}
