"""What the API asks of whoever runs containers, and which container of a pod a request means. Used by `logs` and `streams`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from projects.sim_cluster.api.errors import bad_request, not_simulated
from projects.sim_cluster.api.kinds import Object


class Executed(Protocol):
    """What a command in a container did."""

    @property
    def stdout(self) -> str:
        """What it wrote there."""
        ...

    @property
    def stderr(self) -> str:
        """What it wrote there."""
        ...

    @property
    def exit_code(self) -> int:
        """How it exited."""
        ...

    @property
    def takes(self) -> float:
        """How many seconds of the cluster's time it runs."""
        ...


class Containers(Protocol):
    """Answers for what runs in containers."""

    def printed(self, pod: Object, name: str, started: float) -> Sequence[tuple[float, str]]:
        """Return the lines that a start of a container prints, with the times at which it does or will."""
        ...

    def executed(self, pod: Object, name: str, command: Sequence[str]) -> Executed:
        """Return what a command in a container answers."""
        ...


class NoContainers:
    """Stands where nobody runs containers."""

    def printed(self, pod: Object, name: str, started: float) -> Sequence[tuple[float, str]]:  # noqa: ARG002
        """Refuse: there is nothing that prints."""
        raise not_simulated("logs without containers")

    def executed(self, pod: Object, name: str, command: Sequence[str]) -> Executed:  # noqa: ARG002
        """Refuse: there is nothing that takes commands."""
        raise not_simulated("exec without containers")


def _names(pod: Object) -> list[str]:
    spec = pod["spec"]
    return [entry["name"] for entry in [*(spec.get("initContainers") or ()), *spec["containers"]]]


def chosen(pod: Object, container: str) -> str:
    """Return the name of the container that a request means; raise when it cannot be known."""
    names, name = _names(pod), pod["metadata"]["name"]
    if container and container not in names:
        raise bad_request(f"container {container} is not valid for pod {name}")
    if not container and len(names) > 1:
        listed = " ".join(names)
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{listed}]")
    return container or names[0]


def status_of(pod: Object, container: str) -> Object:
    """Return the status of a container, an empty one when there is none yet."""
    status = pod.get("status") or {}
    known = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return next((entry for entry in known if entry["name"] == container), {})
