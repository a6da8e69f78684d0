"""What programs print and what they answer to exec: the part of a kubelet that clients talk to. `cluster` hands it to the API.

Nothing is kept: what a container has printed follows from its program and from when it was started.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.programs import Answer, Program, Programs, program_of

_NOT_FOUND: Final = 127
_IDLE: Final = "{name} of pod {namespace}/{pod} is simulated: no program runs in it"


class Console:
    """Answers for the containers of a cluster."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def _program(self, pod: Object, name: str) -> Program | None:
        spec = pod["spec"]
        containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
        return program_of(self._programs, pod, next(each for each in containers if each["name"] == name))

    def printed(self, pod: Object, name: str, started: float) -> list[tuple[float, str]]:
        """Return the lines that a start of a container prints, with the times at which it does or will."""
        program = self._program(pod, name)
        if program is None:
            metadata = pod["metadata"]
            return [(started, _IDLE.format(name=name, namespace=metadata["namespace"], pod=metadata["name"]))]
        return sorted(((started + line.after, line.text) for line in program.prints), key=lambda line: line[0])

    def executed(self, pod: Object, name: str, command: Sequence[str]) -> Answer:
        """Return what a command in a container answers; one that no program has is not found there."""
        program = self._program(pod, name)
        found = next((each for each in program.answers if each.is_for(command)), None) if program else None
        return found or _missing(command)


def _missing(command: Sequence[str]) -> Answer:
    """Return what a container runtime says of a command that an image does not have."""
    named = command[0] if command else ""
    number = hashlib.sha256(named.encode()).hexdigest()
    why = f'exec: "{named}": executable file not found in $PATH'
    runtime = f"OCI runtime exec failed: exec failed: unable to start container process: {why}: unknown"
    told = f'failed to exec in container: failed to start exec "{number}": {runtime}\n'
    return Answer(command=named, stderr=told, exit_code=_NOT_FOUND)
