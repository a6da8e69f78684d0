"""Fixtures of the tests of toolbox commands: the simulated OpenShift, and a way to run a command on a cluster."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from projects.core.cluster.api import Cluster
from projects.core.cluster.session import disconnect
from tests.conftest import ROOT, RealCluster
from tests.simulated import simulated_cluster

_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    text: str
    directory: Path

    def changed(self) -> list[str]:
        """Return the tasks that changed something."""
        lines = (self.directory / "_ansible.log").read_text().splitlines()
        return [before for before, line in itertools.pairwise(lines) if line.strip().startswith("changed")]


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Runs toolbox commands on one cluster, as people do."""

    kubeconfig: Path
    artifacts: Path

    def __call__(self, *words: str, code: int = 0) -> Done:
        """Run `run_toolbox.py` with these words and expect an exit code."""
        before = set(self.artifacts.iterdir())
        done = subprocess.run(
            [sys.executable, str(ROOT / "run_toolbox.py"), *words],
            cwd=ROOT,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig), "ARTIFACT_DIR": str(self.artifacts)},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        text = done.stdout + done.stderr
        assert done.returncode == code, f"{words} exited with {done.returncode}:\n{text}"
        made = [path for path in self.artifacts.glob("[0-9]*__*") if path not in before and path.is_dir()]
        return Done(done.returncode, text, made[0] if made else self.artifacts)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FORESAIL_CACHE_DIR", str(tmp_path / "cache"))
    yield
    disconnect()


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a simulated OpenShift."""
    with simulated_cluster(tmp_path_factory.mktemp("sim") / "cluster") as kubeconfig:
        yield kubeconfig


@pytest.fixture
def on_openshift(simulated: Path, tmp_path: Path) -> Toolbox:
    """Commands on the simulated OpenShift."""
    (tmp_path / "artifacts").mkdir()
    return Toolbox(simulated, tmp_path / "artifacts")


@pytest.fixture
def on_kubernetes(real_cluster: RealCluster, tmp_path: Path) -> Toolbox:
    """Commands on the real control plane."""
    (tmp_path / "artifacts").mkdir()
    return Toolbox(real_cluster.kubeconfig, tmp_path / "artifacts")


@pytest.fixture
def openshift(simulated: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The objects of the simulated OpenShift."""
    monkeypatch.setenv("KUBECONFIG", str(simulated))
    return Cluster()


@pytest.fixture
def kubernetes(real_cluster: RealCluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The objects of the real control plane."""
    monkeypatch.setenv("KUBECONFIG", str(real_cluster.kubeconfig))
    return Cluster()
