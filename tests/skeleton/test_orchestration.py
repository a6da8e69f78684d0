"""The skeleton, whole, as its users run it: rehearsed on the simulated cluster, and on the real control plane."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from projects.core.record.steps import read_steps
from projects.core.values.checkout import ROOT
from projects.core.values.outcomes import Status
from tests.conftest import RealCluster

TEST = ROOT / "projects" / "skeleton" / "testing" / "test.py"


def run(*argv: str, artifacts: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith(("FORESAIL_", "TOPSAIL_"))}
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**own, "ARTIFACT_DIR": str(artifacts), "CI": "true", **environment},
    )


def overrides(artifacts: Path, **values: object) -> None:
    (artifacts / "variable_overrides.yaml").write_text(json.dumps(values), encoding="utf-8")


def assert_whole(root: Path) -> None:
    """Assert that a passed run has left what its readers need."""
    assert (root / "FINISHED").exists()
    assert not (root / "FAILURES").exists()
    assert {step.status for step in read_steps(root)} == {Status.PASSED}
    assert not list(ET.parse(root / "junit_foresail.xml").getroot().iter("failure"))
    assert "pod_startup_p95" in (root / "report.html").read_text(encoding="utf-8")


def test_a_rehearsal_passes_and_leaves_one_record(tmp_path: Path) -> None:
    overrides(tmp_path, PR_POSITIONAL_ARG_0="rehearsal", PR_POSITIONAL_ARG_1="light")

    done = run(str(ROOT / "testing" / "rehearse"), "skeleton", artifacts=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert_whole(tmp_path)
    entrypoints = [step.name for step in read_steps(tmp_path) if step.kind == "entrypoint"]
    assert entrypoints == ["pre_cleanup_ci", "prepare_ci", "test_ci", "generate_plots", "post_cleanup_ci"]
    assert "3 pods ready" in done.stdout


@pytest.mark.envtest
def test_the_test_passes_on_the_real_control_plane(tmp_path: Path, real_cluster: RealCluster) -> None:
    namespace = real_cluster.namespace("skeleton")
    overrides(tmp_path, **{"skeleton.namespace": namespace, "tests.pods.count": 3, "clusters.cleanup_on_exit": True})

    done = run(sys.executable, str(TEST), "test_ci", artifacts=tmp_path, KUBECONFIG=str(real_cluster.kubeconfig))

    assert done.returncode == 0, done.stdout + done.stderr
    assert_whole(tmp_path)
    assert f"namespace {namespace}: removed" in done.stdout


def test_without_a_cluster_it_is_the_infrastructure(tmp_path: Path) -> None:
    done = run(sys.executable, str(TEST), "test_ci", artifacts=tmp_path, KUBECONFIG=str(tmp_path / "none"))

    assert done.returncode == 3, done.stdout + done.stderr
    assert "there is no kubeconfig" in (tmp_path / "FAILURES").read_text(encoding="utf-8")
    assert "Traceback" not in done.stdout + done.stderr
