"""The pytest plugin: a project's tests rehearse it on a simulated cluster. pytest loads it by its entry point.

The fixture `sim_cluster` starts a cluster for one test and lets KUBECONFIG name it; the marker `scenario` says what
that cluster goes through. What a cluster is made of is imported when the first test asks for one, so that a test run
which never does pays for two small modules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from projects.sim_cluster.scenarios.names import HEALTHY, SHIPPED, ScenarioError, file_of

if TYPE_CHECKING:
    from projects.sim_cluster.options import ClusterOptions
    from projects.sim_cluster.running import RunningCluster
    from projects.sim_cluster.scenarios.model import Scenario

_MARKER: Final = "scenario"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, for `--markers` and `--strict-markers`."""
    exist = ", ".join(SHIPPED)
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(name): what the cluster of the fixture sim_cluster goes through: a YAML file, or one of {exist}",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a test whose scenario does not exist, whether or not it uses the cluster: it would prove nothing."""
    if (file := _file(item)) is not None and file.stem not in SHIPPED:
        _load(file)


def _file(item: pytest.Item) -> Path | None:
    """Return the file of the scenario that a test is marked with; a relative path starts beside the test.

    Raises:
      ScenarioError: the marker does not name one scenario.
    """
    if (marker := item.get_closest_marker(_MARKER)) is None:
        return None
    given = [*marker.args, *marker.kwargs.values()]
    if len(given) != 1:
        found = ", ".join(map(repr, given)) or "nothing"
        raise ScenarioError(f"expected one scenario, found {found} (there is: {', '.join(SHIPPED)})")
    beside = item.path.parent / str(given[0])
    return beside if beside.is_file() else file_of(given[0])


def _load(file: Path) -> Scenario:
    from projects.sim_cluster.scenarios.reading import load_scenario  # noqa: PLC0415 - YAML and its schema

    return load_scenario(file)


@pytest.fixture
def sim_cluster_options() -> ClusterOptions:
    """What `sim_cluster` is started with: what its scenario says. Override it to have something else."""
    from projects.sim_cluster.options import ClusterOptions  # noqa: PLC0415 - only a test that asks pays for it

    return ClusterOptions()


@pytest.fixture
def sim_cluster(
    request: pytest.FixtureRequest, sim_cluster_options: ClusterOptions, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningCluster]:
    """A simulated cluster of the test's own, `sim_cluster.kubeconfig`; KUBECONFIG names it while the test runs."""
    from projects.sim_cluster.running import running_cluster  # noqa: PLC0415 - heavy: the whole API

    file = _file(request.node)
    scenario = None if file is None or file == file_of(HEALTHY) else _load(file)
    with running_cluster(replace(sim_cluster_options, scenario=scenario) if file else sim_cluster_options) as cluster:
        monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
        yield cluster
