"""`foresail.core.exec`: run a command in a pod's container."""

from __future__ import annotations

import shlex
from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result
from projects.core.cluster.api import Target
from projects.core.cluster.exec_channel import execute
from projects.core.values.redaction import REDACTOR

_SHOWN = 4000


class ActionModule(ForesailAction):
    """Run a program in a container."""

    NAME = "exec"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Run it; in check mode only when it changes nothing."""
        target = Target("Pod", "v1", arguments["name"], arguments["namespace"])
        self.involve("exec", target)
        cluster = self.cluster
        pod = cluster.located(target)
        if self.checking and not arguments["reads_only"]:
            return {"changed": True, "msg": f"would run `{shlex.join(arguments['command'])}` in {pod}"}
        done = execute(
            cluster,
            pod,
            arguments["command"],
            container=arguments["container"],
            stdin=arguments["stdin"],
            timeout=arguments["timeout"],
        )
        result: Result = {
            "changed": not arguments["reads_only"],
            "rc": done.returncode,
            "stdout": done.stdout,
            "stdout_lines": done.stdout.splitlines(),
            "stderr": done.stderr,
        }
        if done.returncode and arguments["check"]:
            said = REDACTOR.redact(done.stderr.strip() or done.stdout.strip() or done.message)[-_SHOWN:]
            called = f"`{shlex.join(arguments['command'])}` in {pod}"
            result |= {"failed": True, "msg": f"{called} exited with {done.returncode}:\n{said}"}
        return result
