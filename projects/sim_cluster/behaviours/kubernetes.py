"""The behaviours of Kubernetes itself, which a real control plane has of its own."""

from __future__ import annotations

from collections.abc import Iterable

from projects.sim_cluster.behaviours.cron_jobs import CRON_JOB
from projects.sim_cluster.behaviours.daemon_sets import DAEMON_SET
from projects.sim_cluster.behaviours.deployments import DEPLOYMENT
from projects.sim_cluster.behaviours.disruption_budgets import DISRUPTION_BUDGET
from projects.sim_cluster.behaviours.endpoint_slices import ENDPOINT_SLICE
from projects.sim_cluster.behaviours.endpoints import ENDPOINT, STRAY_ENDPOINT
from projects.sim_cluster.behaviours.jobs import JOB
from projects.sim_cluster.behaviours.kubelet.behaviour import Kubelet
from projects.sim_cluster.behaviours.namespaces import Discover, namespace_content, namespace_draining
from projects.sim_cluster.behaviours.node_life import NODE_LIFE, TAINT_EVICTION
from projects.sim_cluster.behaviours.provisioner import PROVISIONER, RECLAIMER
from projects.sim_cluster.behaviours.replica_sets import REPLICA_SET, REPLICATION_CONTROLLER
from projects.sim_cluster.behaviours.scheduler import Scheduler
from projects.sim_cluster.behaviours.stateful_sets import STATEFUL_SET
from projects.sim_cluster.behaviours.unit import Behaviour
from projects.sim_cluster.behaviours.volumes import CLAIM, VOLUME


def kubernetes_behaviours(
    discover: Discover, authority: str, accounts: Iterable[str] = ("default",)
) -> list[Behaviour]:
    """Return the workload, scheduling and namespace behaviours."""
    workloads = [DEPLOYMENT, REPLICA_SET, REPLICATION_CONTROLLER, DAEMON_SET, STATEFUL_SET, JOB, CRON_JOB]
    return [
        *workloads,
        Scheduler().behaviour(),
        Kubelet().behaviour(),
        DISRUPTION_BUDGET,
        NODE_LIFE,
        TAINT_EVICTION,
        ENDPOINT_SLICE,
        ENDPOINT,
        STRAY_ENDPOINT,
        CLAIM,
        VOLUME,
        PROVISIONER,
        RECLAIMER,
        namespace_content(accounts, authority),
        namespace_draining(discover),
    ]
