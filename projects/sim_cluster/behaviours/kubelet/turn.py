"""One look of a kubelet at a pod: the time, what it remembers, when to look again, what to tell. Made by `behaviour`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.kubelet.memory import Memory, Run
from projects.sim_cluster.behaviours.programs import PodFault
from projects.sim_cluster.behaviours.resources import NODES
from projects.sim_cluster.behaviours.unit import World

_RUNTIME: Final = "containerd"


@dataclass
class Turn:
    """What the steps of a pod's containers share while a kubelet looks at the pod."""

    world: World
    pod: Object
    memory: Memory
    wakes: list[float] = field(default_factory=list)
    evicted: PodFault | None = None
    _told: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    @property
    def now(self) -> float:
        """The cluster's time."""
        return self.world.now

    @property
    def node(self) -> Object:
        """The pod's node; an empty one when the cluster has none."""
        return self.world.cache(NODES).get("", self.pod["spec"]["nodeName"]) or {}

    def run(self, container: Object) -> Run:
        """Return what is remembered of a container."""
        return self.memory.run(self.world.settings, self.pod, container)

    def strike(self, container: Object, *, pulls: bool) -> PodFault | None:
        """Return what goes wrong with the pull or the start that comes now."""
        return self.memory.strike(self.world.settings, self.pod, container, pulls=pulls)

    def waits(self, seconds: float) -> bool:
        """Return whether something is some seconds ahead; if so the pod is looked at again then."""
        if seconds > 0:
            self.wakes.append(seconds)
        return seconds > 0

    def tell(self, reason: str, message: str, container: Object | None = None, *, warning: bool = False) -> None:
        """Have an event written once the pod's status is."""
        where = {"host": self.pod["spec"]["nodeName"], "type": "Warning" if warning else "Normal"}
        if container is not None:
            where["part"] = f"spec.{self.place(container)}{{{container['name']}}}"
        self._told.append((reason, message, where))

    def say(self) -> None:
        """Write the events of this turn."""
        for reason, message, where in self._told:
            self.world.tell(self.pod, reason, message, **where)
        self._told.clear()

    def place(self, container: Object) -> str:
        """Return the field of the pod's spec that holds a container."""
        inits = self.pod["spec"].get("initContainers") or ()
        return "initContainers" if any(each["name"] == container["name"] for each in inits) else "containers"

    def container_id(self, container: Object, restarts: int) -> str:
        """Return the id of a start of a container."""
        version = ((self.node.get("status") or {}).get("nodeInfo") or {}).get("containerRuntimeVersion", "")
        digest = _digest(f"{self.pod['metadata']['uid']}/{container['name']}/{restarts}")
        return f"{version.partition('://')[0] or _RUNTIME}://{digest}"


def image_id(image: str) -> str:
    """Return the id of an image that a container runs."""
    if "@" in image:
        return image
    name, colon, tag = image.rpartition(":")
    return f"{name if colon and '/' not in tag else image}@sha256:{_digest(image)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
