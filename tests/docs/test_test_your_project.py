"""The tests that the guide shows are run, as its reader would run them."""

import os
import subprocess
import sys
from pathlib import Path

from projects.core.values.checkout import ROOT
from projects.sim_cluster.scenarios.names import SHIPPED, ScenarioError
from tests.docs.pages import page

GUIDE = page("docs/how-to/test-your-project.md")
PLUGIN = "projects.sim_cluster.pytest_plugin"


def test_the_tests_of_the_guide_pass(tmp_path: Path) -> None:
    files = [block for block in GUIDE.blocks if block.file]
    for block in files:
        path = tmp_path / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
    line = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(tmp_path),
        str(tmp_path / "projects"),
    ]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_guide_names_the_plugin_the_error_and_every_scenario() -> None:
    for name in (f"-p {PLUGIN}", f"-p no:{PLUGIN}", f"{ScenarioError.__name__}: ", *SHIPPED):
        assert name in GUIDE.text
