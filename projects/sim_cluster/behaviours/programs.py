"""What runs in containers, declared: which containers a program is for, what it prints, how it ends, what exec answers.

The kubelet behaviour asks for the program of a container to play its life; `console` answers logs and exec from it. A
scenario's ``programs:`` section is read into `Program`; the fields are its keys. Without a program a container starts, gets
ready and runs on; that of a Job completes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, Protocol

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.label_selectors import selects
from projects.sim_cluster.behaviours.metadata import labels_of

FaultKind = Literal["image-pull", "crash", "oom", "never-ready", "evicted"]


@dataclass(frozen=True)
class Line:
    """A line of a container's log.

    Attributes:
      text: The line, without its end.
      after: How many seconds after the start of the container it is printed.
    """

    text: str
    after: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What ``exec`` of a command in the container answers.

    Attributes:
      command: A glob on the command line as a shell would take it, such as ``nvidia-smi*`` or ``sh -c '*'``.
      stdout: What it writes there.
      stderr: What it writes there.
      exit_code: How it exits.
      takes: How many seconds it runs.
    """

    command: str
    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    takes: float = 0.0

    def is_for(self, command: Iterable[str]) -> bool:
        """Return whether this answers a command."""
        return fnmatchcase(shlex.join(command), self.command)


@dataclass(frozen=True)
class PodFault:
    """Something that goes wrong with a container each time it starts.

    Attributes:
      kind: ``image-pull`` (the image cannot be had), ``crash`` (it exits with `exit_code`), ``oom`` (it is killed for its
        memory, with 137), ``never-ready`` (it runs but fails its readiness probe), ``evicted`` (its node runs out of memory and
        evicts the pod).
      first: Only the first so many starts go wrong (pulls, of ``image-pull``); always when this is None. The starts of a
        container's pods that have the same controller are counted together, so that the second pod of a Job may succeed.
      probability: How likely a start goes wrong; which ones do follows from the seed of the cluster.
      after: How many seconds after its start it crashes, is killed or evicted.
      exit_code: How a ``crash`` exits.
      message: What is wrong, in words, where the kubelet reports some: why an image cannot be pulled, what a probe or an
        eviction says. Empty for the usual words.
    """

    kind: FaultKind
    first: int | None = None
    probability: float = 1.0
    after: float = 1.0
    exit_code: int = 1
    message: str = ""


@dataclass(frozen=True)
class Program:
    """What runs in the containers that it is for; a container gets the first program that fits.

    Attributes:
      image: A glob on the container's image, such as ``*/trainer:*``.
      selector: A ``LabelSelector`` on the pod, such as ``{"matchLabels": {"app": "train"}}``; any pod when it is None.
      container: A glob on the container's name.
      namespace: A glob on the pod's namespace.
      prints: The lines of its log.
      runs: After how many seconds it exits; it runs on when this is None (a Job's container and an init container then
        exit when the cluster's timings say).
      exit_code: How it exits.
      ready_after: After how many seconds it gets ready; when this is None, as its probes allow.
      answers: What ``exec`` answers; the first that fits the command.
      faults: What goes wrong; the first that strikes.
      message: What it leaves in its termination message when it exits.
    """

    image: str = "*"
    selector: Object | None = None
    container: str = "*"
    namespace: str = "*"
    prints: tuple[Line, ...] = ()
    runs: float | None = None
    exit_code: int = 0
    ready_after: float | None = None
    answers: tuple[Answer, ...] = ()
    faults: tuple[PodFault, ...] = ()
    message: str = ""

    def is_for(self, pod: Object, container: Object) -> bool:
        """Return whether this program runs in a container."""
        return (
            fnmatchcase(container.get("image", ""), self.image)
            and fnmatchcase(container["name"], self.container)
            and fnmatchcase(pod["metadata"].get("namespace", ""), self.namespace)
            and (self.selector is None or selects(self.selector, labels_of(pod)))
        )


Programs = tuple[Program, ...]


class PodFaults(Protocol):
    """What goes wrong with containers whatever runs in them; a scenario says it."""

    def faults(self, pod: Object, container: Object) -> Sequence[PodFault]:
        """Return what may go wrong with a container that is pulled or started now."""
        ...

    def struck(self, fault: PodFault, pod: Object) -> None:
        """Take note of what went wrong."""
        ...


def program_of(programs: Programs, pod: Object, container: Object) -> Program | None:
    """Return what runs in a container, None when nothing is declared."""
    return next((program for program in programs if program.is_for(pod, container)), None)
