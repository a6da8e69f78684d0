"""The behaviours that the guide shows are played, by the tests that it shows."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

from projects.core.values.checkout import ROOT
from projects.sim_cluster.behaviours.programs import FaultKind, Program
from projects.sim_cluster.behaviours.stages.documents import load_stages
from tests.docs.pages import page

GUIDE = page("docs/how-to/write-a-behaviour.md")


def written(directory: Path) -> None:
    for block in GUIDE.blocks:
        if block.file:
            (directory / block.file).write_text(block.text, encoding="utf-8")


def test_the_tests_of_the_guide_pass(tmp_path: Path) -> None:
    written(tmp_path)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    options = ["-q", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), str(tmp_path)]
    line = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_stage_of_the_guide_is_understood(tmp_path: Path) -> None:
    written(tmp_path)
    assert [stage.name for stage in load_stages([tmp_path / "stages.yaml"])] == ["certificate-is-issued"]


def test_a_behaviour_takes_fifty_lines() -> None:
    lines = next(block.text for block in GUIDE.blocks if block.file == "load_balancers.py").splitlines()
    assert len(lines) <= 50


def test_the_guide_names_every_field_and_fault() -> None:
    for name in Program.__dataclass_fields__:
        assert name in GUIDE.text, name
    for kind in get_args(FaultKind):
        assert f"`{kind}`" in GUIDE.text
