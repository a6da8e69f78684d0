"""How long things take, in seconds of the cluster's clock. Data: a scenario replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class OperatorTimings:
    """How long one operator takes, where that is not what all take.

    Attributes:
      install_plan: From the approval of its InstallPlan until its objects are there.
      csv_install: From then on until its ClusterServiceVersion has succeeded.
    """

    install_plan: float | None = None
    csv_install: float | None = None


@dataclass(frozen=True)
class Timings:
    """What behaviours wait for; the defaults are those of a quiet OpenShift on AWS.

    Attributes:
      pod_start: From a pod's scheduling until its containers run.
      pod_stop: From a pod's deletion until its containers have ended.
      init_container_run: How long an init container runs for which there is no program.
      job_pod_run: How long a container of a Job runs for which there is no program.
      machine_provision: From a Machine's creation until the cloud has given it.
      node_join: From then on until its Node is ready.
      machine_delete: From a Machine's deletion until it is gone.
      node_reboot: How long a node is away for a new machine configuration.
      operator_update: How long each ClusterOperator takes in an upgrade.
      build_run: How long a Build runs.
      catalog_resolve: Until OLM has resolved a Subscription.
      install_plan: From the approval of an InstallPlan until its objects are there.
      csv_install: From then on until a ClusterServiceVersion has succeeded.
      claim_bind: Until a PersistentVolumeClaim is bound.
      job_backoff: The first back-off of a Job whose pod has failed; each further one is twice as long.
      retry: After how long a behaviour tries again what the API has refused.
      operators: Operators that take their own time, by the name of their package.
    """

    pod_start: float = 3
    pod_stop: float = 1
    init_container_run: float = 1
    job_pod_run: float = 5
    machine_provision: float = 40
    node_join: float = 30
    machine_delete: float = 15
    node_reboot: float = 120
    operator_update: float = 60
    build_run: float = 90
    catalog_resolve: float = 2
    install_plan: float = 4
    csv_install: float = 6
    claim_bind: float = 2
    job_backoff: float = 10
    retry: float = 5
    operators: Mapping[str, OperatorTimings] = field(default_factory=dict)

    def install_plan_of(self, package: str) -> float:
        """Return how long the InstallPlan of a package takes."""
        own = self.operators.get(package, _LIKE_ALL).install_plan
        return self.install_plan if own is None else own

    def csv_install_of(self, package: str) -> float:
        """Return how long the ClusterServiceVersion of a package takes."""
        own = self.operators.get(package, _LIKE_ALL).csv_install
        return self.csv_install if own is None else own


_LIKE_ALL = OperatorTimings()
