"""The behaviours that play OpenShift, which no plain Kubernetes API has."""

from __future__ import annotations

from projects.sim_cluster.behaviours.openshift.builds import BUILD, BUILD_CONFIG
from projects.sim_cluster.behaviours.openshift.catalog_sources import CATALOG_SOURCE
from projects.sim_cluster.behaviours.openshift.cluster_versions import CLUSTER_VERSION
from projects.sim_cluster.behaviours.openshift.image_streams import IMAGE_STREAM
from projects.sim_cluster.behaviours.openshift.install_plans import Bundles, install_plan
from projects.sim_cluster.behaviours.openshift.kubelet_configs import KUBELET_CONFIG
from projects.sim_cluster.behaviours.openshift.machines import MACHINE, MACHINE_SET
from projects.sim_cluster.behaviours.openshift.node_updates import NODE_UPDATE
from projects.sim_cluster.behaviours.openshift.pools import pool_behaviour
from projects.sim_cluster.behaviours.openshift.projects import project_behaviours
from projects.sim_cluster.behaviours.openshift.routes import ROUTE
from projects.sim_cluster.behaviours.openshift.service_versions import SERVICE_VERSION
from projects.sim_cluster.behaviours.openshift.subscriptions import SUBSCRIPTION
from projects.sim_cluster.behaviours.unit import Behaviour


def openshift_behaviours(bundles: Bundles) -> list[Behaviour]:
    """Return the behaviours of machines, operators and routes; `bundles` is what OLM finds in the packages."""
    operators = [CATALOG_SOURCE, SUBSCRIPTION, install_plan(bundles), SERVICE_VERSION]
    machines = [MACHINE_SET, MACHINE, pool_behaviour(), KUBELET_CONFIG, NODE_UPDATE]
    return [*machines, *operators, CLUSTER_VERSION, ROUTE, IMAGE_STREAM, BUILD_CONFIG, BUILD, *project_behaviours()]
