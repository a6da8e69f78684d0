"""Reads scenarios: one that ships, by its name, or a file. Everything is checked before anything is started.

What is wrong is told all at once, each as ``FILE:LINE: key: expected …, found …``. Called by `cli`, `pytest_plugin` and who
rehearses.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from projects.sim_cluster.scenarios.checks import checked
from projects.sim_cluster.scenarios.mistakes import told
from projects.sim_cluster.scenarios.model import Scenario
from projects.sim_cluster.scenarios.names import ScenarioError, file_of
from projects.sim_cluster.scenarios.places import NotDataError, Placed, placed


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Return a scenario.

    Args:
      name_or_path: The name of one that ships, or the path of a YAML file: what holds a ``/`` or ends with ``.yaml``.

    Raises:
      ScenarioError: there is none of that name, or the file is wrong; the error tells everything that is.
    """
    path = file_of(name_or_path)
    try:
        document = placed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: expected a YAML file, which cannot be read: {error}") from None
    except NotDataError as error:
        raise ScenarioError(f"{path}:{error.line}: {error.message}") from None
    try:
        # As JSON, so that a text is no number and a list is a tuple.
        scenario = Scenario.model_validate_json(json.dumps(document.data), strict=True).read_from(path)
        mistakes = list(checked(scenario, document))
    except ValidationError as error:
        mistakes = told(error, document)
    if mistakes:
        raise ScenarioError("\n".join(f"{path}:{each}" for each in mistakes))
    return _with_operators(scenario, path, document)


def _with_operators(scenario: Scenario, path: Path, document: Placed) -> Scenario:
    if not scenario.catalog.packages and scenario.catalog.operators is None:
        return scenario
    from projects.sim_cluster.scenarios.offers import own_packages  # noqa: PLC0415 - heavy, and few scenarios have any

    packages, mistakes = own_packages(scenario.catalog, path.parent, document)
    if mistakes:
        raise ScenarioError("\n".join(f"{path}:{each}" for each in mistakes))
    return scenario.offering(packages)
