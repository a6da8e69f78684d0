"""Faults of pods, as data: part of the faults of the cluster. Read by `reading`, done by `projects.sim_cluster.faults.pods`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from projects.sim_cluster.scenarios.fields import ClusterFault, Patterns, Pods, Seconds


class PodFault(ClusterFault):
    """What all faults of pods have: which pods, and which of their starts."""

    pods: Pods = Field(default_factory=Pods)
    """Which pods."""
    containers: Patterns = ()
    """Patterns of the names of their containers."""
    images: Patterns = ()
    """Patterns of the images of their containers."""
    count: int | None = Field(default=None, ge=1)
    """How many pods at most, in the order in which it strikes them; all by default."""
    first: int | None = Field(default=None, ge=1)
    """Only the first so many starts (pulls, of an image) go wrong, those of pods of one controller counted together; all by default."""
    message: str = ""
    """What the kubelet says of it; the usual words by default."""


class ImagePullFailure(PodFault):
    """The image cannot be pulled: ErrImagePull, ImagePullBackOff."""

    do: Literal["image-pull-failure"]


class CrashLoop(PodFault):
    """The container exits soon after its start: CrashLoopBackOff."""

    do: Literal["crash-loop"]
    exit_code: int = Field(default=1, ge=0, le=255)
    """What it exits with."""
    runs: Seconds = 1.0
    """How long it runs before."""


class OutOfMemory(PodFault):
    """The container uses more memory than it may: OOMKilled, 137."""

    do: Literal["out-of-memory"]
    runs: Seconds = 1.0
    """How long it runs before."""


class NeverReady(PodFault):
    """The container runs, and its readiness probe fails."""

    do: Literal["never-ready"]


class Evicted(PodFault):
    """The node runs out of memory, and its kubelet evicts the pod."""

    do: Literal["evicted"]
    runs: Seconds = 1.0
    """How long the container runs before."""


AnyPodFault = ImagePullFailure | CrashLoop | OutOfMemory | NeverReady | Evicted
