"""Operators as packages: CRDs, behaviours and a catalog entry in one declared object each.

This is what a package of one's own is written with; ``docs/how-to/write-an-operator-package.md`` shows one. `shipped` lists
those that every simulated OpenShift offers, `loading` finds those of a user, `playing` hands both to the cluster.
"""

from projects.sim_cluster.behaviours.conditions import is_true, with_conditions
from projects.sim_cluster.behaviours.interface import Object, Resource
from projects.sim_cluster.behaviours.unit import (
    Behaviour,
    Wake,
    World,
    cluster_owner_keys,
    every,
    owner_keys,
    owner_reference,
)
from projects.sim_cluster.packages.custom_kind import AGE, ANYTHING, CustomKind
from projects.sim_cluster.packages.loading import PackageNotLoadedError, load_package
from projects.sim_cluster.packages.package import Channel, OperatorPackage, installed_in

__all__ = (
    "AGE",
    "ANYTHING",
    "Behaviour",
    "Channel",
    "CustomKind",
    "Object",
    "OperatorPackage",
    "PackageNotLoadedError",
    "Resource",
    "Wake",
    "World",
    "cluster_owner_keys",
    "every",
    "installed_in",
    "is_true",
    "load_package",
    "owner_keys",
    "owner_reference",
    "with_conditions",
)
