"""Faults of what stands behind the API, as data. Read by `reading`; `projects.sim_cluster.faults` makes behaviours of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from projects.sim_cluster.scenarios.fields import ClusterFault, Patterns, Pods, Seconds
from projects.sim_cluster.scenarios.pod_faults import CrashLoop, Evicted, ImagePullFailure, NeverReady, OutOfMemory


class NodeLost(ClusterFault):
    """A node's kubelet stops: NotReady, unreachable, its pods are evicted."""

    do: Literal["node-lost"]
    nodes: Patterns = ()
    """Patterns of nodes; any by default."""
    count: int = Field(default=1, ge=1)
    """How many nodes."""
    once_runs: Pods | None = None
    """Only a node on which such a pod has got ready; `after` counts from then on: what happens in the midst of a run."""
    returns_after: Seconds | None = None
    """How long it is gone; for ever by default."""
    removed_after: Seconds | None = None
    """After how long the cloud sees that the machine is no more and removes the Node, and with it what ran there; never by default."""


class GpuLost(ClusterFault):
    """GPUs fall off a node: fewer are allocatable."""

    do: Literal["gpu-lost"]
    nodes: Patterns = ()
    """Patterns of nodes that have GPUs; any by default."""
    count: int = Field(default=1, ge=1)
    """How many nodes."""
    gpus: int = Field(default=1, ge=1)
    """How many GPUs each loses."""


class OperatorStuck(ClusterFault):
    """An operator's ClusterServiceVersion never succeeds: its deployment does not get ready."""

    do: Literal["operator-stuck"]
    operators: Patterns = ()
    """Patterns of packages; every operator by default."""


class InstallPlanFailed(ClusterFault):
    """An operator's InstallPlan fails."""

    do: Literal["install-plan-failed"]
    operators: Patterns = ()
    """Patterns of packages; every operator by default."""


class NamespaceStuck(ClusterFault):
    """A namespace that is deleted keeps something in it whose finalizer nobody removes: it stays Terminating."""

    do: Literal["namespace-stuck"]
    namespaces: Patterns = ()
    """Patterns of namespaces; any by default but those of the cluster itself (`default`, `kube-*`, `openshift*`)."""
    lasts: Seconds | None = None
    """How long, from its deletion on; for ever by default."""


class QuotaReached(ClusterFault):
    """A ResourceQuota is in namespaces, and leaves no more than this."""

    do: Literal["quota-reached"]
    namespaces: Patterns = ()
    """Patterns of namespaces; any by default but those of the cluster itself (`default`, `kube-*`, `openshift*`)."""
    hard: dict[str, str] = Field(default_factory=lambda: {"pods": "0"})
    """What the quota allows."""


class NoCapacity(ClusterFault):
    """The cloud has no machine of a type: machines of it fail to be made."""

    do: Literal["no-capacity"]
    instance_types: Patterns = ()
    """Patterns of machine types; any by default."""
    fails: bool = False
    """Whether a machine that cannot be made is given up (`Failed`), rather than tried again (`Provisioning`)."""
    lasts: Seconds | None = None
    """How long there is none, from the beginning of the fault on; for ever by default."""


class ClockSkew(ClusterFault):
    """The clock of the API server is off. On a real API, which goes by the clock of the machine, only the header `Date` is."""

    do: Literal["clock-skew"]
    seconds: float
    """How far it is ahead of its clients'; negative is behind."""


AnyClusterFault = Annotated[
    ImagePullFailure
    | CrashLoop
    | OutOfMemory
    | NeverReady
    | Evicted
    | NodeLost
    | GpuLost
    | OperatorStuck
    | InstallPlanFailed
    | NamespaceStuck
    | QuotaReached
    | NoCapacity
    | ClockSkew,
    Field(discriminator="do"),
]
