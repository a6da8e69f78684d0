"""The behaviours that play OpenShift, which no plain Kubernetes API has."""

from __future__ import annotations

from projects.sim_cluster.behaviours.install_plans import Bundles, install_plan
from projects.sim_cluster.behaviours.machines import MACHINE, MACHINE_SET
from projects.sim_cluster.behaviours.routes import ROUTE
from projects.sim_cluster.behaviours.service_versions import SERVICE_VERSION
from projects.sim_cluster.behaviours.subscriptions import SUBSCRIPTION
from projects.sim_cluster.behaviours.unit import Behaviour


def openshift_behaviours(bundles: Bundles) -> list[Behaviour]:
    """Return the behaviours of machines, operators and routes; `bundles` is what OLM finds in the packages."""
    return [MACHINE_SET, MACHINE, SUBSCRIPTION, install_plan(bundles), SERVICE_VERSION, ROUTE]
