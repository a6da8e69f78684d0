"""`foresail.core.logs`: read the log of a pod."""

from __future__ import annotations

from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result
from projects.core.cluster import documents
from projects.core.cluster.api import Target


class ActionModule(ForesailAction):
    """Read a log, and keep it when a file is named."""

    NAME = "logs"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Read it."""
        target = Target("Pod", "v1", arguments["name"], arguments["namespace"])
        self.involve("logs", target)
        cluster = self.cluster
        pod = cluster.located(target)
        text = cluster.logs(
            arguments["name"],
            pod.namespace or "",
            container=arguments["container"],
            previous=arguments["previous"],
            tail_lines=arguments["tail_lines"],
        )
        if arguments["file"]:
            documents.write(self.artifact(arguments["file"]), text)
        return {"changed": False, "text": text}
