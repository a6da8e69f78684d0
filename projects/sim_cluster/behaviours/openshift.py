"""The behaviours that play OpenShift, which no plain Kubernetes API has."""

from __future__ import annotations

from projects.sim_cluster.behaviours.install_plans import INSTALL_PLAN
from projects.sim_cluster.behaviours.machines import MACHINE, MACHINE_SET
from projects.sim_cluster.behaviours.routes import ROUTE
from projects.sim_cluster.behaviours.service_versions import SERVICE_VERSION
from projects.sim_cluster.behaviours.subscriptions import SUBSCRIPTION
from projects.sim_cluster.behaviours.unit import Behaviour


def openshift_behaviours() -> list[Behaviour]:
    """Return the behaviours of machines, operators and routes."""
    return [MACHINE_SET, MACHINE, SUBSCRIPTION, INSTALL_PLAN, SERVICE_VERSION, ROUTE]
