"""Rehearsals as users run them, of a probe: what is told, judged, left and written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from projects.core.values.checkout import ROOT

TEST_PY = '''#!/usr/bin/env python3
"""A probe."""
import sys
from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition
from projects.core.cluster.waiting import wait_for
from projects.core.library import env
from projects.core.library.entrypoint import entrypoint, main


def config_map(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "left-space"}}


@entrypoint()
def test_ci() -> None:
    "Leave one object behind and remove another."
    with env.NextArtifactDir("work"):
        cluster = Cluster()
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "left-space"}})
        cluster.apply(config_map("left-behind"))
        cluster.apply(config_map("tidied-away"))
        cluster.delete(Target("ConfigMap", "v1", "tidied-away", "left-space"))


@entrypoint()
def wait_ci() -> None:
    "Wait for what does not come."
    with env.NextArtifactDir("work"):
        wait_for(Cluster(), Target("ConfigMap", "v1", "never", "default"), Condition("present"), 600)


if __name__ == "__main__":
    sys.exit(main(test_ci, wait_ci))
'''
SCENARIO = """description: Nobody comes.
expect: {says: It gives up., exit_codes: [4]}
shape: {platform: kubernetes, nodes: 1}
"""


# The probe's project does not stand in the checkout, where other tests would see it come and go.
PROGRAM = """
import sys
from pathlib import Path
from projects.core.cli import ci_run
from projects.rehearsal.cli import main

ci_run.ROOT = Path(sys.argv[1])
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with nothing but the probe's project."""
    root = tmp_path_factory.mktemp("checkout")
    testing = root / "projects" / "probe" / "testing"
    testing.mkdir(parents=True)
    (testing / "test.py").write_text(TEST_PY)
    (testing / "test.py").chmod(0o755)
    (testing / "config.yaml").write_text("ci_presets: {}\n")
    return root


def rehearse(checkout: Path, *words: str, artifacts: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ARTIFACT_DIR": str(artifacts), "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-c", PROGRAM, str(checkout), "probe", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, env=environment, check=False)


def test_what_is_left_is_told_by_namespace(checkout: Path, tmp_path: Path) -> None:
    done = rehearse(checkout, "test_ci", artifacts=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.split("\nscenario ")[1]
    assert "namespace left-space, 1 object" in told
    assert "  in namespace left-space: ConfigMap left-behind\n" in told
    assert "tidied-away" not in told
    assert "kube-root-ca.crt" not in told
    (result,) = json.loads((tmp_path / "rehearsal.json").read_text())["scenarios"]
    assert (result["exit_code"], result["as_stated"], len(result["left"])) == (0, True, 2)


def test_a_scenario_judges_and_time_passes_at_once(checkout: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "nobody.yaml"
    scenario.write_text(SCENARIO)
    done = rehearse(checkout, "wait_ci", "--scenario", str(scenario), artifacts=tmp_path / "run")
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = json.loads((tmp_path / "run" / "rehearsal.json").read_text())["scenarios"]
    assert (result["scenario"], result["exit_code"], result["expected"]) == ("nobody", 4, [4])
    assert 600 <= result["simulated_seconds"] < 660
    healthy = rehearse(checkout, "wait_ci", artifacts=tmp_path / "healthy")
    assert healthy.returncode == 4
    assert "not as stated: healthy ended with 4, not with 0: " in healthy.stdout
