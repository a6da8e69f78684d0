"""What an OpenShift cluster on AWS starts with: its kinds, its configuration, its machines with their nodes, its catalogs.

The control plane is hosted elsewhere (``controlPlaneTopology: External``), so every node is a worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.crds import kinds_of
from projects.sim_cluster.options import Settled
from projects.sim_cluster.packages.manifests import MARKETPLACE, catalog_objects
from projects.sim_cluster.packages.package import OperatorPackage
from projects.sim_cluster.shapes.definitions import AGGREGATED, CUSTOM, documents
from projects.sim_cluster.shapes.machine_config import machine_configuration, rendered_name
from projects.sim_cluster.shapes.machines import MACHINE_API, machines
from projects.sim_cluster.shapes.projects import as_view, serve_requests
from projects.sim_cluster.shapes.services import services
from projects.sim_cluster.shapes.versions import cluster_operators, cluster_version, configuration

Object = dict[str, Any]
_NAMESPACES: Final = (
    "openshift", "openshift-config", "openshift-config-managed", "openshift-apiserver", "openshift-authentication", "openshift-console",
    "openshift-image-registry", "openshift-operators", "openshift-ingress", "openshift-monitoring", "openshift-user-workload-monitoring",
    "openshift-operator-lifecycle-manager", "openshift-machine-config-operator", MACHINE_API, MARKETPLACE,
)  # fmt: skip


def add_kinds(api: Api) -> None:
    """Serve the kinds that OpenShift's own API servers serve."""
    for document in documents(AGGREGATED):
        for kind in kinds_of(document, api.recorded.definitions):
            if kind.resource == "projects":
                api.registry.add(as_view(kind))
            elif kind.resource == "projectrequests":
                api.registry.add(replace(kind, verbs=("create",)))
            elif kind.resource == "packagemanifests":
                api.registry.add(replace(kind, verbs=("get", "list")))
            else:
                api.registry.add(kind)
    serve_requests(api)


def objects(options: Settled, packages: Sequence[OperatorPackage], now: str) -> Iterator[Object]:
    """Yield everything, in the order in which it has to be created."""
    return chain(
        documents(CUSTOM),
        ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in _NAMESPACES),
        [cluster_version(options.version, now)],
        configuration(),
        cluster_operators(options.version, now),
        machines(options, rendered_name("worker", options.version), now),
        machine_configuration(options, now),
        _olm(packages, now),
        services(now),
    )


def _olm(packages: Sequence[OperatorPackage], now: str) -> Iterator[Object]:
    yield {"apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup",
           "metadata": {"name": "global-operators", "namespace": "openshift-operators"}, "spec": {}}  # fmt: skip
    yield from catalog_objects(packages, now)
