"""Hands packages to a cluster: the bundles that OLM opens, and the behaviours that play the operators. Called by `cluster`."""

from __future__ import annotations

from collections.abc import Sequence

from projects.sim_cluster.behaviours.openshift import openshift_behaviours
from projects.sim_cluster.behaviours.openshift.install_plans import Bundle
from projects.sim_cluster.behaviours.unit import Behaviour
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.packages.package import OperatorPackage
from projects.sim_cluster.packages.shipped import SHIPPED


def offered(options: ClusterOptions) -> tuple[OperatorPackage, ...]:
    """Return what the catalogs of a cluster offer: what ships, unless the scenario names some of it, and what it brings."""
    if options.scenario is None:
        return (*SHIPPED, *options.packages)
    wanted = options.scenario.catalog.operators
    shipped = (each for each in SHIPPED if wanted is None or each.name in wanted)
    return (*shipped, *options.scenario.packages, *options.packages)


def playing(packages: Sequence[OperatorPackage]) -> list[Behaviour]:
    """Return OpenShift's behaviours and those of the operators that its catalogs offer."""
    known = {package.name: package for package in packages}

    def bundle(name: str) -> Bundle | None:
        package = known.get(name)
        if package is None:
            return None
        return Bundle(tuple(kind.document() for kind in package.kinds), package.deployment_name)

    return openshift_behaviours(bundle) + [each for package in packages for each in package.all_behaviours()]
