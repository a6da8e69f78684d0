"""The pytest plugin: a project's tests rehearse it on a simulated cluster. pytest loads it by its entry point.

The fixture `sim_cluster` starts a cluster for one test and lets KUBECONFIG name it; the marker `scenario` says what
that cluster goes through. What a cluster is made of is imported when the first test asks for one, so that a test run
which never does pays for two small modules.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from projects.sim_cluster.options import ClusterOptions
    from projects.sim_cluster.running import RunningCluster

SCENARIOS: Final = ("healthy",)


class UnknownScenarioError(ValueError):
    """A test is marked with a scenario that does not exist."""


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, for `--markers` and `--strict-markers`."""
    exist = ", ".join(SCENARIOS)
    config.addinivalue_line(
        "markers", f"scenario(name): what the cluster of the fixture sim_cluster goes through; there is: {exist}"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a test whose scenario does not exist, whether or not it uses the cluster: it would prove nothing."""
    if (marker := item.get_closest_marker("scenario")) is not None:
        _check(marker)


def _check(marker: pytest.Mark) -> None:
    """Raise UnknownScenarioError unless a marker names a scenario."""
    given = [*marker.args, *marker.kwargs.values()]
    if len(given) == 1 and given[0] in SCENARIOS:
        return
    found = ", ".join(map(repr, given)) or "nothing"
    near = difflib.get_close_matches(str(given[0]), SCENARIOS, n=1) if given else []
    hint = f"; did you mean {near[0]!r}?" if near else ""
    exist = ", ".join(SCENARIOS)
    raise UnknownScenarioError(f"expected the name of a scenario, found {found}{hint} (there is: {exist})")


@pytest.fixture
def sim_cluster_options() -> ClusterOptions:
    """What `sim_cluster` is started with: three workers of OpenShift. Override it to have something else."""
    from projects.sim_cluster.options import ClusterOptions  # noqa: PLC0415 - only a test that asks pays for it

    return ClusterOptions()


@pytest.fixture
def sim_cluster(sim_cluster_options: ClusterOptions, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningCluster]:
    """A simulated cluster of the test's own, `sim_cluster.kubeconfig`; KUBECONFIG names it while the test runs."""
    from projects.sim_cluster.running import running_cluster  # noqa: PLC0415 - heavy: the whole API

    with running_cluster(sim_cluster_options) as cluster:
        monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
        yield cluster
