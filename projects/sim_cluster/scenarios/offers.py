"""The operators that a scenario's catalog names: found and checked before anything is started. Called by `reading`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from projects.sim_cluster.packages.loading import PackageNotLoadedError, load_package
from projects.sim_cluster.packages.package import OperatorPackage
from projects.sim_cluster.packages.shipped import SHIPPED
from projects.sim_cluster.scenarios.mistakes import unknown
from projects.sim_cluster.scenarios.model import Offer
from projects.sim_cluster.scenarios.places import Placed


def own_packages(offer: Offer, base: Path, document: Placed) -> tuple[tuple[OperatorPackage, ...], list[str]]:
    """Return the packages of one's own, and what is wrong with the section, each with its line."""
    found: list[OperatorPackage] = []
    mistakes = list(_unknown(offer, document))
    for index, reference in enumerate(offer.packages):
        try:
            found.append(load_package(reference, base))
        except PackageNotLoadedError as error:
            line = document.line(("catalog", "packages", index))
            mistakes.append(f"{line}: catalog.packages[{index}]: expected an operator package, found {error}")
    return tuple(found), mistakes


def _unknown(offer: Offer, document: Placed) -> Iterator[str]:
    known = [package.name for package in SHIPPED]
    for index, name in enumerate(offer.operators or ()):
        if name not in known:
            line = document.line(("catalog", "operators", index))
            yield f"{line}: catalog.operators[{index}]: {unknown(name, known, 'one of')}"
