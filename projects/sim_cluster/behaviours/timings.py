"""How long things take, in seconds of the cluster's clock. Data: a scenario replaces it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timings:
    """What behaviours wait for; the defaults are those of a quiet OpenShift on AWS."""

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
