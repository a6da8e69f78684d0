"""Finds the packages that a user declares. Called with what a scenario's ``catalog:`` lists."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from projects.sim_cluster.packages.package import OperatorPackage


class PackageNotLoadedError(Exception):
    """A reference that leads to no operator package, in words for whoever wrote it."""


def load_package(reference: str, base: Path | None = None) -> OperatorPackage:
    """Return the package that a reference leads to.

    Args:
      reference: ``module:NAME``, such as ``projects.mine.operators:WIDGETS``, or ``path.py:NAME``; ``:NAME`` may be left out of
        either when the file declares exactly one package.
      base: The directory that a relative path starts from, such as that of the scenario; by default the current one.

    Raises:
      PackageNotLoadedError: There is no such module, file or name, the file cannot be run, or what is there is no package.
    """
    where, _, name = reference.partition(":")
    module = _module(where, reference, base or Path.cwd())
    declared = {key: value for key, value in vars(module).items() if isinstance(value, OperatorPackage)}
    if name:
        if name not in declared:
            raise PackageNotLoadedError(f"{reference}: no OperatorPackage {name} in {where}{_instead(declared)}")
        return declared[name]
    if len({id(each) for each in declared.values()}) != 1:
        raise PackageNotLoadedError(
            f"{reference}: {len(declared)} OperatorPackages in {where}, wanted one{_instead(declared)}"
        )
    return next(iter(declared.values()))


def _instead(declared: dict[str, OperatorPackage]) -> str:
    return f" (there are: {', '.join(sorted(declared))})" if declared else ""


def _module(where: str, reference: str, base: Path) -> ModuleType:
    try:
        if where.endswith(".py"):
            return _from_file((base / where).resolve())
        return importlib.import_module(where)
    except Exception as error:  # the file is its author's: whatever stops it is told with its place in the scenario
        raise PackageNotLoadedError(f"{reference}: {type(error).__name__}: {error}") from error


def _from_file(path: Path) -> ModuleType:
    name = f"foresail_operator_package_{path.stem}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and pickles look a module up by its name
    found.loader.exec_module(module)
    return module
