"""`foresail.core.apply`: make objects as manifests say."""

from __future__ import annotations

from typing import Any, cast

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.manifests import apply_all, keep, manifests_of
from projects.core.cluster.api import FieldValidation, target_of


class ActionModule(ForesailAction):
    """Apply manifests that a task holds as data."""

    NAME = "apply"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Apply them in order; what was applied before one is rejected stays."""
        manifests = manifests_of(arguments["manifest"])
        if arguments["file"] and not self._task.no_log:
            keep(manifests, self.artifact(arguments["file"]))
        self.involve("apply", *(target_of(each, arguments["namespace"]) for each in manifests))
        cluster = self.cluster
        if not self.checking:
            for each in manifests:
                cluster.session.discovery.await_kind(each["kind"], each["apiVersion"], arguments["await_kind"])
        return apply_all(
            cluster,
            manifests,
            namespace=arguments["namespace"],
            checking=self.checking,
            validation=cast("FieldValidation", arguments["validation"].capitalize()),
            temporary=arguments["temporary"],
        )
