"""What a kubelet remembers beside what it reports: the program of a container, what is to go wrong, back-offs, images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from projects.sim_cluster.behaviours.cache import controller_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.kubelet.backoff import BackOff
from projects.sim_cluster.behaviours.programs import PodFault, Program, program_of
from projects.sim_cluster.behaviours.settings import Settings

_PULL = "image-pull"
_MOST = 20_000


@dataclass(slots=True)
class Run:
    """A container of a pod, from pull to pull and from start to start."""

    program: Program | None
    pulls: BackOff = field(default_factory=BackOff)
    restarts: BackOff = field(default_factory=BackOff)
    pull_since: float | None = None
    pull_failed: float = 0.0
    pull_message: str = ""
    fault: PodFault | None = None
    has_told_unready: bool = False


class Memory:
    """The memory of the kubelets of a cluster."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, Run]] = {}
        self._tries: Counter[tuple[str, str, bool]] = Counter()
        self._images: set[tuple[str, str]] = set()
        self._stopping: set[str] = set()

    def run(self, settings: Settings, pod: Object, container: Object) -> Run:
        """Return what is known of a container."""
        runs = self._runs.setdefault(pod["metadata"]["uid"], {})
        if len(self._runs) > _MOST:  # pods that were deleted by force have said no good-bye
            del self._runs[next(iter(self._runs))]
        if (known := runs.get(container["name"])) is None:
            known = runs[container["name"]] = Run(program_of(settings.programs, pod, container))
        return known

    def starts_to_stop(self, pod: Object) -> bool:
        """Return whether a pod is being stopped from now on; later looks at it are told no."""
        uid = pod["metadata"]["uid"]
        is_new = uid not in self._stopping
        self._stopping.add(uid)
        return is_new

    def forget(self, pod: Object) -> None:
        """Forget a pod that is gone."""
        self._runs.pop(pod["metadata"]["uid"], None)
        self._stopping.discard(pod["metadata"]["uid"])

    def has_image(self, node: str, image: str) -> bool:
        """Return whether a node has an image."""
        return (node, image) in self._images

    def keep_image(self, node: str, image: str) -> None:
        """Remember that a node has an image."""
        self._images.add((node, image))

    def strike(self, settings: Settings, pod: Object, container: Object, *, pulls: bool) -> PodFault | None:
        """Return what goes wrong with the pull or the start that comes now; None when nothing does."""
        program = self.run(settings, pod, container).program
        besides = settings.pod_faults.faults(pod, container) if settings.pod_faults else ()
        faults = [*besides, *(program.faults if program else ())]
        if not any((fault.kind == _PULL) == pulls for fault in faults):
            return None
        owner = controller_of(pod) or pod["metadata"]
        key = (owner["uid"], container["name"], pulls)
        number = self._tries[key]
        self._tries[key] += 1
        where = f"{settings.seed}/{pod['metadata']['namespace']}/{owner['name']}/{container['name']}/{number}"
        for place, fault in enumerate(faults):
            if (fault.kind == _PULL) != pulls or (fault.first is not None and number >= fault.first):
                continue
            if Random(f"{where}/{place}").random() < fault.probability:  # noqa: S311 - chance by a seed, not a secret
                if settings.pod_faults:
                    settings.pod_faults.struck(fault, pod)
                return fault
        return None
