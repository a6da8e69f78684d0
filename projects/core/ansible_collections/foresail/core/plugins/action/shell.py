"""`foresail.core.shell`: run a bash script."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.arguments import native
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.bash import Finished, run_script
from projects.core.cluster import documents


class ActionModule(ForesailAction):
    """Run a script on this machine."""

    NAME = "shell"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Run it; in check mode only when it changes nothing."""
        if self.checking and not arguments["reads_only"]:
            return {"changed": True, "msg": f"would run the script:\n{arguments['script']}"}
        finished = run_script(
            arguments["script"],
            environment=self._whole_environment(arguments["environment"]),
            directory=Path(arguments["directory"]) if arguments["directory"] else None,
            stdin=arguments["stdin"],
            timeout=arguments["timeout"],
        )
        if arguments["file"]:
            documents.write(self.artifact(arguments["file"]), finished.stdout)
        return _result(finished, check=arguments["check"]) | {"changed": not arguments["reads_only"]}

    def _whole_environment(self, given: dict[str, Any]) -> dict[str, str]:
        of_the_play: dict[str, Any] = {}
        for layer in reversed(self._task.environment or []):
            of_the_play |= native(self._templar.template(layer)) or {}
        added = {**of_the_play, **given}
        return {**os.environ, **{str(key): _text(value) for key, value in added.items()}}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _result(finished: Finished, *, check: bool) -> Result:
    result: Result = {
        "rc": finished.returncode,
        "stdout": finished.stdout,
        "stdout_lines": finished.stdout.splitlines(),
        "stderr": finished.stderr,
        "stderr_lines": finished.stderr.splitlines(),
    }
    if finished.returncode and check:
        said = f":\n{finished.tail}" if finished.tail else " and wrote nothing"
        result |= {"failed": True, "msg": f"the script {finished.how}{said}"}
    return result
